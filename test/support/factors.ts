/**
 * Factors by their definition, entry by entry: what the algebra of factors and the solvers are compared with.
 *
 * @module
 */
import { referenceBackend } from '../../src/core/backends/reference/backend.ts';
import type { BlockOperator, Kronecker, Product } from '../../src/core/operators/blockOperator.ts';
import { kroneckerOf, productIn } from '../../src/core/operators/blockOperator.ts';
import type { Factor } from '../../src/core/operators/factors/factor.ts';
import { partsOf } from '../../src/core/operators/factors/factor.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { generate } from '../../src/core/tensor.ts';
import { factoredTikhonov } from '../../src/solvers/inverses/factors/factoredTikhonov.ts';

const { ops } = referenceBackend();

/** The diagonal matrix of n values. */
const diagonalOf = (n: number, value: (i: number) => number): Tensor =>
  generate([n, n], (at) => (at % (n + 1) === 0 ? value(at / (n + 1)) : 0));

/** Blocks along the diagonal of zeros. */
const blocksAlong = (blocks: ReadonlyArray<Tensor>): Tensor => {
  const n = blocks.reduce((sum, { shape }) => sum + shape[0], 0);
  return blocks
    .map((block, i) => {
      const begin = blocks.slice(0, i).reduce((sum, { shape }) => sum + shape[0], 0);
      return ops.pad(block, [begin, begin], [n, n]);
    })
    .reduce((x, y) => ops.add(x, y));
};

/** The matrix of a factor. */
export const formed = (factor: Factor<Tensor>): Tensor => {
  switch (factor._tag) {
    case 'dense':
      return factor.matrix;
    case 'diagonal':
      return diagonalOf(factor.values.data.length, (i) => factor.values.data[i]);
    case 'identity':
      return diagonalOf(factor.order, () => 1);
    case 'lowRank': {
      const outer = ops.matmul(ops.matmul(factor.U, formed(factor.core)), factor.U, { transposeB: true });
      return ops.add(
        outer,
        diagonalOf(factor.U.shape[0], () => factor.shift),
      );
    }
    case 'directSum':
      return blocksAlong(factor.parts.map((part) => formed(part)));
    case 'cholesky':
      throw new Error('the inverse of a matrix is not formed here');
  }
};

/** tr F / dim F. */
export const meanEigenvalue = (factor: Factor<Tensor>): number => {
  const matrix = formed(factor);
  return ops.trace(matrix).data[0] / matrix.shape[0];
};

/** (A + π√λ I) ⊗ (G + π⁻¹√λ I) with the factors formed: the definition of factored Tikhonov damping. */
export const factoredDamping = ({ A, G }: Kronecker<Tensor>, lambda: number): Kronecker<Tensor> => {
  const { ofA, ofG } = factoredTikhonov(lambda, meanEigenvalue(A), meanEigenvalue(G));
  return kroneckerOf(ops.addDiagonal(formed(A), ofA), ops.addDiagonal(formed(G), ofG));
};

/** The matrices of A ⊗ G, which must be full. */
export const matricesOf = (block: BlockOperator<Tensor>): Product<Tensor> => {
  const product = productIn(block);
  if (product === null) throw new Error(`expected a Kronecker product of matrices, not ${block._tag}`);
  return product;
};

/** The full matrices in a factor, part by part. */
export const partMatrices = (factor: Factor<Tensor>): ReadonlyArray<Tensor> =>
  partsOf(factor).map((part) => {
    if (part._tag !== 'dense') throw new Error(`expected a matrix, not ${part._tag}`);
    return part.matrix;
  });

/** a and G of diag(a) ⊗ G. */
export const frequenciesOf = (block: BlockOperator<Tensor>): { readonly a: Tensor; readonly G: Tensor } => {
  if (block._tag !== 'kronecker' || block.A._tag !== 'diagonal' || block.G._tag !== 'dense') {
    throw new Error(`expected frequencies, not ${block._tag}`);
  }
  return { a: block.A.values, G: block.G.matrix };
};
