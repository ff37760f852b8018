/**
 * MINRES [PS75] for symmetric operators, definite or not.
 *
 * Lanczos vectors are kept before preconditioning (r) and after (z = M r). The residual vector itself is carried along,
 * `r ← s² r − φ̄ c v` with v the next Lanczos vector, so that the stopping rule means the same as in the other solvers; with a
 * preconditioner the usual recurrence gives only its norm in M.
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
import { arraysIn, combine, computing, copyOf, readFinite, times, weightedSum, zerosLike } from './vectors.ts';

interface MinresState<T> extends Reached<T> {
  readonly ending: Ending | null;
  /** b − A x. */
  readonly r: Params<T>;
  /** The last two Lanczos vectors, not normalised, and M times the last. */
  readonly before: Params<T>;
  readonly lanczos: Params<T>;
  readonly z: Params<T>;
  /** The last two directions. */
  readonly w: Params<T>;
  readonly wBefore: Params<T>;
  /** √(rᵀ M r) of the last two Lanczos vectors. */
  readonly beta: number;
  readonly betaBefore: number;
  /** The QR factorisation of the tridiagonal matrix, as far as it is still needed. */
  readonly dBar: number;
  readonly epsilon: number;
  readonly phiBar: number;
  readonly c: number;
  readonly s: number;
  /** Size of the operator seen so far, to tell a zero pivot. */
  readonly size: number;
  /** ‖b − A x‖ / ‖b‖ where it began, or last began anew. */
  readonly begun: number;
}

const where = 'minres';

/** A pivot below this, relative to the operator's size, counts as zero. */
const singular = 1e-14;

/**
 * Solves A x = b with the smallest residual over the Krylov space.
 *
 * @param backend - where to compute
 * @param operator - A, symmetric
 * @param b - right-hand side
 * @param options - preconditioner (symmetric positive definite), start, stopping rules
 * @example
 * ```ts
 * import { blockDiagonal, diagonal, referenceBackend, tensor } from 'kfac-ts/core';
 * import { minres } from 'kfac-ts/solvers';
 *
 * // Symmetric, but neither positive nor negative definite.
 * const operator = blockDiagonal({ w: diagonal(tensor([2, -5], [2])) });
 * const found = await minres(referenceBackend(), operator, { w: tensor([2, 10], [2]) })();
 * found._tag === 'Right' ? Array.from(found.right.x.w.data, (x) => Math.round(1e9 * x) / 1e9) : []; // => [1, -2]
 * ```
 */
