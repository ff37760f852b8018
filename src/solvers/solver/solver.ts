/**
 * Solvers: from a gradient (and a curvature) to a direction.
 *
 * A solver that uses curvature has two moments. `prepare` is dear and runs every so many steps; its result is again a
 * linear operator, which maps a gradient to a direction and is part of the training state.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import { apply } from '../../core/operators/apply.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import type { Computation } from '../../core/pipeline/compute.ts';
import { computation, compute } from '../../core/pipeline/compute.ts';
import type { Prepared } from '../../core/pipeline/prepared.ts';
import type { Context, Field } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import type { Stage, StageRun } from '../../core/pipeline/stage.ts';
import { stage } from '../../core/pipeline/stage.ts';
import type { SolverState } from '../../core/pipeline/trainState.ts';
import type { Shaped } from '../../core/tensor.ts';
import { fromBlocks, toBlocks } from '../../curvature/blocks.ts';
import type { Refreshed, RefreshOptions } from './refresh.ts';
import { refreshed } from './refresh.ts';
import { prepareBySite } from './siteDamping.ts';

/** What every solver adds to a step. */
export type Solved = 'direction' | 'state' | 'metrics';

/** A way to a direction that needs the given fields of the context. */
export interface Solver<Needs extends Field> {
  readonly name: string;
  readonly run: StageRun<Needs, Solved>;
}

/**
 * The solve stage.
 *
 * @param solver - any solver
 */
export const solve = <Needs extends Field>(solver: Solver<Needs>): Stage<Needs, Solved> => stage('solve', solver.run);

/** A solver that only computes. */
export const computing = <Needs extends Field>(name: string, run: Computation<Needs, Solved>): Solver<Needs> =>
  computation(name, run);

/** Factorises: from an operator and a damping λ to an operator that approximates (operator + λ I)⁻¹. */
export type Prepare = <T extends Shaped>(
  backend: Backend<T>,
  operator: LinearOperator<T>,
  damping: number,
) => TE.TaskEither<KfacError, LinearOperator<T>>;

/** Factorises and reports; it may start from what was prepared before, `null` the first time. */
export type PrepareReported = <T extends Shaped>(
  backend: Backend<T>,
  operator: LinearOperator<T>,
  damping: number,
  previous: LinearOperator<T> | null,
) => TE.TaskEither<KfacError, Prepared<T>>;

/** The fields that a solver with curvature needs. */
export type SolveNeeds = 'state' | 'blocks' | 'gradient' | 'operator' | 'damping';

/** A preparation that has nothing to report and starts from nothing. */
export const unreported =
  (prepare: Prepare): PrepareReported =>
  (backend, operator, damping) =>
    pipe(
      prepare(backend, operator, damping),
      TE.map((prepared) => ({ operator: prepared, metrics: {} })),
    );

/**
 * Prepares anew when it is due, group by group where some blocks have a λ of their own.
 *
 * @param prepare - the dear part
 * @param options - period, overlap
 * @param context - the step so far
 */
export const renew =
  <T extends Shaped>(
    prepare: PrepareReported,
    options: RefreshOptions,
    { state, operator: curvature, damping: lambda }: Context<T, 'state' | 'operator' | 'damping'>,
  ) =>
  (env: Env<T>): TE.TaskEither<KfacError, Refreshed<T>> =>
    refreshed(env, state, curvature, options, lambda, (backend, operator, damping, previous) =>
      prepareBySite(options.siteDamping ?? {}, operator, damping, (part, own): TE.TaskEither<KfacError, Prepared<T>> =>
        prepare(backend, part, own, previous),
      ),
    );

/** The prepared inverse applied to the gradient. */
export const precondition = <T extends Shaped>(
  ops: Ops<T>,
  { blocks, gradient }: Context<T, 'blocks' | 'gradient'>,
  solver: SolverState<T>,
): Params<T> => {
  if (solver.prepared === null) return gradient;
  return fromBlocks(ops, blocks, apply(ops, solver.prepared, toBlocks(ops, blocks, gradient)));
};

/**
 * What a solver adds once its inverse is prepared: the direction, the state and the age of the inverse.
 *
 * @param context - the step so far
 * @param refreshed - the solver's state, and what its preparation reports
 */
export const applyPrepared = <T extends Shaped>(
  context: Context<T, 'state' | 'blocks' | 'gradient'>,
  refreshed: Refreshed<T>,
): RTE.ReaderTaskEither<Env<T>, KfacError, Context<T, Solved>> =>
  compute((ops: Ops<T>) => {
    const { solver, metrics } = refreshed;
    return {
      direction: precondition(ops, context, solver),
      state: { ...context.state, solver },
      metrics: { ...metrics, inverseAge: context.state.step - solver.preparedAt },
    };
  });

/** What a solver does in every step with what it prepared: {@link applyPrepared} where that is an inverse. */
export type UsePrepared = <T extends Shaped>(
  context: Context<T, 'state' | 'blocks' | 'gradient'>,
  refreshed: Refreshed<T>,
) => RTE.ReaderTaskEither<Env<T>, KfacError, Context<T, Solved>>;

/**
 * A solver that prepares an inverse now and then and applies it in each step.
 *
 * @param name - name for reports
 * @param prepare - the dear part
 * @param options - period, overlap
 */
export const refreshing = (name: string, prepare: Prepare, options: RefreshOptions): Solver<SolveNeeds> =>
  refreshingReported(name, unreported(prepare), options);

/**
 * Like {@link refreshing}, with a preparation that reports and may start from the last one.
 *
 * @param name - name for reports
 * @param prepare - the dear part
 * @param options - period, overlap
 * @param use - what every step does with what was prepared; applies it as an inverse unless given
 */
export const refreshingReported = (
  name: string,
  prepare: PrepareReported,
  options: RefreshOptions,
  use: UsePrepared = applyPrepared,
): Solver<SolveNeeds> => ({
  name,
  run: <T extends Shaped>(context: Context<T, SolveNeeds>) =>
    pipe(
      renew(prepare, options, context),
      RTE.chain((found: Refreshed<T>) => use(context, found)),
    ),
});
