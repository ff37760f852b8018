/**
 * Hermitian and skew-Hermitian splitting [BGN03] for A = S + K with S positive definite:
 * (αI + S) x′ = (αI − K) x + b, then (αI + K) x = (αI − S) x′ + b.
 *
 * Differs from the paper in form: both halves are written as corrections, x′ = x + (αI + S)⁻¹ (b − A x) and the like. That
 * is the same with exact inner solves, and with inexact ones, or with a curvature that merely stands for S, the iteration
 * still has the solution of A x = b as its only fixed point.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { Params } from '../../core/params.ts';
import type { Shaped } from '../../core/tensor.ts';
import { innerProduct } from '../../core/ops/innerProduct.ts';
import type { Applicable } from '../../core/operators/action.ts';
import { act, shifted } from '../../core/operators/action.ts';
import { conjugateGradient } from './conjugateGradient.ts';
import { gmres } from './gmres.ts';
import type { Ending, Outcome, Reached } from './outcome.ts';
import type { Start } from './problem.ts';
import { relative, startOf } from './problem.ts';
import type { Splitting } from './splitting.ts';
import { takeTurns } from './turns.ts';
import { arraysIn, combine, computing, readFinite } from './vectors.ts';

/** Settings of {@link hss}. */
export interface HssOptions<T extends Shaped> {
  /** α, greater than 0. The bound on the rate is least at √(λ_min λ_max) of S. */
  readonly alpha: number;
  /** Stands for (αI + S)⁻¹, for example an inverse of damped K-FAC factors; conjugate gradients unless given. */
  readonly symmetricSolve?: Applicable<T>;
  /** Stands for (αI + K)⁻¹; GMRES unless given. */
  readonly skewSolve?: Applicable<T>;
  /** Approximates (αI + S)⁻¹ in the conjugate gradients; none unless given. */
  readonly preconditioner?: Applicable<T>;
  /**
   * Relative residual of the inner solves; unless given 1e-3, or half the digits of `tolerance` where those are fewer: halves are
   * corrections, so what one leaves is taken up by the next.
   */
  readonly innerTolerance?: number;
  /** Where to start; 0 unless given. */
  readonly initial?: Params<T>;
  /** Stop when ‖b − A x‖ ≤ tolerance · ‖b‖; 1e-10 unless given. */
  readonly tolerance?: number;
  /** Stop after this many iterations of two halves; 1000 unless given. */
  readonly maxIterations?: number;
}

type Solution<T> = Pick<Start<T>, 'x' | 'r'>;

interface HssState<T> extends Reached<T>, Solution<T> {
  readonly ending: Ending | null;
  /** Where the residual was least. */
  readonly best: Pick<Reached<T>, 'x' | 'residual'>;
}

/** What it comes to. */
const reached = <T>({ ending, x, residual, iterations, best }: HssState<T>): Outcome<T> => ({
  _tag: ending ?? 'IterationLimit',
  iterations,
  ...(ending === 'Breakdown' ? best : { x, residual }),
});

/** A residual that is so many times what it was at first is that of an iteration that leads away, which S lets it if it is not definite. */
const astray = 1000;

const where = 'hss';

/** A correction, and whether the half could make it whole. */
interface Corrected<T> {
  readonly d: Params<T>;
  readonly isWhole: boolean;
}

/** One half: a way to solve (αI + part) d = r for a correction. */
type Half<T extends Shaped> = (backend: Backend<T>, r: Params<T>) => TE.TaskEither<KfacError, Corrected<T>>;

const direct =
  <T extends Shaped>(inverse: Applicable<T>): Half<T> =>
  (backend, r) =>
    computing(() => ({ d: act(backend.ops, inverse, r), isWhole: true }));

const halvesOf = <T extends Shaped>(
  splitting: Splitting<T>,
  options: HssOptions<T>,
): { readonly symmetric: Half<T>; readonly skew: Half<T> } => {
  const { alpha, symmetricSolve, skewSolve, preconditioner } = options;
  const { innerTolerance: tolerance = Math.max(1e-3, Math.sqrt(options.tolerance ?? 0)) } = options;
  const inner = { tolerance, ...(preconditioner === undefined ? {} : { preconditioner }) };
  const byCg: Half<T> = (backend, r) =>
    pipe(
      conjugateGradient(backend, shifted(splitting.symmetric, alpha), r, inner),
      TE.map(({ x, _tag }) => ({ d: x, isWhole: _tag !== 'Breakdown' })),
    );
  const byGmres: Half<T> = (backend, r) =>
    pipe(
      gmres(backend, shifted(splitting.skew, alpha), r, { tolerance }),
      TE.map(({ x }) => ({ d: x, isWhole: true })),
    );
  return {
    symmetric: symmetricSolve === undefined ? byCg : direct(symmetricSolve),
    skew: skewSolve === undefined ? byGmres : direct(skewSolve),
  };
};

