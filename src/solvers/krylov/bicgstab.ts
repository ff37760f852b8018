/**
 * BiCGSTAB [V92] for general operators: two products for each iteration and no basis to hold.
 *
 * When the shadow residual has become orthogonal to the residual the method starts anew from where it is; when that
 * does not help either, it has broken down. It always does on a skew operator, where tᵀs = 0.
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
import type { Ending, Outcome, Reached } from './outcome.ts';
import type { KrylovOptions } from './problem.ts';
import { relative, settingsOf, startOf } from './problem.ts';
import { takeTurns } from './turns.ts';
import { arraysIn, combine, computing, copyOf, readFinite, weightedSum } from './vectors.ts';

interface BicgstabState<T> extends Reached<T> {
  readonly ending: Ending | null;
  readonly r: Params<T>;
  /** The shadow residual. */
  readonly shadow: Params<T>;
  readonly p: Params<T>;
  /** ⟨shadow, r⟩. */
  readonly rho: number;
  /** Whether it has just started from its residual. */
  readonly fresh: boolean;
  /** ‖b − A x‖ / ‖b‖ where it began, or last began anew from x. */
  readonly begun: number;
}

const where = 'bicgstab';

/** A product below this, relative to the norms of its factors, counts as zero. */
const orthogonal = 1e-14;

/**
 * Solves A x = b.
 *
 * @param backend - where to compute
 * @param operator - A
 * @param b - right-hand side
 * @param options - preconditioner (from the right), start, stopping rules
 * @example
 * ```ts
 * import { blockDiagonal, denseOperator, referenceBackend, tensor } from 'kfac-ts/core';
 * import { bicgstab } from 'kfac-ts/solvers';
 *
 * const operator = blockDiagonal({ w: denseOperator(tensor([2, 1, 0, 4], [2, 2])) });
 * const found = await bicgstab(referenceBackend(), operator, { w: tensor([4, 8], [2]) })();
 * found._tag === 'Right' ? Array.from(found.right.x.w.data, (x) => Math.round(1e9 * x) / 1e9) : []; // => [1, 2]
 * ```
 */