export const minres = <T extends Shaped>(
  backend: Backend<T>,
  operator: Applicable<T>,
  b: Params<T>,
  options: KrylovOptions<T> = {},
): TE.TaskEither<KfacError, Outcome<T>> => {
  const { tolerance, maxIterations, M } = settingsOf(options);

  /** The state at x with r = b − A x, before the first Lanczos vector. */
  const startAt = (
    on: Backend<T>,
    x: Params<T>,
    r: Params<T>,
    residual: number,
    iterations: number,
  ): TE.TaskEither<KfacError, MinresState<T>> =>
    pipe(
      computing(() => {
        const z = copyOf(on.ops, act(on.ops, M, r));
        return { z, scalar: innerProduct(on.ops, r, z) };
      }),
      TE.bind('values', ({ scalar }) => readFinite(on, where, [scalar])),
      TE.chain(({ z, values: [rz] }) =>
        computing((): MinresState<T> => {
          const beta = Math.sqrt(Math.max(0, rz));
          return {
            x,
            r,
            before: zerosLike(on.ops, b),
            lanczos: copyOf(on.ops, r),
            z,
            w: zerosLike(on.ops, b),
            wBefore: zerosLike(on.ops, b),
            beta,
            betaBefore: 0,
            dBar: 0,
            epsilon: 0,
            phiBar: beta,
            c: -1,
            s: 0,
            size: 0,
            begun: residual,
            residual,
            iterations,
            ending: residual <= tolerance ? 'Converged' : rz > 0 ? null : 'Breakdown',
          };
        }),
      ),
    );

  const begin = pipe(
    startOf(where, backend, operator, b, options.initial),
    TE.chain(({ x, r, normB, normR }) =>
      pipe(
        startAt(backend, x, r, relative(normR, normB), 0),
        TE.map((state) => ({ normB, state })),
      ),
    ),
  );

  const limited = (state: MinresState<T>): MinresState<T> =>
    state.ending === null && state.iterations >= maxIterations ? { ...state, ending: 'IterationLimit' } : state;

  /** Begins anew from x where the residual fell to the tolerance only by the recurrence. */
  const proven = (scoped: Backend<T>, normB: number, state: MinresState<T>): TE.TaskEither<KfacError, MinresState<T>> =>
    pipe(
      measured(where, scoped, operator, b, normB, state.x),
      TE.chain(({ r, residual }) => {
        const ending = verdict(residual, tolerance, state.begun);
        return ending === null
          ? startAt(scoped, state.x, r, residual, state.iterations)
          : TE.right({ ...state, r, residual, ending });
      }),
    );

  /** Solves the next column of the tridiagonal least-squares problem. */
  const rotate = (
    scoped: Backend<T>,
    normB: number,
    state: MinresState<T>,
    next: { readonly v: Params<T>; readonly lanczos: Params<T>; readonly z: Params<T> },
    alpha: number,
    beta: number,
  ): TE.TaskEither<KfacError, MinresState<T>> => {
    const { ops } = scoped;
    const delta = state.c * state.dBar + state.s * alpha;
    const gBar = state.s * state.dBar - state.c * alpha;
    const gamma = Math.hypot(gBar, beta);
    const size = Math.max(state.size, Math.abs(alpha), beta);
    if (gamma <= singular * size) return TE.right({ ...state, ending: 'Breakdown' });
    const [c, s] = [gBar / gamma, beta / gamma];
    const [phi, phiBar] = [c * state.phiBar, s * state.phiBar];
    return pipe(
      computing(() => {
        const w = weightedSum(
          ops,
          [1 / gamma, -state.epsilon / gamma, -delta / gamma],
          [next.v, state.wBefore, state.w],
        );
        const r =
          beta === 0 ? zerosLike(ops, state.r) : combine(ops, s * s, state.r, (-phiBar * c) / beta, next.lanczos);
        return { w, r, scalar: innerProduct(ops, r, r) };
      }),
      TE.bind('values', ({ scalar }) => readFinite(scoped, where, [scalar])),
      TE.chain(({ w, r, values: [rr] }) =>
        computing((): MinresState<T> => {
          const iterations = state.iterations + 1;
          const residual = relative(Math.sqrt(rr), normB);
          return {
            x: combine(ops, 1, state.x, phi, w),
            r,
            before: state.lanczos,
            lanczos: next.lanczos,
            z: next.z,
            w,
            wBefore: state.w,
            beta,
            betaBefore: state.beta,
            dBar: -state.c * beta,
            epsilon: state.s * beta,
            phiBar,
            c,
            s,
            size,
            begun: state.begun,
            residual,
            iterations,
            ending: null,
          };
        }),
      ),
      TE.chain((turned) => (turned.residual <= tolerance ? proven(scoped, normB, turned) : TE.right(turned))),
      TE.map(limited),
    );
  };

  const turn = (scoped: Backend<T>, normB: number, state: MinresState<T>): TE.TaskEither<KfacError, MinresState<T>> => {
    const { ops } = scoped;
    if (state.beta <= singular * state.size) return TE.right({ ...state, ending: 'Breakdown' });
    return pipe(
      computing(() => {
        const v = times(ops, 1 / state.beta, state.z);
        const image = act(ops, operator, v);
        const y = state.betaBefore === 0 ? image : combine(ops, 1, image, -state.beta / state.betaBefore, state.before);
        return { v, y, scalar: innerProduct(ops, v, y) };
      }),
      TE.bind('first', ({ scalar }) => readFinite(scoped, where, [scalar])),
      TE.bind('next', ({ y, first: [alpha] }) =>
        computing(() => {
          const lanczos = combine(ops, 1, y, -alpha / state.beta, state.lanczos);
          const z = copyOf(ops, act(ops, M, lanczos));
          return { lanczos, z, scalar: innerProduct(ops, lanczos, z) };
        }),
      ),
      TE.bind('second', ({ next }) => readFinite(scoped, where, [next.scalar])),
      TE.chain(({ v, next, first: [alpha], second: [square] }) =>
        rotate(scoped, normB, state, { v, ...next }, alpha, Math.sqrt(Math.max(0, square))),
      ),
    );
  };

  return pipe(
    begin,
    TE.chain(({ normB, state }) =>
      takeTurns<T, Ending, MinresState<T>>(
        backend,
        state,
        ({ x, r, before, lanczos, z, w, wBefore }) => arraysIn([x, r, before, lanczos, z, w, wBefore]),
        ({ x }) => arraysIn([x]),
        (scoped, current) => turn(scoped, normB, current),
      ),
    ),
    TE.map(({ ending, x, iterations, residual }) => ({ _tag: ending ?? 'IterationLimit', x, iterations, residual })),
  );
};
