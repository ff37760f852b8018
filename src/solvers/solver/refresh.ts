/**
 * When an inverse is prepared anew, and when it is first used.
 *
 * A preparation is due after a fixed number of steps, or once the averaged statistics have drifted from those that the
 * last one was made from. With an overlap it is begun when it is due and used a fixed number of steps later, while the
 * steps between go on with the last inverse [BGK17]: the state then holds what the new one is made from, so what a run
 * computes does not depend on how far the work has come.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { BadConfig, KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import { formed } from '../../core/operators/congruence.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import { arraysWithin } from '../../core/pipeline/arraysIn.ts';
import type { Block } from '../../core/pipeline/blocks.ts';
import type { Work } from '../../core/pipeline/background.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import type { Period } from '../../core/pipeline/period.ts';
import { checkedPeriod, isDue } from '../../core/pipeline/period.ts';
import type { Prepared } from '../../core/pipeline/prepared.ts';
import { tidily, tidilyDone } from '../../core/pipeline/tidied.ts';
import type { Context, Field } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import type { Allowance, Pending, SolverState, TrainState } from '../../core/pipeline/trainState.ts';
import { chained, mapped } from '../../core/tasks.ts';
import type { Shaped } from '../../core/tensor.ts';
import { dearnessOfInverses } from '../../curvature/dearness.ts';
import { driftOf } from './drift.ts';
import type { Inverse, Refreshed } from './inverse.ts';
import type { SiteDamping } from './siteDamping.ts';
import { dampingBySite, prepareBySite } from './siteDamping.ts';
import type { SolveNeeds } from './solver.ts';

/** A period that follows the statistics. */
export interface DriftPeriod {
  /** Largest relative change ‖X − X₀‖_F / ‖X₀‖_F of any averaged factor that an inverse may see, above 0. */
  readonly drift: number;
  /** Steps between two preparations at least, 1 unless given. The drift is measured from then on, in every step. */
  readonly atLeast?: number;
  /** Steps between two preparations at most, 50 unless given. */
  readonly atMost?: number;
}

/** Steps between two preparations: a number, or as many as the statistics allow. */
export type RefreshPeriod = Period | DriftPeriod;

/** Preparations beside the steps. */
export interface Overlap {
  /** Steps after which an inverse that was begun is used, at least 0; 0 waits for it at once. */
  readonly staleness: number;
}

/** Settings of solvers with an inverse. */
export interface RefreshOptions {
  /** When to prepare anew, in every step unless given. */
  readonly every?: RefreshPeriod;
  /** Whether preparations overlap with the steps that follow; no unless given. The first one is always waited for. */
  readonly overlap?: Overlap;
  /** Factors on λ by block name, for sites that need more or less of it; none unless given. */
  readonly siteDamping?: SiteDamping;
}

const isCount = (value: number, least: number): boolean => Number.isInteger(value) && value >= least;

/**
 * What is wrong with a period and an overlap, or `null`.
 *
 * @param options - settings of a solver that prepares
 */
export const refreshError = ({ every = 1, overlap }: Pick<RefreshOptions, 'every' | 'overlap'>): BadConfig | null => {
  const wrong = (path: string, expected: string, actual: number): BadConfig => ({
    _tag: 'BadConfig',
    path,
    expected,
    actual: String(actual),
  });
  const whole = (least: number): string => `a whole number of at least ${least}`;
  if (overlap !== undefined && !isCount(overlap.staleness, 0)) {
    return wrong('overlap.staleness', whole(0), overlap.staleness);
  }
  if (typeof every === 'number') return isCount(every, 1) ? null : wrong('every', whole(1), every);
  if (!('drift' in every)) {
    const checked = attempt(() => checkedPeriod('every', every));
    return checked._tag === 'Left' && checked.left._tag === 'BadConfig' ? checked.left : null;
  }
  const { drift, atLeast = 1, atMost = 50 } = every;
  if (!(drift > 0)) return wrong('every.drift', 'a number above 0', drift);
  if (!isCount(atLeast, 1)) return wrong('every.atLeast', whole(1), atLeast);
  return isCount(atMost, atLeast) ? null : wrong('every.atMost', whole(atLeast), atMost);
};

/** Whether a preparation is due, with the drift where that was measured. */
interface Due {
  readonly due: boolean;
  readonly metrics: Readonly<Record<string, number>>;
}

const dueNow = <T extends Shaped>(
  backend: Backend<T>,
  { step, solver, curvature }: TrainState<T>,
  every: RefreshPeriod,
  dearness: number,
): TE.TaskEither<KfacError, Due> => {
  const plainly = (due: boolean): TE.TaskEither<KfacError, Due> => TE.right({ due, metrics: {} });
  if (solver.prepared === null) return plainly(true);
  if (typeof every === 'number' || !('drift' in every)) return plainly(isDue(every, step, dearness));
  const { drift: tolerance, atLeast = 1, atMost = 50 } = every;
  const age = step - solver.preparedAt;
  if (age < atLeast) return plainly(false);
  return pipe(
    driftOf(backend, curvature.averages, solver.preparedFrom ?? {}),
    // Not `drift > tolerance`: a drift that is not a number is due too. One from zero is infinite, and no number to report.
    mapped((drift) => ({
      due: age >= atMost || !(drift <= tolerance),
      metrics: Number.isFinite(drift) ? { drift } : {},
    })),
  );
};

/** A solver's state on the way, with what is reported of it. */
interface Solving<T> {
  readonly solver: SolverState<T>;
  readonly metrics: Prepared<T>['metrics'];
}