/**
 * Solves A x = b by alternating between the parts of A. With exact inner solves it converges for every α \> 0 when S is
 * positive definite, at a rate of at most max |α − λ| / (α + λ) over the eigenvalues λ of S. Where conjugate gradients meet a
 * direction in which αI + S is not positive, or the residual grows to a thousand times what it was, S is not definite and it ends as
 * `Breakdown`, with the x whose residual was least.
 *
 * @param backend - where to compute
 * @param splitting - A with S and K
 * @param b - right-hand side
 * @param options - α, inner solves, start, stopping rules
 * @example
 * ```ts
 * import { blockDiagonal, denseOperator, referenceBackend, tensor } from 'kfac-ts/core';
 * import { hss, splittingOfOperator } from 'kfac-ts/solvers';
 *
 * // The symmetric part is I, so α = 1 needs one iteration.
 * const operator = blockDiagonal({ w: denseOperator(tensor([1, 1, -1, 1], [2, 2])) });
 * const options = { alpha: 1, innerTolerance: 1e-12 };
 * const found = await hss(referenceBackend(), splittingOfOperator(operator), { w: tensor([2, 0], [2]) }, options)();
 * found._tag === 'Right' ? found.right.iterations : null; // => 1
 * ```
 */
export const hss = <T extends Shaped>(
  backend: Backend<T>,
  splitting: Splitting<T>,
  b: Params<T>,
  options: HssOptions<T>,
): TE.TaskEither<KfacError, Outcome<T>> => {
  const { tolerance = 1e-10, maxIterations = 1000 } = options;
  const halves = halvesOf(splitting, options);

  /** x plus the correction of one half, with the new residual. */
  const correct = (
    scoped: Backend<T>,
    half: Half<T>,
    at: Solution<T>,
  ): TE.TaskEither<KfacError, Solution<T> & Pick<Corrected<T>, 'isWhole'>> =>
    pipe(
      half(scoped, at.r),
      TE.chain(({ d, isWhole }) =>
        computing(() => {
          const x = combine(scoped.ops, 1, at.x, 1, d);
          return { x, r: combine(scoped.ops, 1, b, -1, act(scoped.ops, splitting.whole, x)), isWhole };
        }),
      ),
    );

  const turn = (
    scoped: Backend<T>,
    { normB, most }: { readonly normB: number; readonly most: number },
    state: HssState<T>,
  ): TE.TaskEither<KfacError, HssState<T>> =>
    pipe(
      correct(scoped, halves.symmetric, state),
      TE.chain((middle) => (middle.isWhole ? correct(scoped, halves.skew, middle) : TE.right(middle))),
      TE.bind('square', ({ r }) => computing(() => innerProduct(scoped.ops, r, r))),
      TE.bind('values', ({ square }) => readFinite(scoped, where, [square])),
      TE.map(({ x, r, isWhole, values: [rr] }) => {
        const iterations = state.iterations + 1;
        const residual = relative(Math.sqrt(rr), normB);
        const limit = iterations >= maxIterations ? 'IterationLimit' : null;
        const early = isWhole && residual <= most ? limit : 'Breakdown';
        const best = residual < state.best.residual ? { x, residual } : state.best;
        return { x, r, residual, iterations, best, ending: residual <= tolerance ? 'Converged' : early };
      }),
    );

  return pipe(
    startOf(where, backend, splitting.whole, b, options.initial),
    TE.chain(({ x, r, normB, normR }) => {
      const residual = relative(normR, normB);
      return takeTurns<T, Ending, HssState<T>>(
        backend,
        { x, r, residual, iterations: 0, best: { x, residual }, ending: residual <= tolerance ? 'Converged' : null },
        (state) => arraysIn([state.x, state.r, state.best.x]),
        (state) => arraysIn([reached(state).x]),
        (scoped, current) => turn(scoped, { normB, most: astray * residual }, current),
      );
    }),
    TE.map(reached),
  );
};
