/**
 * An optimizer for each group of parameters: K-FAC on some layers, Adam or nothing on others.
 *
 * The groups share one forward and one backward pass. From the gradient on, each goes its own way on what the step knows of
 * its parameters, the others' being held fixed, with statistics, solver, rules and λ of its own in the state's `groups`.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { Ops } from '../../core/ops/ops.ts';
import { compute } from '../../core/pipeline/compute.ts';
import type { Context, Given, StepFields } from '../../core/pipeline/context.ts';
import type { Descent, GradientContext } from '../../core/pipeline/descent.ts';
import type { Env } from '../../core/pipeline/env.ts';
import { backward, forward } from '../../core/pipeline/forward.ts';
import type { Group } from '../../core/pipeline/group.ts';
import { contextOfGroup, holding, released, withGroup } from '../../core/pipeline/group.ts';
import type { Step } from '../../core/pipeline/stage.ts';
import { foreseenBy, pipeline, stage } from '../../core/pipeline/stage.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { GradientOptimizer } from '../presets/optimizer.ts';
import { foreseenIn } from './foreseen.ts';
import type { Share } from './members.ts';
import { groupsOf } from './members.ts';
import type { Reported } from './metrics.ts';
import { mergedMetrics } from './metrics.ts';

/** A group of parameters with an optimizer of its own. */
export interface PartitionGroup {
  /** Which parameters: every parameter is in exactly one group. */
  readonly parameters: Share;
  /** What moves them; `null` leaves them as they are. */
  readonly optimizer: GradientOptimizer | null;
}

/** Groups by name. */
export type Partition = Readonly<Record<string, PartitionGroup>>;

/** A group with parameters, and what moves them. */
interface Moved {
  readonly group: Group;
  readonly descent: Descent;
}

const claimsOf = (groups: Partition) => Object.entries(groups).map(([name, { parameters }]) => ({ name, parameters }));

/** The groups that move. */
const movedBy = <T extends Shaped>(groups: Partition, state: TrainState<T>): ReadonlyArray<Moved> =>
  groupsOf(claimsOf(groups), state).flatMap((group) => {
    const { optimizer } = groups[group.name];
    return optimizer === null || group.paths.length === 0 ? [] : [{ group, descent: optimizer.descent }];
  });

/** What one group's optimizer came to. */
interface Outcome<T extends Shaped> extends Reported<T> {
  readonly group: Group;
  readonly next: TrainState<T>;
  /** All that it knew at its end. */
  readonly part: Partial<StepFields<T>>;
}

const descend = <T extends Shaped>(
  context: GradientContext<T>,
  { group, descent }: Moved,
): RTE.ReaderTaskEither<Env<T>, KfacError, Outcome<T>> =>
  pipe(
    descent.run<T>(contextOfGroup(context, group)),
    RTE.map((ended) => ({ name: group.name, group, next: ended.next, metrics: ended.metrics, part: ended })),
  );

/** From the gradient on, every group by its own optimizer. */
const partitioned = (groups: Partition): Descent => {
  const moving: Descent = stage('partition', <T extends Shaped>(context: GradientContext<T>) =>
    pipe(
      compute<T, ReadonlyArray<Moved>>(() => movedBy(groups, context.state)),
      RTE.chain((moved) =>
        pipe(
          moved,
          RTE.traverseSeqArray((each) => descend(context, each)),
        ),
      ),
      RTE.chain((outcomes) =>
        compute((ops: Ops<T>) => ({
          next: outcomes.reduce((state, { group, next }) => withGroup(state, group, next), {
            ...context.state,
            step: context.state.step + 1,
          }),
          parts: outcomes.map(({ part }) => part),
          metrics: mergedMetrics(ops, outcomes),
        })),
      ),
    ),
  );
  const parts = Object.entries(groups).map(([name, { optimizer }]) => ({ ...optimizer?.descent, name }));
  return { ...moving, foresee: foreseenIn(parts) };
};

/** The paths of the groups that nothing moves. */
const stillPaths = <T extends Shaped>(groups: Partition, state: TrainState<T>): ReadonlyArray<string> =>
  groupsOf(claimsOf(groups), state)
    .filter(({ name }) => groups[name].optimizer === null)
    .flatMap(({ paths }) => paths);

/** A step in which the groups that nothing moves have no gradient either. */
const partitionedStep = (groups: Partition, descent: Descent): Step => {
  const step = pipeline(forward, backward, descent);
  if (Object.values(groups).every(({ optimizer }) => optimizer !== null)) return step;
  return {
    name: step.name,
    foresee: foreseenBy([step]),
    run: <T extends Shaped>({ state: before, batch, objective }: Context<T, Given>) =>
      pipe(
        compute<T, TrainState<T>>(() => holding(before, stillPaths(groups, before))),
        RTE.chain((state) => step.run<T>({ state, batch, objective })),
        RTE.map((ended) => ({ ...ended, next: released(before, ended.next) })),
      ),
  };
};

/** Settings of all groups for the record. */
const settingsOf = (groups: Partition): GradientOptimizer['hyperparameters'] =>
  Object.fromEntries(
    Object.entries(groups).flatMap(([name, { optimizer }]) => [
      [`${name}.optimizer`, optimizer?.name ?? 'none'],
      ...Object.entries(optimizer?.hyperparameters ?? {}).map(([key, value]) => [`${name}.${key}`, value] as const),
    ]),
  );

/**
 * One optimizer of several, each for a group of the parameters.
 *
 * Every parameter is in exactly one group; that is checked in each step, and a parameter in none or in two is a `BadConfig`
 * with its path. What bounds a norm or measures a model (a KL clip, the quadratic model) does so over its own group.
 *
 * @param groups - by name
 * @param name - for reports
 * @example
 * ```ts
 * import { adamOptimizer, kfacOptimizer, partition } from 'kfac-ts/solvers';
 *
 * const optimizer = partition({
 *   features: { parameters: ['0'], optimizer: null },
 *   head: { parameters: ['4'], optimizer: adamOptimizer() },
 *   body: { parameters: 'rest', optimizer: kfacOptimizer({ damping: 1 }) },
 * });
 * ```
 */
export const partition = (groups: Partition, name = 'partition'): GradientOptimizer => {
  const descent = partitioned(groups);
  return {
    name,
    hyperparameters: settingsOf(groups),
    descent,
    step: partitionedStep(groups, descent),
  };
};
