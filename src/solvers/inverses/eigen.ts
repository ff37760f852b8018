/**
 * K-FAC with exact damping: (A ⊗ G + λ I)⁻¹ in the eigenbasis of the factors, ⊘ (λ_G λ_Aᵀ + λ).
 *
 * Factored Tikhonov damping adds cross terms to A ⊗ G; this adds λ and nothing else, for the price of an
 * eigendecomposition instead of a Cholesky factor. Eigenvalues that rounding made negative count as 0.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { BlockOperator, Kronecker } from '../../core/operators/blockOperator.ts';
import { eigenKronecker } from '../../core/operators/blockOperator.ts';
import type { Factor } from '../../core/operators/factors/factor.ts';
import { dense, diagonal, directSum, identity, lowRank, orderOf } from '../../core/operators/factors/factor.ts';
import { matrixOf } from '../../core/operators/factors/measures.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import { mapParams } from '../../core/params.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Basis } from '../../curvature/sites/kind.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import { unsupported } from '../solver/unsupported.ts';
import { dampedReciprocal, eachBlock, invertDiagonal } from './factors/blockwise.ts';
import type { Preconditioner } from '../solver/inverse.ts';

const name = 'eigen';

/** The eigenvectors of A ⊗ G and its eigenvalues λ_G λ_Aᵀ. */
export interface KroneckerEigen<T> extends Basis<T> {
  /** λ_G λ_Aᵀ with negative eigenvalues taken as 0, `[out, in]`. */
  readonly values: T;
  /** Smallest and largest eigenvalue of the two factors, as they came, shape `[]`. */
  readonly extremes: Extremes<T>;
}

/** Bounds of eigenvalues, shape `[]`. */
export interface Extremes<T> {
  readonly smallest: T;
  readonly largest: T;
}

const wider = <T extends Shaped>(ops: Ops<T>, a: Extremes<T>, b: Extremes<T>): Extremes<T> => ({
  smallest: ops.minimum(a.smallest, b.smallest),
  largest: ops.maximum(a.largest, b.largest),
});

/** A block's inverse, and the bounds of its eigenvalues where they were computed. */
export interface Inverted<T> {
  readonly operator: BlockOperator<T>;
  readonly extremes: ReadonlyArray<Extremes<T>>;
}

/** F = U diag(values) Uᵀ, the values `[n]` part after part. */
interface FactorEigen<T> {
  readonly values: T;
  readonly basis: Factor<T>;
}

/** Bounds of a vector. */
const boundsOf = <T extends Shaped>(ops: Ops<T>, values: T): Extremes<T> => ({
  smallest: ops.neg(ops.max(ops.neg(values), [0])),
  largest: ops.max(values, [0]),
});

/** Eigendecomposition of a symmetric factor, part by part. */
const eigenOfFactor = <T extends Shaped>(
  backend: Backend<T>,
  factor: Factor<T>,
): TE.TaskEither<KfacError, FactorEigen<T>> => {
  const { ops, linearAlgebra } = backend;
  const order = orderOf(factor);
  switch (factor._tag) {
    case 'diagonal':
      return TE.right({ values: factor.values, basis: identity(order) });
    case 'identity':
      return calculate(() => ({ values: ops.full([order], 1), basis: factor }));
    case 'directSum':
      return pipe(
        factor.parts,
        TE.traverseArray((part) => eigenOfFactor(backend, part)),
        TE.chain((parts) =>
          calculate(() => ({
            values: ops.concat(
              parts.map(({ values }) => values),
              0,
            ),
            basis: directSum(parts.map(({ basis }) => basis)),
          })),
        ),
      );
    default:
      return pipe(
        calculate(() => matrixOf(ops, factor)),
        TE.chain((m) => linearAlgebra.eigh(m)),
        TE.map(({ values, vectors }) => ({ values, basis: dense(vectors) })),
      );
  }
};

/**
 * Eigendecomposition of a Kronecker product by its factors.
 *
 * @param backend - where to factorise
 * @param block - a product with symmetric factors
 */