/** Prepares when it is due, at once or begun now and used later, with work that knows what was prepared before. */
const prepareWhenDue = <T extends Shaped>(
  env: Env<T>,
  { state, blocks, gradient, operator, damping }: Context<T, SolveNeeds>,
  { every = 1, overlap = { staleness: 0 } }: RefreshOptions,
  allowance: () => Allowance | null,
  prepare: (from: Pending<T>, previous: LinearOperator<T> | null) => Work<T>,
): TE.TaskEither<KfacError, Solving<T>> => {
  const { step, curvature } = state;
  const withPrepared = (solver: SolverState<T>, { operator: made, metrics, slots }: Prepared<T>, since: number) => ({
    solver: { ...solver, prepared: made, preparedAt: since, pending: null, slots: { ...solver.slots, ...slots } },
    metrics,
  });

  /** Takes what was begun, once its time has come. */
  const taken = (solver: SolverState<T>): TE.TaskEither<KfacError, Solving<T>> => {
    const { pending } = solver;
    if (pending === null || step < pending.since + overlap.staleness) return TE.right({ solver, metrics: {} });
    const work = prepare(pending, solver.prepared);
    return pipe(
      env.background?.finish(pending, work) ?? work(env.backend),
      mapped((prepared) => withPrepared(solver, prepared, pending.since)),
    );
  };

  /** Prepares, or begins to. */
  const begun = (before: SolverState<T>): TE.TaskEither<KfacError, Solving<T>> => {
    const solver = { ...before, preparedFrom: typeof every === 'number' ? null : curvature.averages };
    const pending: Pending<T> = { operator, damping, since: step, allowance: allowance() };
    const work = prepare(pending, solver.prepared);
    if (solver.prepared === null || overlap.staleness === 0) {
      return pipe(
        calculate(() => env.backend.ops.whole([...arraysWithin<T>(operator)])),
        chained(() => work(env.backend)),
        mapped((prepared) => withPrepared(solver, prepared, step)),
      );
    }
    env.background?.begin(pending, work);
    return TE.right({ solver: { ...solver, pending }, metrics: {} });
  };

  return pipe(
    taken(state.solver),
    chained((current) =>
      current.solver.pending !== null
        ? TE.right(current)
        : pipe(
            dueNow(
              env.backend,
              { ...state, solver: current.solver },
              every,
              dearnessOfInverses(operator, blocks, gradient),
            ),
            chained(({ due, metrics }) =>
              pipe(
                due ? begun(current.solver) : TE.right({ solver: current.solver, metrics: {} }),
                mapped((next) => ({ ...next, metrics: { ...current.metrics, ...metrics, ...next.metrics } })),
              ),
            ),
          ),
    ),
  );
};

/** Names of the blocks that an operator acts on, or `null` where it does not say. */
const blocksIn = <T>(operator: LinearOperator<T>): ReadonlyArray<string> | null =>
  'blocks' in operator ? Object.keys(operator.blocks) : null;

/** What was prepared, if it is for the blocks that there are: parameters that are held fixed, or no more, change them. */
const forBlocks = <T>(
  solver: SolverState<T>,
  { blocks }: { readonly blocks: ReadonlyArray<Block> },
): SolverState<T> => {
  const { prepared } = solver;
  const found = prepared === null ? null : blocksIn(prepared);
  const fits = found === null || (found.length === blocks.length && blocks.every(({ name }) => found.includes(name)));
  return fits ? solver : { ...solver, prepared: null, pending: null };
};

/**
 * An inverse kept for a step: prepared anew when that is due, group by group where some blocks have a λ of their own, and
 * followed where it wants that.
 *
 * @param inverse - what to prepare
 * @param options - period, overlap, factors on λ
 * @param context - the step so far
 *
 * @example
 * ```ts no-run
 * import type { Env } from 'kfac-ts/core';
 * import { kroneckerInverse, refresh, type SolveNeeds } from 'kfac-ts/solvers';
 * import type { Context, Shaped } from 'kfac-ts/core';
 *
 * // How old the inverse of a step is.
 * const ageOf = async <T extends Shaped>(context: Context<T, SolveNeeds>, env: Env<T>): Promise<number> => {
 *   const found = await refresh(kroneckerInverse, { every: 20 }, context)(env)();
 *   return found._tag === 'Right' ? context.state.step - found.right.state.solver.preparedAt : NaN;
 * };
 * ```
 */
export const refresh =
  <T extends Shaped, Needs extends Field>(
    { prepare, follow, allowance }: Inverse<Needs>,
    options: RefreshOptions,
    context: Context<T, SolveNeeds | Needs>,
  ) =>
  (env: Env<T>): TE.TaskEither<KfacError, Refreshed<T>> => {
    const error = refreshError(options);
    if (error !== null) return TE.left(error);
    const { state, damping } = context;
    const overrides = options.siteDamping ?? {};
    const work =
      (from: Pending<T>, previous: LinearOperator<T> | null): Work<T> =>
      (backend) =>
        // What the operator is formed of for this goes back with all that it takes to prepare.
        tidilyDone(backend, Object.values(context.gradient), (inner) =>
          pipe(
            calculate(() => tidily(inner, Object.values(context.gradient), ({ ops }) => formed(ops, from.operator))),
            chained((operator) =>
              prepareBySite(overrides, operator, from.damping, (part, lambda) =>
                prepare(inner, part, lambda, previous, from.allowance),
              ),
            ),
          ),
        );
    return pipe(
      prepareWhenDue(
        env,
        { ...context, state: { ...state, solver: forBlocks(state.solver, context) } },
        options,
        () => allowance?.(context) ?? null,
        work,
      ),
      mapped(({ solver, metrics }): Refreshed<T> => ({ state: { ...state, solver }, metrics })),
      chained((refreshed) =>
        follow === undefined
          ? TE.right(refreshed)
          : follow(env.backend, context, refreshed, dampingBySite(overrides, damping)),
      ),
    );
  };
