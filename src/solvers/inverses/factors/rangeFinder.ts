/**
 * Leading eigenvectors of a symmetric matrix by randomised range finding [HMT11, algorithms 4.4
 * and 5.3].
 *
 * Columns are made orthonormal by the eigendecomposition of their small Gram matrix, twice, since backends offer no QR;
 * columns that depend on the others become zero, which leaves every product right. The draw comes from a fixed key: the
 * same matrix gives the same vectors, and a training run stays repeatable.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../../core/backends/backend.ts';
import type { KfacError } from '../../../core/errors.ts';
import { keyOf } from '../../../core/random/key.ts';
import { normal } from '../../../core/random/normal.ts';
import type { Shaped } from '../../../core/tensor.ts';
import { calculate } from '../../../core/pipeline/compute.ts';

/** Settings of {@link leadingEigen}. */
export interface RangeOptions {
  /** Number of eigenvectors r, at least 1. */
  readonly rank: number;
  /** Random columns on top of r, 10 unless given. */
  readonly oversampling?: number;
  /** Products with the matrix after the first one, each of which sharpens the range, up to 100; 1 unless given. */
  readonly powerIterations?: number;
}

/** Most products with the matrix: more sharpen nothing, since 32 or 64 bits hold no sharper range. */
export const mostPowerIterations = 100;

/** M ≈ U diag(values) Uᵀ. */
export interface LeadingEigen<T> {
  /** Orthonormal columns (or zero ones), `[n, r]`. */
  readonly vectors: T;
  /** In ascending order, `[r]`. */
  readonly values: T;
}

const key = keyOf(2011);

/** Directions whose Gram eigenvalue is below this fraction of the largest are taken for dependent. */
const dependent = (dtype: 'f32' | 'f64'): number => (dtype === 'f32' ? 1e-6 : 1e-14);

/**
 * Y V diag(1/√d), where d counts; else zero.
 *
 * @param backend - where to compute
 * @param y - Y `[n, k]`
 * @param eigen - V `[k, k]` and d `[k]`, in ascending order
 */
export const scaledByRoots = <T extends Shaped>(backend: Backend<T>, y: T, { values, vectors }: LeadingEigen<T>): T => {
  const { ops } = backend;
  const k = y.shape[1];
  const floor = ops.scale(dependent(backend.dtype), ops.slice(values, [k - 1], [1]));
  const counts = ops.greater(values, floor);
  const root = ops.sqrt(ops.select(counts, values, ops.full([k], 1)));
  return ops.matmul(y, ops.mul(vectors, ops.reshape(ops.div(counts, root), [1, k])));
};

/** Orthonormal columns with the span of Y's: Y V diag(1/√d) with YᵀY = V diag(d) Vᵀ. */
const whitened = <T extends Shaped>(backend: Backend<T>, y: T): TE.TaskEither<KfacError, T> =>
  pipe(
    calculate(() => backend.ops.gram(y)),
    TE.chain((gram) => backend.linearAlgebra.eigh(gram)),
    TE.chain((eigen) => calculate(() => scaledByRoots(backend, y, eigen))),
  );

const orthonormalised = <T extends Shaped>(backend: Backend<T>, y: T): TE.TaskEither<KfacError, T> =>
  pipe(
    whitened(backend, y),
    TE.chain((once) => whitened(backend, once)),
  );

/** Orthonormal columns that nearly span M's leading eigenvectors. */
const rangeOf = <T extends Shaped>(
  backend: Backend<T>,
  m: T,
  columns: number,
  powerIterations: number,
): TE.TaskEither<KfacError, T> => {
  const draw = calculate(() => backend.ops.constant(normal(key, [m.shape[0], columns], backend.dtype)));
  return Array.from({ length: powerIterations + 1 }).reduce(
    (before: TE.TaskEither<KfacError, T>) =>
      pipe(
        before,
        TE.chain((q) => calculate(() => backend.ops.matmul(m, q))),
        TE.chain((y) => orthonormalised(backend, y)),
      ),
    draw,
  );
};

/** Q (Qᵀ M Q) Qᵀ, decomposed. */
const projected = <T extends Shaped>(backend: Backend<T>, m: T, q: T): TE.TaskEither<KfacError, LeadingEigen<T>> => {
  const { ops } = backend;
  return pipe(
    calculate(() => ops.matmul(q, ops.matmul(m, q), { transposeA: true })),
    TE.chain((small) => backend.linearAlgebra.eigh(small)),
    TE.chain(({ values, vectors }) => calculate(() => ({ values, vectors: ops.matmul(q, vectors) }))),
  );
};

/**
 * The r largest eigenvalues of a symmetric positive semidefinite matrix with their eigenvectors, nearly; exactly, where
 * r and the oversampling reach the order of the matrix.
 *
 * @param backend - where to compute
 * @param m - M `[n, n]`
 * @param options - rank, oversampling, power iterations
 *
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { leadingEigen } from 'kfac-ts/solvers';
 *
 * const found = await leadingEigen(referenceBackend(), tensor([1, 0, 0, 9], [2, 2]), { rank: 1 })();
 * found._tag === 'Right' ? Array.from(found.right.values.data) : []; // => [9]
 * ```
 */
export const leadingEigen = <T extends Shaped>(
  backend: Backend<T>,
  m: T,
  options: RangeOptions,
): TE.TaskEither<KfacError, LeadingEigen<T>> => {
  const { rank, oversampling = 10, powerIterations = 1 } = options;
  const { ops } = backend;
  const [n] = m.shape;
  const columns = rank + oversampling;
  const found =
    columns >= n
      ? backend.linearAlgebra.eigh(m)
      : pipe(
          rangeOf(backend, m, columns, powerIterations),
          TE.chain((q) => projected(backend, m, q)),
        );
  return pipe(
    found,
    TE.chain(({ values, vectors }) =>
      calculate(() => {
        const [k] = values.shape;
        const r = Math.min(rank, k);
        return {
          values: ops.slice(values, [k - r], [r]),
          vectors: ops.slice(vectors, [0, k - r], [n, r]),
        };
      }),
    ),
  );
};
