/**
 * Leading eigenvectors of a matrix that changes slowly, from those that it had before.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../../core/backends/backend.ts';
import { factorisationOperations } from '../../../core/backends/factorisationOperations.ts';
import type { KfacError } from '../../../core/errors.ts';
import { calculate } from '../../../core/pipeline/compute.ts';
import type { Key } from '../../../core/random/key.ts';
import { keyOf } from '../../../core/random/key.ts';
import { normal } from '../../../core/random/normal.ts';
import { split } from '../../../core/random/split.ts';
import type { Shaped } from '../../../core/tensor.ts';
import type { LeadingEigen } from './rangeFinder.ts';
import { scaledByRoots } from './rangeFinder.ts';

/** Random columns beside those of before, by which directions come in that they lack. */
const fresh = 4;

const [firstKey, freshKey] = split(keyOf(2017), 2);

/** Columns of random directions, of about unit length. A fixed key: the same matrix gives the same vectors on every process. */
const randomColumns = <T extends Shaped>(backend: Backend<T>, key: Key, n: number, columns: number): T =>
  backend.ops.scale(1 / Math.sqrt(n), backend.ops.constant(normal(key, [n, columns], backend.dtype)));

/**
 * Columns that {@link trackedEigen} works on, for which a matrix must have the order.
 *
 * @param rank - r
 */
export const columnsFor = (rank: number): number => rank + fresh;

/**
 * Operations of {@link trackedEigen}, to leading order.
 *
 * @param order - n
 * @param rank - r
 */
export const operationsOfTracking = (order: number, rank: number): number => {
  const k = columnsFor(rank);
  return 2 * order * order * k + 7 * order * k * k + 2 * factorisationOperations.eigh(k);
};

/**
 * The r largest eigenvalues of a symmetric positive definite matrix with their eigenvectors, nearly, by one product with it:
 * with test columns X, the eigenvectors of before and a few random ones, M is close to M X (Xᵀ M X)⁻¹ (M X)ᵀ (Nyström)
 * [HMT11, algorithm 5.5], and that is decomposed. Each call is a turn of subspace iteration.
 *
 * @param backend - where to compute
 * @param m - M `[n, n]`
 * @param before - orthonormal columns (or zero ones) `[n, r]`, r + 4 at most n
 */
export const trackedEigen = <T extends Shaped>(
  backend: Backend<T>,
  m: T,
  before: T,
): TE.TaskEither<KfacError, LeadingEigen<T>> => {
  const { ops, linearAlgebra } = backend;
  const [n, r] = before.shape;
  return pipe(
    calculate(() => {
      const omega = ops.concat([before, randomColumns(backend, freshKey, n, fresh)], 1);
      const y = ops.matmul(m, omega);
      const small = ops.matmul(omega, y, { transposeA: true });
      return { y, small: ops.linearCombination(0.5, small, 0.5, ops.transposed(small)) };
    }),
    TE.bind('inner', ({ small }) => linearAlgebra.eigh(small)),
    // B Bᵀ is the approximation, and has the eigenvalues of Bᵀ B.
    TE.bind('b', ({ y, inner }) => calculate(() => scaledByRoots(backend, y, inner))),
    TE.bind('gram', ({ b }) => calculate(() => ops.gram(b))),
    TE.bind('outer', ({ gram }) => linearAlgebra.eigh(gram)),
    TE.chain(({ b, outer }) =>
      calculate(() => ({
        values: ops.slice(outer.values, [fresh], [r]),
        vectors: ops.slice(scaledByRoots(backend, b, outer), [0, fresh], [n, r]),
      })),
    ),
  );
};

/**
 * The same where nothing is known of the matrix: two turns, from random columns.
 *
 * @param backend - where to compute
 * @param m - M `[n, n]`
 * @param rank - r, r + 4 at most n
 */
export const firstEigen = <T extends Shaped>(
  backend: Backend<T>,
  m: T,
  rank: number,
): TE.TaskEither<KfacError, LeadingEigen<T>> =>
  pipe(
    calculate(() => randomColumns(backend, firstKey, m.shape[0], rank)),
    TE.chain((columns) => trackedEigen(backend, m, columns)),
    TE.chain(({ vectors }) => trackedEigen(backend, m, vectors)),
  );
