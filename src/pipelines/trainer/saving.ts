/**
 * Saving a run between two steps: whether it is time, and what is copied.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { readState } from '../../core/pipeline/transfer.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import type { TrainEvent } from './events.ts';
import type { TrainTask } from './learning.ts';
import { entries } from './log.ts';
import type { TrainOptions } from './options.ts';
import type { Run, Setting } from './run.ts';
import { orRelease } from './run.ts';
import type { RunIdentity, Saving, Snapshot } from './snapshot.ts';

/** In the form in which files have it. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/**
 * What a run is of.
 *
 * @param task - task with its data
 * @param optimizer - the optimizer
 * @param options - batch and seed
 */
export const identityOf = (
  task: TrainTask,
  { name, hyperparameters, parts }: Omit<Optimizer, 'step'>,
  { batch, seed }: TrainOptions,
): RunIdentity => ({
  task: task.name,
  optimizer: name,
  settings: asJson({ ...hyperparameters, ...(parts === undefined ? {} : { parts }) }),
  batch,
  seed,
  examples: task.data.train.size,
});

/** A run copied to host memory; it stays as it is. */
const copied = <T extends Shaped>(
  { env, origin }: Setting<T>,
  of: RunIdentity,
  { state, seconds, steps, evaluations, watch }: Run<T>,
): TE.TaskEither<KfacError, Snapshot> =>
  pipe(
    readState(env.backend, state),
    TE.map((copy) => ({
      of,
      state: copy,
      seconds,
      history: entries(steps),
      evaluations: entries(evaluations),
      watch,
      origin: origin ?? null,
    })),
  );

/**
 * Saves a run where that is due; it stays as it is.
 *
 * @param setting - with who saves, if anyone does
 * @param run - a run between two steps
 * @param isLast - whether no step follows
 */
export const savedWhenDue = <T extends Shaped>(
  setting: Setting<T>,
  run: Run<T>,
  isLast: boolean,
): TE.TaskEither<KfacError, Run<T>> => {
  const { options, identity } = setting;
  const { saving } = options;
  const moment = { step: run.state.step, seconds: run.seconds, isLast };
  return saving === undefined || identity === undefined || !saving.isDue(moment)
    ? TE.right(run)
    : pipe(
        copied(setting, identity, run),
        TE.chain((snapshot) => saving.save(snapshot, moment)),
        TE.map(() => run),
        orRelease(setting.env, run),
      );
};

/**
 * Two who save, each when that is due. Each is asked every time, in this order: processes that train together ask as one.
 *
 * @param both - who saves
 */
export const savingBoth = (...both: readonly [Saving, Saving]): Saving => ({
  isDue: (moment) => both.map((each) => each.isDue(moment)).includes(true),
  save: (snapshot, moment) => {
    const due = both.map((each) => each.isDue(moment));
    return pipe(
      both.filter((_, i) => due[i]),
      TE.traverseSeqArray((each) => each.save(snapshot, moment)),
    );
  },
});

/** Steps and evaluations that were before a run went on, in their order. */
export const eventsBefore = (
  snapshot: Pick<Snapshot, 'history' | 'evaluations'> | undefined,
): ReadonlyArray<TrainEvent> => {
  const { history = [], evaluations = [] } = snapshot ?? {};
  const events: ReadonlyArray<TrainEvent> = [
    ...history.map((record) => ({ event: 'step' as const, ...record })),
    ...evaluations.map((record) => ({ event: 'evaluation' as const, ...record })),
  ];
  return events.toSorted((a, b) => a.step - b.step);
};
