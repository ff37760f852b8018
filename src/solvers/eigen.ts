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

import type { Backend } from '../core/backends/backend.ts';
import type { KfacError } from '../core/errors.ts';
import type { BlockOperator, Kronecker, LinearOperator } from '../core/operators/linearOperator.ts';
import { blockDiagonal, eigenKronecker } from '../core/operators/linearOperator.ts';
import { mapParams } from '../core/params.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { Shaped } from '../core/tensor.ts';
import { calculate, dampedReciprocal, eachBlock, invertDiagonal, unsupported } from './blockwise.ts';
import type { Prepared, RefreshOptions, SolveNeeds, Solver } from './solver.ts';
import { refreshingReported } from './solver.ts';

/** The eigenvectors of A ⊗ G, and its eigenvalues λ_G λ_Aᵀ. */
export interface KroneckerEigen<T> {
  /** Eigenvectors of A, `[in, in]`. */
  readonly UA: T;
  /** Eigenvectors of G, `[out, out]`. */
  readonly UG: T;
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

/** Element i of a vector, shape `[]`. */
const element = <T extends Shaped>(ops: Ops<T>, x: T, i: number): T => ops.reshape(ops.slice(x, [i], [1]), []);

const wider = <T extends Shaped>(ops: Ops<T>, a: Extremes<T>, b: Extremes<T>): Extremes<T> => ({
  smallest: ops.minimum(a.smallest, b.smallest),
  largest: ops.maximum(a.largest, b.largest),
});

/**
 * Eigendecomposition of a Kronecker product by its factors.
 *
 * @param backend - where to factorise
 * @param block - A ⊗ G with symmetric factors
 */
export const eigenOf = <T extends Shaped>(
  backend: Backend<T>,
  block: Kronecker<T>,
): TE.TaskEither<KfacError, KroneckerEigen<T>> =>
  pipe(
    TE.Do,
    TE.apS('ofA', backend.linearAlgebra.eigh(block.A)),
    TE.apS('ofG', backend.linearAlgebra.eigh(block.G)),
    TE.chain(({ ofA, ofG }) =>
      calculate(() => {
        const { ops } = backend;
        const extremesOf = (values: T): Extremes<T> => ({
          smallest: element(ops, values, 0),
          largest: element(ops, values, values.shape[0] - 1),
        });
        const clipped = [ofG, ofA].map(({ values }) => ops.maximum(values, ops.full([], 0)));
        const [out, inputs] = [ofG.values.shape[0], ofA.values.shape[0]];
        return {
          UA: ofA.vectors,
          UG: ofG.vectors,
          values: ops.mul(ops.reshape(clipped[0], [out, 1]), ops.reshape(clipped[1], [1, inputs])),
          extremes: wider(ops, extremesOf(ofA.values), extremesOf(ofG.values)),
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

interface Inverted<T> {
  readonly operator: BlockOperator<T>;
  readonly extremes: ReadonlyArray<Extremes<T>>;
}

const invertBlock = <T extends Shaped>(
  backend: Backend<T>,
  name: string,
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
    case 'diagonal':
      return calculate(() => ({ operator: invertDiagonal(ops, block.values, lambda), extremes: [] }));
    default:
      return TE.left(unsupported('eigen', name, 'blocks of kind kronecker, eigenKronecker or diagonal', block._tag));
  }
};

/**
 * (⊕ A ⊗ G + λ I)⁻¹ as an operator, exactly.
 *
 * @param backend - where to factorise
 * @param operator - block-diagonal curvature
 * @param lambda - damping λ, greater than 0
 */
export const invertInEigenbasis = <T extends Shaped>(
  backend: Backend<T>,
  operator: LinearOperator<T>,
  lambda: number,
): TE.TaskEither<KfacError, Prepared<T>> =>
  pipe(
    eachBlock('eigen', operator, (name, block) => invertBlock(backend, name, block, lambda)),
    TE.chain((blocks) =>
      calculate(() => ({
        operator: blockDiagonal(mapParams(blocks, (block) => block.operator)),
        metrics: eigenMetrics(
          backend.ops,
          Object.values(blocks).flatMap((block) => block.extremes),
        ),
      })),
    ),
  );

/**
 * K-FAC with exact damping. Reports the smallest and the largest eigenvalue of the factors when it refreshes.
 *
 * @param options - damping and refresh period
 */
export const eigen = (options: RefreshOptions): Solver<SolveNeeds> =>
  refreshingReported('eigen', invertInEigenbasis, options);