export const eigenOf = <T extends Shaped>(
  backend: Backend<T>,
  block: Kronecker<T>,
): TE.TaskEither<KfacError, KroneckerEigen<T>> => {
  const { ops } = backend;
  return pipe(
    TE.Do,
    TE.apS('ofA', eigenOfFactor(backend, block.A)),
    TE.apS('ofG', eigenOfFactor(backend, block.G)),
    TE.chain(({ ofA, ofG }) =>
      calculate(() => {
        const clipped = [ofG, ofA].map(({ values }) => ops.maximum(values, ops.full([], 0)));
        const [out, inputs] = [ofG.values.shape[0], ofA.values.shape[0]];
        return {
          UA: ofA.basis,
          UG: ofG.basis,
          values: ops.mul(ops.reshape(clipped[0], [out, 1]), ops.reshape(clipped[1], [1, inputs])),
          extremes: wider(ops, boundsOf(ops, ofA.values), boundsOf(ops, ofG.values)),
        };
      }),
    ),
  );
};

/**
 * (F + λ I)⁻¹ = U diag(1 / (θ + λ)) Uᵀ for a symmetric matrix, on column-stacked elements.
 *
 * @param backend - where to factorise
 * @param matrix - F `[n, n]`
 * @param lambda - damping λ, greater than 0
 */
export const invertMatrixInEigenbasis = <T extends Shaped>(
  backend: Backend<T>,
  matrix: T,
  lambda: number,
): TE.TaskEither<KfacError, Inverted<T>> =>
  pipe(
    backend.linearAlgebra.eigh(matrix),
    TE.chain(({ values, vectors }) =>
      calculate(() => {
        const { ops } = backend;
        const clipped = ops.maximum(values, ops.full([], 0));
        return {
          operator: lowRank(vectors, diagonal(dampedReciprocal(ops, clipped, lambda)), 0),
          extremes: [boundsOf(ops, values)],
        };
      }),
    ),
  );

/**
 * Metrics of a preparation: the smallest and the largest eigenvalue over all factors.
 *
 * @param ops - interpreter
 * @param extremes - of each block that has factors
 */
export const eigenMetrics = <T extends Shaped>(
  ops: Ops<T>,
  extremes: ReadonlyArray<Extremes<T>>,
): Readonly<Record<string, T>> => {
  if (extremes.length === 0) return {};
  const { smallest, largest } = extremes.reduce((a, b) => wider(ops, a, b));
  return { smallestEigenvalue: smallest, largestEigenvalue: largest };
};

const invertBlock = <T extends Shaped>(
  backend: Backend<T>,
  at: string,
  block: BlockOperator<T>,
  lambda: number,
): TE.TaskEither<KfacError, Inverted<T>> => {
  const { ops } = backend;
  switch (block._tag) {
    case 'kronecker':
      return pipe(
        eigenOf(backend, block),
        TE.chain(({ UA, UG, values, extremes }) =>
          calculate(() => ({
            operator: eigenKronecker(UA, UG, dampedReciprocal(ops, values, lambda)),
            extremes: [extremes],
          })),
        ),
      );
    case 'eigenKronecker':
      return calculate(() => ({
        operator: eigenKronecker(block.UA, block.UG, dampedReciprocal(ops, block.S, lambda)),
        extremes: [],
      }));
    case 'dense':
      return invertMatrixInEigenbasis(backend, block.matrix, lambda);
    case 'diagonal':
      return calculate(() => ({ operator: invertDiagonal(ops, block.values, lambda), extremes: [] }));
    default:
      return TE.left(unsupported(name, at, 'blocks of kind kronecker, eigenKronecker, dense or diagonal', block._tag));
  }
};

/**
 * (⊕ A ⊗ G + λ I)⁻¹ of block-diagonal curvature, exactly. Reports the smallest and the largest eigenvalue of the factors.
 */
export const eigen: Preconditioner = {
  name,
  prepare: (backend, curvature, lambda) =>
    pipe(
      eachBlock(name, curvature, (at, block) => invertBlock(backend, at, block, lambda)),
      TE.chain((blocks) =>
        calculate(() => ({
          operator: blockDiagonal(mapParams(blocks, (block) => block.operator)),
          metrics: eigenMetrics(
            backend.ops,
            Object.values(blocks).flatMap((block) => block.extremes),
          ),
        })),
      ),
    ),
};
