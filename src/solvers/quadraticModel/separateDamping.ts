/**
 * A damping γ² of the solver's own, apart from the λ of the quadratic model [MG15 §6.6].
 *
 * λ says how far the quadratic model of the loss can be trusted, γ how far the approximation of the curvature can: with λ
 * near 0 an inverse of Kronecker factors still wants some. Every T₂ steps the solver runs with γ, ω₂ γ and γ / ω₂, and the
 * one whose step has the least M(δ) stays, so such a step prepares three times.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';
import * as Task from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { Ops } from '../../core/ops/ops.ts';
import { compute } from '../../core/pipeline/compute.ts';
import type { Context } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import { readScalars } from '../../core/pipeline/read.ts';
import type { Shaped } from '../../core/tensor.ts';
import { unsupported } from '../solver/unsupported.ts';
import { lastUpdateIn, modelCoefficients } from './coefficients.ts';
import { minimiseModel, modelChange, quadraticModelOf } from './quadraticModel.ts';
import type { Solved, Solver, SolveNeeds } from '../solver/solver.ts';

/** Settings of {@link separateDamping}. */
export interface SeparateDampingOptions {
  /** T₂, steps between two choices of γ; 20 unless given. */
  readonly every?: number;
  /** ω₂^(1/T₂), in (0, 1); √(19/20) unless given. */
  readonly decay?: number;
  /** γ does not fall below this; 1e-4 unless given. */
  readonly minimum?: number;
  /** γ does not rise above this; 1e4 unless given. */
  readonly maximum?: number;
}

/** The fields that a solver with a damping of its own may need. */
export type SeparateNeeds = SolveNeeds | 'objective' | 'captured' | 'sample' | 'circumstances' | 'weights' | 'outputs';

/**
 * γ, ω₂ γ and γ / ω₂ within bounds, each once.
 *
 * @param gamma - γ so far
 * @param omega - ω₂ in (0, 1)
 * @param minimum - least γ
 * @param maximum - greatest γ
 */
export const gammaCandidates = (
  gamma: number,
  omega: number,
  minimum: number,
  maximum: number,
): ReadonlyArray<number> => [
  ...new Set([gamma, omega * gamma, gamma / omega].map((g) => Math.min(maximum, Math.max(minimum, g)))),
];

/**
 * Position of the least of some values; the first of equal ones, and what is not a number is never less.
 *
 * @param values - M(δ) of each candidate, at least one
 */
export const leastModel = (values: ReadonlyArray<number>): number => {
  const numbers = values.map((value) => (Number.isNaN(value) ? Infinity : value));
  return numbers.indexOf(Math.min(...numbers));
};

/** One candidate's outcome. */
interface Tried<T extends Shaped> {
  readonly gamma: number;
  readonly solved: Context<T, Solved>;
  /** M(δ) − M(0) at the best learning rate and momentum. */
  readonly change: number;
}

/**
 * Runs a solver with γ² in the place of λ and chooses γ every T₂ steps; γ is √λ at first. It reports `gamma`.
 *
 * @param options - period, rate, bounds
 * @param solver - any solver
 * @example
 * ```ts
 * import { kroneckerInverse, preconditioned, separateDamping, solve } from 'kfac-ts/solvers';
 *
 * // The inverses of the factors have a damping of their own, chosen by the quadratic model.
 * const direction = solve(separateDamping({ every: 20 }, preconditioned(kroneckerInverse)));
 * ```
 */
export const separateDamping = (
  options: SeparateDampingOptions,
  solver: Solver<SeparateNeeds>,
): Solver<SeparateNeeds> => {
  const { every = 20, decay = Math.sqrt(19 / 20), minimum = 1e-4, maximum = 1e4 } = options;
  const run = <T extends Shaped>(context: Context<T, SeparateNeeds>) => {
    const { state, objective, sample, blocks, gradient, damping: lambda } = context;
    const current = state.scalars['gamma'] ?? Math.sqrt(lambda);

    const solveWith = (gamma: number, anew: boolean): RTE.ReaderTaskEither<Env<T>, KfacError, Context<T, Solved>> =>
      pipe(
        solver.run<T>({
          ...context,
          damping: gamma ** 2,
          state: anew ? { ...state, solver: { ...state.solver, prepared: null, pending: null } } : state,
        }),
        RTE.map((solved) => ({
          ...solved,
          state: { ...solved.state, scalars: { ...solved.state.scalars, gamma } },
          metrics: { ...solved.metrics, gamma },
        })),
      );

    const tryWith = (gamma: number): RTE.ReaderTaskEither<Env<T>, KfacError, Tried<T>> =>
      pipe(
        solveWith(gamma, true),
        RTE.bindTo('solved'),
        RTE.bind('values', ({ solved: { direction } }) =>
          pipe(
            compute((ops: Ops<T>) =>
              modelCoefficients(ops, objective.loss, {
                sample,
                blocks,
                gradient,
                direction,
                last: lastUpdateIn(ops, context),
              }),
            ),
            RTE.chain((scalars) => (env: Env<T>) => readScalars(env.backend, scalars)),
          ),
        ),
        RTE.bind('dtype', () => RTE.asks((env: Env<T>) => env.backend.dtype)),
        RTE.map(({ solved, values, dtype }) => {
          const model = quadraticModelOf(values);
          return { gamma, solved, change: modelChange(model, lambda, minimiseModel(model, lambda, dtype)) };
        }),
      );

    if (!(Number.isInteger(every) && every >= 1)) {
      return RTE.left(unsupported('separateDamping', 'gamma.every', 'a whole number of at least 1', String(every)));
    }
    if (state.step % every !== 0) return solveWith(current, false);
    return pipe(
      // What is under way is for the γ so far.
      (env: Env<T>) =>
        TE.fromTask<unknown, KfacError>(
          state.solver.pending === null || env.background === undefined
            ? Task.of(undefined)
            : env.background.abandon(state.solver.pending),
        ),
      RTE.chain(() => pipe(gammaCandidates(current, decay ** every, minimum, maximum), RTE.traverseSeqArray(tryWith))),
      RTE.map((tried) => tried[leastModel(tried.map(({ change }) => change))].solved),
    );
  };
  return { run };
};