export const bicgstab = <T extends Shaped>(
  backend: Backend<T>,
  operator: Applicable<T>,
  b: Params<T>,
  options: KrylovOptions<T> = {},
): TE.TaskEither<KfacError, Outcome<T>> => {
  const { tolerance, maxIterations, M } = settingsOf(options);

  const begin = pipe(
    startOf(where, backend, operator, b, options.initial),
    TE.map(({ x, r, normB, normR }) => {
      const residual = relative(normR, normB);
      const state: BicgstabState<T> = {
        x,
        r,
        shadow: copyOf(backend.ops, r),
        p: copyOf(backend.ops, r),
        rho: normR * normR,
        fresh: true,
        begun: residual,
        residual,
        iterations: 0,
        ending: residual <= tolerance ? 'Converged' : null,
      };
      return { normB, state };
    }),
  );

  /** Starts anew with the residual as its own shadow. */
  const renew = (
    scoped: Backend<T>,
    normB: number,
    state: BicgstabState<T>,
  ): TE.TaskEither<KfacError, BicgstabState<T>> =>
    state.fresh
      ? TE.right({ ...state, ending: 'Breakdown' })
      : computing(() => ({
          ...state,
          shadow: copyOf(scoped.ops, state.r),
          p: copyOf(scoped.ops, state.r),
          rho: (state.residual * normB) ** 2,
          fresh: true,
        }));

  /** Begins anew from x where the residual fell to the tolerance only by the recurrence. */
  const proven = (
    scoped: Backend<T>,
    normB: number,
    state: BicgstabState<T>,
  ): TE.TaskEither<KfacError, BicgstabState<T>> =>
    pipe(
      measured(where, scoped, operator, b, normB, state.x),
      TE.chain(({ r, normR, residual }) => {
        const ending = verdict(residual, tolerance, state.begun);
        if (ending !== null) return TE.right({ ...state, r, residual, ending });
        return computing((): BicgstabState<T> => ({
          ...state,
          r,
          shadow: copyOf(scoped.ops, r),
          p: copyOf(scoped.ops, r),
          rho: normR * normR,
          fresh: true,
          begun: residual,
          residual,
          ending: state.iterations >= maxIterations ? 'IterationLimit' : null,
        }));
      }),
    );

  /** The second half: a step along s that minimises the residual. */
  const stabilise = (
    scoped: Backend<T>,
    normB: number,
    state: BicgstabState<T>,
    half: { readonly pHat: Params<T>; readonly v: Params<T> },
    alpha: number,
  ): TE.TaskEither<KfacError, BicgstabState<T>> => {
    const { ops } = scoped;
    return pipe(
      computing(() => {
        const s = combine(ops, 1, state.r, -alpha, half.v);
        const sHat = act(ops, M, s);
        const t = act(ops, operator, sHat);
        return { s, sHat, t, scalars: [innerProduct(ops, t, s), innerProduct(ops, t, t), innerProduct(ops, s, s)] };
      }),
      TE.bind('values', ({ scalars }) => readFinite(scoped, where, scalars)),
      TE.chain(({ s, sHat, t, values: [ts, tt, ss] }) => {
        const omega = tt > 0 && Math.abs(ts) > orthogonal * Math.sqrt(tt * ss) ? ts / tt : 0;
        return pipe(
          computing(() => {
            const r = combine(ops, 1, s, -omega, t);
            return { r, scalars: [innerProduct(ops, state.shadow, r), innerProduct(ops, r, r)] };
          }),
          TE.bind('values', ({ scalars }) => readFinite(scoped, where, scalars)),
          TE.chain(({ r, values: [rho, rr] }) =>
            computing((): BicgstabState<T> => {
              const iterations = state.iterations + 1;
              const residual = relative(Math.sqrt(rr), normB);
              const beta = omega === 0 ? 0 : (rho / state.rho) * (alpha / omega);
              const limit = iterations >= maxIterations ? 'IterationLimit' : omega === 0 ? 'Breakdown' : null;
              return {
                x: weightedSum(ops, [1, alpha, omega], [state.x, half.pHat, sHat]),
                r,
                shadow: state.shadow,
                p: weightedSum(ops, [1, beta, -beta * omega], [r, state.p, half.v]),
                rho,
                fresh: false,
                begun: state.begun,
                residual,
                iterations,
                ending: residual <= tolerance ? null : limit,
              };
            }),
          ),
          TE.chain((next) => (next.residual <= tolerance ? proven(scoped, normB, next) : TE.right(next))),
        );
      }),
    );
  };

  const turn = (
    scoped: Backend<T>,
    normB: number,
    state: BicgstabState<T>,
  ): TE.TaskEither<KfacError, BicgstabState<T>> => {
    const { ops } = scoped;
    return pipe(
      computing(() => {
        const pHat = act(ops, M, state.p);
        const v = act(ops, operator, pHat);
        const { shadow } = state;
        return {
          half: { pHat, v },
          scalars: [innerProduct(ops, shadow, v), innerProduct(ops, v, v), innerProduct(ops, shadow, shadow)],
        };
      }),
      TE.bind('values', ({ scalars }) => readFinite(scoped, where, scalars)),
      TE.chain(({ half, values: [sv, vv, shadowSquare] }) => {
        const normR = state.residual * normB;
        const lost =
          Math.abs(sv) <= orthogonal * Math.sqrt(vv * shadowSquare) ||
          Math.abs(state.rho) <= orthogonal * normR * Math.sqrt(shadowSquare);
        return lost ? renew(scoped, normB, state) : stabilise(scoped, normB, state, half, state.rho / sv);
      }),
    );
  };

  return pipe(
    begin,
    TE.chain(({ normB, state }) =>
      takeTurns<T, Ending, BicgstabState<T>>(
        backend,
        state,
        ({ x, r, shadow, p }) => arraysIn([x, r, shadow, p]),
        ({ x }) => arraysIn([x]),
        (scoped, current) => turn(scoped, normB, current),
      ),
    ),
    TE.map(({ ending, x, iterations, residual }) => ({ _tag: ending ?? 'IterationLimit', x, iterations, residual })),
  );
};
