/**
 * Inverses by products only, X ← X (2 I − M X) [S33], for devices without factorisations.
 *
 * The start is I / ‖M‖₁. The usual X₀ = Mᵀ / (‖M‖₁ ‖M‖_∞) converges for every nonsingular M, so it would not notice a
 * factor that is not positive definite, and on a symmetric M it takes twice the iterations: its residual I − M X₀ has
 * eigenvalues 1 − (μ / ‖M‖)², this one 1 − μ / ‖M‖, which is below 1 exactly where μ is positive. With a last inverse X
 * for which ‖I − M X‖_F is below 1, the iteration starts from there and takes few turns.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import { dense } from '../../core/operators/factors/factor.ts';
import type { Ops } from '../../core/ops/ops.ts';
import { iterate } from '../../core/iterate.ts';
import { readScalars } from '../../core/pipeline/read.ts';
import type { Shaped } from '../../core/tensor.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import { preparingFactors } from './factors/factorInverse.ts';
import type { Preconditioner } from '../solver/inverse.ts';

/** Settings of the iteration. */
export interface NewtonSchulzOptions {
  /** The iteration ends when ‖I − M X‖_F is at most this; 1e-6 unless given. */
  readonly tolerance?: number;
  /** Most iterations for one factor, 40 unless given. What is reached by then is used, and its residual reported. */
  readonly iterations?: number;
}

/** How an inverse came about. */
export interface NewtonSchulzReport {
  /** ‖I − M X‖_F. */
  readonly residual: number;
  readonly iterations: number;
}

/** X near M⁻¹, and how it came about. */
export interface NewtonSchulzInverse<T> {
  readonly inverse: T;
  readonly report: NewtonSchulzReport;
}

interface Turn<T> {
  readonly X: T;
  /** I − M X. */
  readonly R: T;
  readonly residual: number;
  readonly count: number;
}

/** ‖M‖₁, the largest sum of magnitudes in a column: shape `[]`. */
const norm1 = <T extends Shaped>(ops: Ops<T>, m: T): T => ops.max(ops.sum(ops.abs(m), [0]), [0]);

/** A turn's X with its residual. */
const measured = <T extends Shaped>(
  backend: Backend<T>,
  m: T,
  count: number,
  next: () => T,
): TE.TaskEither<KfacError, Turn<T>> => {
  const { ops } = backend;
  return pipe(
    calculate(() => {
      const X = next();
      const R = ops.addDiagonal(ops.neg(ops.matmul(m, X)), 1);
      return { X, R, square: ops.dot(R, R) };
    }),
    TE.chain(({ X, R, square }) =>
      pipe(
        readScalars(backend, [square]),
        TE.map(([s]) => ({ X, R, residual: Math.sqrt(s), count })),
      ),
    ),
  );
};

/** The last inverse where it is close enough for the iteration to converge from it, else the multiple of I. */
const started = <T extends Shaped>(
  backend: Backend<T>,
  m: T,
  previous: T | null,
): TE.TaskEither<KfacError, Turn<T>> => {
  const { ops } = backend;
  const [n] = m.shape;
  const cold = measured(backend, m, 0, () => ops.div(ops.addDiagonal(ops.full([n, n], 0), 1), norm1(ops, m)));
  if (previous?.shape[0] !== n) return cold;
  return pipe(
    measured(backend, m, 0, () => previous),
    TE.chain((warm) => (warm.residual < 1 ? TE.right(warm) : cold)),
  );
};

const notPositiveDefinite = (order: number): KfacError => ({
  _tag: 'NotPositiveDefinite',
  where: 'newtonSchulz',
  order,
});

/**
 * M⁻¹ of a symmetric positive definite M by Newton–Schulz iteration. The residual squares in every turn; where rounding
 * keeps it from falling further the iteration ends too. Fails with `NotPositiveDefinite` when it grows.
 *
 * @param backend - where to compute
 * @param m - M `[n, n]`
 * @param previous - an inverse of something close to M, or `null`
 * @param options - tolerance, most iterations
 * @returns the inverse, exactly symmetric, with residual and number of iterations
 */
export const newtonSchulzInverse = <T extends Shaped>(
  backend: Backend<T>,
  m: T,
  previous: T | null,
  options: NewtonSchulzOptions = {},
): TE.TaskEither<KfacError, NewtonSchulzInverse<T>> => {
  const { tolerance = 1e-6, iterations = 40 } = options;
  const { ops } = backend;
  // The n eigenvalues of the residual of a positive definite M lie in [0, 1).
  const bound = Math.sqrt(m.shape[0]);
  const finished = (before: number, { residual, count }: Turn<T>): boolean =>
    residual <= tolerance || count >= iterations || (before < 0.5 && residual > before / 2);
  return pipe(
    started(backend, m, previous),
    TE.chain((start) =>
      iterate<KfacError, Turn<T>, Turn<T>>(start, (turn) => {
        if (!(turn.residual <= bound)) return TE.left(notPositiveDefinite(m.shape[0]));
        if (finished(Infinity, turn)) return TE.right(E.right(turn));
        return pipe(
          measured(backend, m, turn.count + 1, () => ops.add(turn.X, ops.matmul(turn.X, turn.R))),
          TE.map((next) => (finished(turn.residual, next) && next.residual <= bound ? E.right(next) : E.left(next))),
        );
      }),
    ),
    TE.chain(({ X, residual, count }) =>
      calculate(() => ({
        inverse: ops.linearCombination(0.5, X, 0.5, ops.transposed(X)),
        report: { residual, iterations: count },
      })),
    ),
  );
};

/** The worst of all factors. */
const summary = (reports: ReadonlyArray<NewtonSchulzReport>): Readonly<Record<string, number>> =>
  reports.length === 0
    ? {}
    : {
        inverseResidual: Math.max(...reports.map(({ residual }) => residual)),
        inverseIterations: Math.max(...reports.map(({ iterations }) => iterations)),
      };

/**
 * K-FAC's inverse by products only. Reports the largest residual and number of iterations over all factors.
 *
 * @param options - tolerance, most iterations
 *
 * @example
 * ```ts
 * import { newtonSchulz, preconditioned } from 'kfac-ts/solvers';
 *
 * // Each inverse starts from the last, so it may be renewed often.
 * const solver = preconditioned(newtonSchulz({ tolerance: 1e-3 }), { every: 2 });
 * ```
 */
export const newtonSchulz = (options: NewtonSchulzOptions = {}): Preconditioner => ({
  name: 'newtonSchulz',
  prepare: preparingFactors(
    'newtonSchulz',
    (backend, m, before) =>
      pipe(
        newtonSchulzInverse(backend, m, before?._tag === 'dense' ? before.matrix : null, options),
        TE.map(({ inverse, report }) => ({ inverse: dense(inverse), report })),
      ),
    summary,
  ),
});
