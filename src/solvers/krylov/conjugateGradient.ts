/**
 * Preconditioned conjugate gradients [HS52] for symmetric positive definite operators.
 *
 * The model φ(x) = ½ xᵀAx − bᵀx is carried along by its decrements ½ α rᵀz, which cost nothing and are all positive,
 * rather than computed from x, where it would lose its last digits.
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
import { act } from '../../core/operators/action.ts';
import { measured, verdict } from './claim.ts';
import type { MartensRule } from './martens.ts';
import { hasStalled } from './martens.ts';
import type { Ending, Outcome, Reached } from './outcome.ts';
import type { KrylovOptions } from './problem.ts';
import { relative, settingsOf, startOf } from './problem.ts';
import { takeTurns } from './turns.ts';
import { arraysIn, combine, computing, copyOf, readFinite } from './vectors.ts';

/** Settings of {@link conjugateGradient}. The preconditioner must be symmetric positive definite. */
export interface CgOptions<T extends Shaped> extends KrylovOptions<T> {
  /** Also stop by Martens' rule; not unless given. */
  readonly martens?: MartensRule;
}

/** `Martens`: the model hardly fell any more. */
export type CgEnding = Ending | 'Martens';

/** How it ended. `Breakdown` means a direction along which A, or the preconditioner, is not positive. */
export type CgOutcome<T> = Outcome<T, CgEnding>;

interface CgState<T> extends Reached<T> {
  readonly ending: CgEnding | null;
  readonly r: Params<T>;
  readonly p: Params<T>;
  /** rᵀ M r. */
  readonly rz: number;
  /** φ after each iteration. */
  readonly phis: ReadonlyArray<number>;
  /** ‖b − A x‖ / ‖b‖ where it began, or last began anew. */
  readonly begun: number;
}

const where = 'conjugateGradient';

/**
 * Solves A x = b.
 *
 * @param backend - where to compute
 * @param operator - A, symmetric positive definite
 * @param b - right-hand side
 * @param options - preconditioner, start, stopping rules
 * @returns where the iteration came to, with `x` in the shapes of `b`
 * @example
 * ```ts
 * import { blockDiagonal, diagonal, referenceBackend, tensor } from 'kfac-ts/core';
 * import { conjugateGradient } from 'kfac-ts/solvers';
 *
 * const operator = blockDiagonal({ w: diagonal(tensor([2, 5], [2])) });
 * const found = await conjugateGradient(referenceBackend(), operator, { w: tensor([2, 10], [2]) })();
 * found._tag === 'Right' ? [found.right._tag, found.right.iterations] : []; // => ['Converged', 2]
 * ```
 */
export const conjugateGradient = <T extends Shaped>(
  backend: Backend<T>,
  operator: Applicable<T>,
  b: Params<T>,
  options: CgOptions<T> = {},
): TE.TaskEither<KfacError, CgOutcome<T>> => {
  const { tolerance, maxIterations, M } = settingsOf(options);
  const { martens } = options;

  const endingOf = (iterations: number, rz: number, phis: CgState<T>['phis']): CgEnding | null => {
    if (!(rz > 0)) return 'Breakdown';
    if (martens !== undefined && hasStalled(phis, martens)) return 'Martens';
    return iterations >= maxIterations ? 'IterationLimit' : null;
  };

  const begin = pipe(
    startOf(where, backend, operator, b, options.initial),
    TE.bind('p', ({ r }) => computing(() => copyOf(backend.ops, act(backend.ops, M, r)))),
    TE.bind('scalars', ({ x, r, p }) =>
      readFinite(backend, where, [
        innerProduct(backend.ops, r, p),
        innerProduct(backend.ops, x, b),
        innerProduct(backend.ops, x, r),
      ]),
    ),
    TE.map(({ x, r, p, normB, normR, scalars }) => {
      const [rz, xb, xr] = scalars;
      const phis = [-0.5 * (xb + xr)];
      const residual = relative(normR, normB);
      const ending = residual <= tolerance ? 'Converged' : endingOf(0, rz, phis);
      const state: CgState<T> = { x, r, p, rz, phis, residual, begun: residual, iterations: 0, ending };
      return { normB, state };
    }),
  );

  /** Begins anew from x where the residual fell to the tolerance only by the recurrence. */
  const proven = (scoped: Backend<T>, normB: number, state: CgState<T>): TE.TaskEither<KfacError, CgState<T>> => {
    const { ops } = scoped;
    return pipe(
      measured(where, scoped, operator, b, normB, state.x),
      TE.chain(({ r, residual }) => {
        const ending = verdict(residual, tolerance, state.begun);
        if (ending !== null) return TE.right({ ...state, r, residual, ending });
        return pipe(
          computing(() => {
            const p = copyOf(ops, act(ops, M, r));
            return { p, scalar: innerProduct(ops, r, p) };
          }),
          TE.bind('values', ({ scalar }) => readFinite(scoped, where, [scalar])),
          TE.map(({ p, values: [rz] }): CgState<T> => {
            const { iterations, phis } = state;
            return { ...state, r, p, rz, residual, begun: residual, ending: endingOf(iterations, rz, phis) };
          }),
        );
      }),
    );
  };

  const turn = (scoped: Backend<T>, normB: number, state: CgState<T>): TE.TaskEither<KfacError, CgState<T>> => {
    const { ops } = scoped;
    const advance = (image: Params<T>, curvature: number): TE.TaskEither<KfacError, CgState<T>> => {
      const alpha = state.rz / curvature;
      return pipe(
        computing(() => {
          const r = combine(ops, 1, state.r, -alpha, image);
          const z = act(ops, M, r);
          return { r, z, scalars: [innerProduct(ops, r, z), innerProduct(ops, r, r)] };
        }),
        TE.bind('values', ({ scalars }) => readFinite(scoped, where, scalars)),
        TE.chain(({ r, z, values: [rz, rr] }) =>
          computing(() => {
            const iterations = state.iterations + 1;
            const phis = [...state.phis, state.phis[state.phis.length - 1] - 0.5 * alpha * state.rz];
            const residual = relative(Math.sqrt(rr), normB);
            return {
              x: combine(ops, 1, state.x, alpha, state.p),
              r,
              p: combine(ops, 1, z, rz / state.rz, state.p),
              rz,
              phis,
              residual,
              begun: state.begun,
              iterations,
              ending: residual <= tolerance ? null : endingOf(iterations, rz, phis),
            };
          }),
        ),
        TE.chain((next) => (next.residual <= tolerance ? proven(scoped, normB, next) : TE.right(next))),
      );
    };
    return pipe(
      computing(() => {
        const image = act(ops, operator, state.p);
        return { image, scalar: innerProduct(ops, state.p, image) };
      }),
      TE.bind('values', ({ scalar }) => readFinite(scoped, where, [scalar])),
      TE.chain(({ image, values: [curvature] }) =>
        curvature > 0 ? advance(image, curvature) : TE.right({ ...state, ending: 'Breakdown' }),
      ),
    );
  };

  return pipe(
    begin,
    TE.chain(({ normB, state }) =>
      takeTurns<T, CgEnding, CgState<T>>(
        backend,
        state,
        ({ x, r, p }) => arraysIn([x, r, p]),
        ({ x }) => arraysIn([x]),
        (scoped, current) => turn(scoped, normB, current),
      ),
    ),
    TE.map(({ ending, x, iterations, residual }) => ({ _tag: ending ?? 'IterationLimit', x, iterations, residual })),
  );
};
