/**
 * Restarted GMRES [SS86] for general operators.
 *
 * Preconditioned from the right, A M u = b with x = M u, so that the residual is that of the problem itself. The
 * orthogonalisation is modified Gram–Schmidt with its coefficients left on the device: one read for each iteration.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
import type { Shaped } from '../../core/tensor.ts';
import { innerProduct } from '../../core/ops/innerProduct.ts';
import type { Applicable } from '../../core/operators/action.ts';
import { act } from '../../core/operators/action.ts';
import { measured, verdict } from './claim.ts';
import type { LeastSquares } from './givens.ts';
import { emptyLeastSquares, solutionOf, withColumn } from './givens.ts';
import type { Ending, Outcome, Reached } from './outcome.ts';
import type { KrylovOptions } from './problem.ts';
import { relative, settingsOf, startOf } from './problem.ts';
import { takeTurns } from './turns.ts';
import { arraysIn, combine, computing, readFinite, times, weightedSum } from './vectors.ts';

/** Settings of {@link gmres}. */
export interface GmresOptions<T extends Shaped> extends KrylovOptions<T> {
  /** Iterations between two restarts, which is also how many vectors are held; 30 unless given. */
  readonly restart?: number;
}

interface GmresState<T> extends Reached<T> {
  readonly ending: Ending | null;
  /** Orthonormal basis of the Krylov space since the last restart. */
  readonly basis: ReadonlyArray<Params<T>>;
  readonly problem: LeastSquares;
  /** ‖b − A x‖ / ‖b‖ at the last restart. */
  readonly begun: number;
}

const where = 'gmres';

/** A new direction below this, relative to A v before orthogonalisation, counts as none. */
const exhausted = 1e-14;

/** A v made orthogonal to the basis, with the coefficients and the square of what is left. */
const orthogonalised = <T extends Shaped>(
  ops: Ops<T>,
  basis: ReadonlyArray<Params<T>>,
  image: Params<T>,
): { readonly w: Params<T>; readonly scalars: ReadonlyArray<T> } => {
  const start: { readonly w: Params<T>; readonly h: ReadonlyArray<T> } = { w: image, h: [] };
  const { w, h } = basis.reduce((before, v) => {
    const coefficient = innerProduct(ops, before.w, v);
    const left = mapParams(before.w, (leaf, name) => ops.sub(leaf, ops.mul(coefficient, v[name])));
    return { w: left, h: [...before.h, coefficient] };
  }, start);
  return { w, scalars: [...h, innerProduct(ops, w, w)] };
};

/**
 * Solves A x = b with the smallest residual over the Krylov space since the last restart.
 *
 * `Breakdown` means that the space is exhausted short of the tolerance: the operator is singular.
 *
 * @param backend - where to compute
 * @param operator - A
 * @param b - right-hand side
 * @param options - preconditioner, start, stopping rules, restart length
 * @example
 * ```ts
 * import { blockDiagonal, denseOperator, referenceBackend, tensor } from 'kfac-ts/core';
 * import { gmres } from 'kfac-ts/solvers';
 *
 * const operator = blockDiagonal({ w: denseOperator(tensor([2, 1, 0, 4], [2, 2])) });
 * const found = await gmres(referenceBackend(), operator, { w: tensor([4, 8], [2]) }, { restart: 10 })();
 * found._tag === 'Right' ? Array.from(found.right.x.w.data, (x) => Math.round(1e9 * x) / 1e9) : []; // => [1, 2]
 * ```
 */
export const gmres = <T extends Shaped>(
  backend: Backend<T>,
  operator: Applicable<T>,
  b: Params<T>,
  options: GmresOptions<T> = {},
): TE.TaskEither<KfacError, Outcome<T>> => {
  const { tolerance, maxIterations, M } = settingsOf(options);
  const { restart = 30 } = options;

  const begin = pipe(
    startOf(where, backend, operator, b, options.initial),
    TE.map(({ x, r, normB, normR }) => {
      const residual = relative(normR, normB);
      const state: GmresState<T> = {
        x,
        basis: residual <= tolerance ? [] : [times(backend.ops, 1 / normR, r)],
        problem: emptyLeastSquares(normR),
        begun: residual,
        residual,
        iterations: 0,
        ending: residual <= tolerance ? 'Converged' : null,
      };
      return { normB, state };
    }),
  );

  /** Adds the solution of the small problem to x, and begins again from there. */
  const renew = (
    scoped: Backend<T>,
    normB: number,
    state: GmresState<T>,
    exhaustedSpace: boolean,
  ): TE.TaskEither<KfacError, GmresState<T>> => {
    const { ops } = scoped;
    return pipe(
      computing(() => {
        const used = state.basis.slice(0, state.problem.columns.length);
        const step = act(ops, M, weightedSum(ops, solutionOf(state.problem), used));
        return { x: combine(ops, 1, state.x, 1, step) };
      }),
      TE.bind('now', ({ x }) => measured(where, scoped, operator, b, normB, x)),
      TE.chain(({ x, now: { r, normR, residual } }) =>
        computing((): GmresState<T> => {
          const claims = state.residual <= tolerance || residual <= tolerance;
          const limit = state.iterations >= maxIterations ? 'IterationLimit' : null;
          const claimed = claims ? verdict(residual, tolerance, state.begun) : null;
          const ending = claimed ?? (exhaustedSpace ? 'Breakdown' : limit);
          return {
            x,
            basis: ending === null ? [times(ops, 1 / normR, r)] : [],
            problem: emptyLeastSquares(normR),
            begun: residual,
            residual,
            iterations: state.iterations,
            ending,
          };
        }),
      ),
    );
  };

  const turn = (scoped: Backend<T>, normB: number, state: GmresState<T>): TE.TaskEither<KfacError, GmresState<T>> => {
    const { ops } = scoped;
    return pipe(
      computing(() =>
        orthogonalised(ops, state.basis, act(ops, operator, act(ops, M, state.basis[state.basis.length - 1]))),
      ),
      TE.bind('values', ({ scalars }) => readFinite(scoped, where, scalars)),
      TE.chain(({ w, values }) => {
        const h = Array.from(values);
        const norm = Math.sqrt(h[h.length - 1]);
        const column = [...h.slice(0, -1), norm];
        const problem = withColumn(state.problem, column);
        const iterations = state.iterations + 1;
        const estimate = relative(Math.abs(problem.g[problem.columns.length]), normB);
        const spent = norm <= exhausted * Math.hypot(...column);
        const grown = { ...state, problem, iterations, residual: estimate };
        return spent || estimate <= tolerance || problem.columns.length >= restart || iterations >= maxIterations
          ? renew(scoped, normB, grown, spent)
          : computing(() => ({ ...grown, basis: [...state.basis, times(ops, 1 / norm, w)] }));
      }),
    );
  };

  return pipe(
    begin,
    TE.chain(({ normB, state }) =>
      takeTurns<T, Ending, GmresState<T>>(
        backend,
        state,
        ({ x, basis }) => arraysIn([x, ...basis]),
        ({ x }) => arraysIn([x]),
        (scoped, current) => turn(scoped, normB, current),
      ),
    ),
    TE.map(({ ending, x, iterations, residual }) => ({ _tag: ending ?? 'IterationLimit', x, iterations, residual })),
  );
};
