/**
 * Runs that diverge and go back: to where they were last well, with more damping.
 *
 * λ is what a diverging step of a second-order method lacked, so it is raised, and what was prepared with the smaller one is
 * forgotten. The steps that led astray are taken off the history; the batches that follow are those that were to follow.
 *
 * @module
 */
import * as IOR from 'fp-ts/lib/IORef.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { describeError } from '../../core/errors.ts';
import { isOfNumbers } from '../../core/pipeline/diagnosis.ts';
import type { Env } from '../../core/pipeline/env.ts';
import type { Metrics } from '../../core/pipeline/metrics.ts';
import type { Memory } from '../../core/pipeline/trainState.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import type { TrainResult } from './conclude.ts';
import type { TrainTask } from './learning.ts';
import type { TrainOptions } from './options.ts';
import type { Saving, Snapshot } from './snapshot.ts';
import { unsound } from './soundness.ts';
import { train } from './train.ts';

/** When a run goes back, and how. */
export interface Backoff {
  /** How often at most, in the whole run. */
  readonly atMost: number;
  /** What λ is multiplied by each time, above 1; 10 unless given. */
  readonly factor?: number;
  /** Steps between two places to go back to; 10 unless given. */
  readonly every?: number;
  /** Told of each time, in a sentence. */
  readonly told?: (sentence: string) => void;
}

/** The scalar of a state that counts how often its run has gone back. */
const counter = 'backoffs';

/** A memory whose λ is raised, and those of its groups; `null` where none has one. */
const raised = (memory: Memory<Tensor>, metrics: Metrics, factor: number, prefix: string): Memory<Tensor> | null => {
  const lambda = memory.scalars['damping'] ?? metrics[`${prefix}damping`];
  const groups = Object.entries(memory.groups).map(
    ([name, group]) => [name, raised(group, metrics, factor, `${prefix}${name}.`)] as const,
  );
  if (lambda === undefined && groups.every(([, group]) => group === null)) return null;
  return {
    ...memory,
    groups: Object.fromEntries(groups.map(([name, group]) => [name, group ?? memory.groups[name]])),
    ...(lambda === undefined
      ? {}
      : {
          scalars: { ...memory.scalars, damping: factor * lambda },
          solver: { ...memory.solver, prepared: null, pending: null },
        }),
  };
};

/**
 * A snapshot with λ raised, and the number of times it has been; `null` where there is no λ to raise.
 *
 * @param snapshot - where a run was well
 * @param factor - what λ is multiplied by
 */
export const withMoreDamping = (snapshot: Snapshot, factor: number): Snapshot | null => {
  const { state, history } = snapshot;
  const memory = raised(state, history.at(-1)?.metrics ?? {}, factor, '');
  if (memory === null) return null;
  const scalars = { ...memory.scalars, [counter]: (state.scalars[counter] ?? 0) + 1 };
  return { ...snapshot, state: { ...state, ...memory, scalars } };
};

/** Whether a run was well: its loss was not above where it began. */
const isWell = ({ history, origin }: Snapshot): boolean => {
  const start = Math.max(origin?.before ?? -Infinity, history.at(0)?.loss ?? Infinity);
  return (history.at(-1)?.loss ?? Infinity) <= start;
};

/** Tells of places to go back to, besides what is saved. */
const remembering = (saving: Saving | undefined, every: number, keep: (snapshot: Snapshot) => void): Saving => ({
  isDue: (moment) => saving?.isDue(moment) === true || (!moment.isLast && moment.step % every === 0),
  save: (snapshot, moment) => {
    if (unsound(snapshot) === null) keep(snapshot);
    return saving?.isDue(moment) === true ? saving.save(snapshot, moment) : TE.right(undefined);
  },
});

/** The same run from another place, which has parameters of its own. */
const goingOnFrom = (options: TrainOptions, resume: Snapshot): TrainOptions => ({
  ...Object.fromEntries(Object.entries(options).filter(([name]) => !['from', 'start', 'hold'].includes(name))),
  duration: options.duration,
  batch: options.batch,
  seed: options.seed,
  resume,
});

/**
 * Trains as `train` does, but where a step's numbers are not finite, or its matrices not positive definite, goes back to where
 * the run was last well, with λ raised.
 *
 * @param env - backend and clock
 * @param task - what is learned, with its data
 * @param optimizer - the optimizer; one without a λ fails as it does with `train`
 * @param options - as of `train`
 * @param backoff - how often, and by how much
 * @example
 * ```ts no-run
 * import { referenceBackend } from 'kfac-ts/core';
 * import { trainWithBackoff, type TrainTask } from 'kfac-ts/pipelines';
 * import { kfacOptimizer } from 'kfac-ts/solvers';
 *
 * declare const task: TrainTask;
 * const env = { backend: referenceBackend(), clock: () => performance.now() / 1000 };
 * const options = { duration: { steps: 500 }, batch: 64, seed: 1 };
 * const result = await trainWithBackoff(env, task, kfacOptimizer(), options, { atMost: 3, told: console.warn })();
 * ```
 */
export const trainWithBackoff = <T extends Shaped>(
  env: Env<T>,
  task: TrainTask,
  optimizer: Optimizer,
  options: TrainOptions,
  backoff: Backoff,
): TE.TaskEither<KfacError, TrainResult> => {
  const { atMost, factor = 10, every = 10, told } = backoff;
  // The last place where the run was well; until there is one, the first.
  const place = IOR.newIORef<Snapshot | null>(options.resume ?? null)();
  const keep = (snapshot: Snapshot): void => {
    if (place.read() === null || isWell(snapshot)) place.write(snapshot)();
  };
  const goBack = (error: KfacError): Snapshot | null => {
    const last = isOfNumbers(error) ? place.read() : null;
    return last === null || (last.state.scalars[counter] ?? 0) >= atMost ? null : withMoreDamping(last, factor);
  };
  if (atMost === 0) return train(env, task, optimizer, options);
  const attempt = (asked: TrainOptions): TE.TaskEither<KfacError, TrainResult> =>
    pipe(
      train(env, task, optimizer, { ...asked, saving: remembering(options.saving, every, keep) }),
      TE.orElse((error) => {
        const raisedAt = goBack(error);
        if (raisedAt === null) return TE.left(error);
        place.write(raisedAt)();
        const { step, scalars } = raisedAt.state;
        const times = `${scalars[counter]} of at most ${atMost} times`;
        told?.(
          `${optimizer.name} goes back to step ${step} with λ times ${factor} (${times}). ${describeError(error)}`,
        );
        return attempt(goingOnFrom(asked, raisedAt));
      }),
    );
  return attempt(options);
};
