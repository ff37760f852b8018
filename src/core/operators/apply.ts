/**
 * Applying linear operators.
 *
 * @module
 */
import type { Ops } from '../ops/ops.ts';
import type { Params } from '../params.ts';
import { mapParams, zipParams } from '../params.ts';
import type { Shaped } from '../tensor.ts';
import type { BlockOperator, TwoTerm } from './blockOperator.ts';
import type { Composite } from './composite.ts';
import { applyComposite } from './composite.ts';
import { factorTimes, timesFactor } from './factors/products.ts';
import type { LinearOperator } from './linearOperator.ts';
import { applyTridiagonal, applyTridiagonalInverse } from './tridiagonal.ts';
import { unvec, vec } from './vec.ts';

/** (K₁ ⊗ K₂) (I + sign · S₁ ⊗ S₂)⁻¹ (K₁ ⊗ K₂)ᵀ v, which is symmetric. */
const applyTwoTerm = <T extends Shaped>(ops: Ops<T>, { K1, S1, K2, S2, sign }: TwoTerm<T>, v: T): T => {
  const rotated = ops.matmul(ops.matmul(K2, v, { transposeA: true }), K1);
  const product = ops.mul(ops.reshape(S2, [S2.shape[0], 1]), ops.reshape(S1, [1, S1.shape[0]]));
  const divided = ops.div(rotated, ops.add(ops.full([], 1), ops.scale(sign, product)));
  return ops.matmul(ops.matmul(K2, divided), K1, { transposeB: true });
};

const applyEither = <T extends Shaped>(ops: Ops<T>, op: BlockOperator<T>, v: T, transposed: boolean): T => {
  switch (op._tag) {
    case 'kronecker':
      return timesFactor(ops, factorTimes(ops, op.G, v, transposed), op.A, !transposed);
    case 'eigenKronecker': {
      const rotated = timesFactor(ops, factorTimes(ops, op.UG, v, true), op.UA);
      return timesFactor(ops, factorTimes(ops, op.UG, ops.mul(op.S, rotated)), op.UA, true);
    }
    case 'twoTerm':
      return applyTwoTerm(ops, op, v);
    case 'diagonal':
      return ops.mul(op.values, v);
    case 'dense':
    case 'identity':
    case 'lowRank':
    case 'cholesky':
    case 'directSum':
      return unvec(ops, factorTimes(ops, op, vec(ops, v), transposed), v.shape);
    default:
      return applyComposite(
        {
          scale: (c, x) => ops.scale(c, x),
          add: (x, y) => ops.add(x, y),
          combine: (a, x, b, y) => ops.linearCombination(a, x, b, y),
        },
        (operator: BlockOperator<T>, x: T, flag) => applyEither(ops, operator, x, flag),
        op,
        v,
        transposed,
      );
  }
};

/**
 * op v on one array.
 *
 * @param ops - interpreter
 * @param op - operator
 * @param v - array, `[out, in]` for a Kronecker product
 * @returns an array of the same shape
 * @example
 * ```ts
 * import { applyBlock, diagonal, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * applyBlock(ops, diagonal(tensor([2, 5], [2])), tensor([1, 2], [2])).data; // => [2, 10]
 * ```
 */
export const applyBlock = <T extends Shaped>(ops: Ops<T>, op: BlockOperator<T>, v: T): T =>
  applyEither(ops, op, v, false);

/**
 * opᵀ v on one array.
 *
 * @example
 * ```ts
 * import { applyBlockTranspose, denseOperator, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const matrix = denseOperator(tensor([1, 2, 3, 4], [2, 2]));
 * applyBlockTranspose(ops, matrix, tensor([1, 1], [2])).data; // => [4, 6]
 * ```
 */
export const applyBlockTranspose = <T extends Shaped>(ops: Ops<T>, op: BlockOperator<T>, v: T): T =>
  applyEither(ops, op, v, true);

/** ⊕ diag(d) v. */
const scaledBy = <T extends Shaped>(ops: Ops<T>, scales: Params<T>, v: Params<T>): Params<T> =>
  mapParams(v, (x, name) => ops.mul(scales[name], x));

const compositeOnBlocks = <T extends Shaped>(
  ops: Ops<T>,
  op: Composite<LinearOperator<T>>,
  v: Params<T>,
  transposed: boolean,
): Params<T> =>
  applyComposite(
    {
      scale: (c, x) => mapParams(x, (leaf) => ops.scale(c, leaf)),
      add: (x, y) => ({ ...y, ...zipParams(x, y, (a, b) => ops.add(a, b)) }),
      combine: (a, x, b, y) => zipParams(x, y, (p, q) => ops.linearCombination(a, p, b, q)),
    },
    (operator: LinearOperator<T>, x: Params<T>, flag) =>
      flag ? applyTranspose(ops, operator, x) : apply(ops, operator, x),
    op,
    v,
    transposed,
  );

/**
 * op v on a block vector. Blocks that the operator does not have are dropped.
 *
 * @param ops - interpreter
 * @param op - operator
 * @param v - arrays by block
 * @example
 * ```ts
 * import { apply, blockDiagonal, denseOperator, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const operator = blockDiagonal({ w: denseOperator(tensor([1, 2, 3, 4], [2, 2])) });
 * apply(ops, operator, { w: tensor([1, 1], [2]) }).w.data; // => [3, 7]
 * ```
 */
export const apply = <T extends Shaped>(ops: Ops<T>, op: LinearOperator<T>, v: Params<T>): Params<T> => {
  switch (op._tag) {
    case 'blockDiagonal':
      return mapParams(op.blocks, (block, name) => applyBlock(ops, block, v[name]));
    case 'blockTridiagonal':
      return applyTridiagonal(ops, op, v, (block, x) => applyBlock(ops, block, x));
    case 'blockTridiagonalInverse':
      return applyTridiagonalInverse(ops, op, v, (block, x) => applyBlock(ops, block, x));
    case 'congruent':
      return scaledBy(ops, op.scales, apply(ops, op.operator, scaledBy(ops, op.scales, v)));
    default:
      return compositeOnBlocks(ops, op, v, false);
  }
};

/**
 * opᵀ v on a block vector.
 *
 * @example
 * ```ts
 * import { applyTranspose, blockDiagonal, denseOperator, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const operator = blockDiagonal({ w: denseOperator(tensor([1, 2, 3, 4], [2, 2])) });
 * applyTranspose(ops, operator, { w: tensor([1, 1], [2]) }).w.data; // => [4, 6]
 * ```
 */
export const applyTranspose = <T extends Shaped>(ops: Ops<T>, op: LinearOperator<T>, v: Params<T>): Params<T> => {
  switch (op._tag) {
    case 'blockDiagonal':
      return mapParams(op.blocks, (block, name) => applyBlockTranspose(ops, block, v[name]));
    case 'blockTridiagonal':
      return applyTridiagonal(ops, op, v, (block, x) => applyBlockTranspose(ops, block, x));
    case 'blockTridiagonalInverse':
      return applyTridiagonalInverse(ops, op, v, (block, x) => applyBlockTranspose(ops, block, x));
    case 'congruent':
      return scaledBy(ops, op.scales, applyTranspose(ops, op.operator, scaledBy(ops, op.scales, v)));
    default:
      return compositeOnBlocks(ops, op, v, true);
  }
};
