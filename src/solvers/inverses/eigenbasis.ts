/**
 * The eigenbasis of Shampoo's factors, which SOAP runs Adam in [VMZ24].
 *
 * The first is an eigendecomposition; from then on the last one is refined by a power iteration, which costs products and
 * keeps the directions in their order, so that what was averaged in the old basis goes on in the new one.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { BlockOperator } from '../../core/operators/blockOperator.ts';
import { eigenKronecker } from '../../core/operators/blockOperator.ts';
import type { Factor } from '../../core/operators/factors/factor.ts';
import { dense, diagonal, identity, lowRank, orderOf } from '../../core/operators/factors/factor.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Preconditioner } from '../solver/inverse.ts';
import { unsupported } from '../solver/unsupported.ts';
import { byFactors, eachBlock } from './factors/blockwise.ts';
import { refinedBasis } from './factors/refinedBasis.ts';

const name = 'eigenbasis';

/** The matrix of a basis of this order, if it is one. */
const matrixIn = <T extends Shaped>(basis: Factor<T> | undefined, order: number): T | null =>
  basis?._tag === 'dense' && basis.matrix.shape[0] === order ? basis.matrix : null;

const basisOfMatrix = <T extends Shaped>(backend: Backend<T>, m: T, previous: T | null): TE.TaskEither<KfacError, T> =>
  previous === null
    ? pipe(
        backend.linearAlgebra.eigh(m),
        TE.map(({ vectors }) => vectors),
      )
    : refinedBasis(backend, m, previous);

/** Eigenvectors of a full factor; a diagonal is in its own basis. */
const basisOfFactor = <T extends Shaped>(
  backend: Backend<T>,
  factor: Factor<T>,
  previous: Factor<T> | undefined,
): TE.TaskEither<KfacError, Factor<T>> =>
  factor._tag === 'dense'
    ? pipe(
        basisOfMatrix(backend, factor.matrix, matrixIn(previous, orderOf(factor))),
        TE.map((vectors) => dense(vectors)),
      )
    : TE.right(identity(orderOf(factor)));

const basisOfBlock = <T extends Shaped>(
  backend: Backend<T>,
  at: string,
  block: BlockOperator<T>,
  previous: BlockOperator<T> | undefined,
): TE.TaskEither<KfacError, BlockOperator<T>> => {
  const { ops } = backend;
  switch (block._tag) {
    case 'kronecker': {
      const before = previous?._tag === 'eigenKronecker' ? previous : null;
      return pipe(
        TE.Do,
        TE.apS('UA', basisOfFactor(backend, block.A, before?.UA)),
        TE.apS('UG', basisOfFactor(backend, block.G, before?.UG)),
        TE.chain(({ UA, UG }) =>
          calculate(() => eigenKronecker(UA, UG, ops.full([orderOf(block.G), orderOf(block.A)], 1))),
        ),
      );
    }
    case 'dense': {
      const before = previous?._tag === 'lowRank' ? dense(previous.U) : undefined;
      return pipe(
        basisOfMatrix(backend, block.matrix, matrixIn(before, orderOf(block))),
        TE.chain((U) => calculate(() => lowRank(U, diagonal(ops.full([orderOf(block)], 1)), 0))),
      );
    }
    case 'diagonal':
      return calculate(() => diagonal(ops.full(block.values.shape, 1)));
    default:
      return TE.left(unsupported(name, at, byFactors, block._tag));
  }
};

/**
 * Bases of block-diagonal curvature with Kronecker, dense and diagonal blocks, as operators that scale nothing: U diag(1) Uᵀ.
 * What uses them puts its own scales in. The damping does not matter.
 */
export const eigenbasis: Preconditioner = {
  name,
  prepare: (backend, curvature, _, previous) => {
    const before = previous?._tag === 'blockDiagonal' ? previous.blocks : {};
    return pipe(
      eachBlock(name, curvature, (at, block) => basisOfBlock(backend, at, block, before[at])),
      TE.map((blocks) => ({ operator: blockDiagonal(blocks), metrics: {} })),
    );
  },
};
