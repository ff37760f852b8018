/**
 * Training one task with several optimizers under the same conditions: same data, same initial parameters, same
 * batches, one after another on the same backend.
 *
 * An optimizer that fails, most likely because it diverges, takes nothing away from the others.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as IO from 'fp-ts/lib/IO.js';
import * as IOR from 'fp-ts/lib/IORef.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../core/errors.ts';
import type { Params } from '../core/params.ts';
import { isOfNumbers } from '../core/pipeline/diagnosis.ts';
import type { Env } from '../core/pipeline/env.ts';
import type { Shaped, Tensor } from '../core/tensor.ts';
import type { Optimizer } from '../solvers/presets/optimizer.ts';
import type { Splits } from './data/dataset.ts';
import type { Glimpse, Task } from './tasks/task.ts';
import type { Backoff } from './trainer/backoff.ts';
import { trainWithBackoff } from './trainer/backoff.ts';
import type { TrainResult } from './trainer/conclude.ts';
import type { Listener, TrainEvent } from './trainer/events.ts';
import type { Log } from './trainer/log.ts';
import { append, beforeStep, entries } from './trainer/log.ts';
import type { TrainOptions } from './trainer/options.ts';
import { eventsBefore } from './trainer/saving.ts';

/** What one optimizer made of the task. */
export interface Finished {
  readonly _tag: 'Finished';
  readonly optimizer: Optimizer;
  readonly result: TrainResult;
  /** What there is to see of the model, for tasks that can be looked at. */
  readonly look: Params<Tensor> | null;
  /** What there was to see on the way, for tasks whose preview grows. */
  readonly earlier: ReadonlyArray<Glimpse>;
  /** Why there is nothing to see where there should be. */
  readonly unseen: KfacError | null;
}

/** An optimizer that did not come to an end. */
export interface Failed {
  readonly _tag: 'Failed';
  readonly optimizer: Optimizer;
  readonly error: KfacError;
  /** Steps and evaluations until then, those of a run that it went on from included. */
  readonly events: ReadonlyArray<TrainEvent>;
  /** Whether it has taken a step. */
  readonly isBegun: boolean;
}

/** What became of an optimizer. */
export type Outcome = Finished | Failed;

/** Listeners for the time of one run. */
export interface Observer {
  readonly listeners: ReadonlyArray<Listener>;
  /** Run when the run is over, however it ended. */
  readonly stop: IO.IO<void>;
}

/** What is compared. */
export interface Experiment<A> {
  readonly task: Task;
  readonly data: Splits;
  readonly optimizers: ReadonlyArray<Optimizer>;
  readonly options: Omit<TrainOptions, 'listeners'>;
  /** Options of one optimizer's run, beside those of all: what it goes on from, who saves it. */
  readonly optionsOf?: (optimizer: Optimizer) => Pick<TrainOptions, 'from' | 'resume' | 'saving'>;
  /** Who watches an optimizer's run; asked when the run begins. */
  readonly observe: (optimizer: Optimizer) => IO.IO<Observer>;
  /** What to make of each outcome, at once, before the next optimizer begins. */
  readonly conclude: (outcome: Outcome) => IO.IO<A>;
  /** Whether a run that diverges goes back; it ends unless given. */
  readonly backoff?: Backoff;
  /** Whether to begin with another optimizer, asked after each; yes unless given. */
  readonly goesOn?: IO.IO<boolean>;
}

/** A look at what came of a run; what cannot be looked at does not spoil the rest. */
const lookAt = <T extends Shaped>(
  { backend }: Env<T>,
  { task, data }: Pick<Experiment<unknown>, 'task' | 'data'>,
  { params, running }: TrainResult,
): T.Task<Pick<Finished, 'look' | 'unseen'>> =>
  task.preview === null
    ? T.of({ look: null, unseen: null })
    : pipe(
        task.preview.look(backend, { params, held: {}, running }, data),
        TE.match(
          (unseen): Pick<Finished, 'look' | 'unseen'> => ({ look: null, unseen }),
          (look) => ({ look, unseen: null }),
        ),
      );

/** Looks on the way, where the task's preview grows; one that fails is left out. */
const glimpsing = <T extends Shaped>(
  { backend }: Env<T>,
  { task: { preview }, data }: Pick<Experiment<unknown>, 'task' | 'data'>,
  keep: (glimpse: Glimpse) => IO.IO<void>,
): Pick<TrainOptions, 'glimpse'> =>
  preview?.isGrowing === true
    ? {
        glimpse: (standing, step) =>
          pipe(
            preview.look(backend, standing, data),
            TE.chainIOK((arrays) => keep({ step, arrays })),
            TE.orElseW(() => TE.right(undefined)),
          ),
      }
    : {};

/** The result with what a look adds to the measures. */
const withNumbers = ({ preview }: Task, result: TrainResult, { look }: Pick<Finished, 'look'>): TrainResult =>
  look === null || preview?.numbers === undefined
    ? result
    : { ...result, test: { ...result.test, measures: { ...result.test.measures, ...preview.numbers(look) } } };

const outcomeOf = <T extends Shaped, A>(
  env: Env<T>,
  experiment: Experiment<A>,
  optimizer: Optimizer,
): T.Task<Outcome> => {
  const { task, data, observe } = experiment;
  const options: Experiment<A>['options'] = { ...experiment.options, ...experiment.optionsOf?.(optimizer) };
  const told = IOR.newIORef<Log<TrainEvent>>(null)();
  const seen = IOR.newIORef<Log<Glimpse>>(null)();
  const note: Listener = (event) => () => {
    // A run that has gone back takes a step again: what was from there on does not count.
    if (event.event === 'step') {
      told.modify((log) => beforeStep(log, event.step))();
      seen.modify((log) => beforeStep(log, event.step))();
    }
    told.modify((log) => append(log, event))();
  };
  return pipe(
    TE.bracket(
      TE.fromIO(observe(optimizer)),
      ({ listeners }) =>
        trainWithBackoff(
          env,
          { ...task, data },
          optimizer,
          {
            ...options,
            listeners: [note, ...listeners],
            ...glimpsing(env, experiment, (glimpse) => seen.modify((log) => append(log, glimpse))),
          },
          experiment.backoff ?? { atMost: 0 },
        ),
      ({ stop }) => TE.fromIO(stop),
    ),
    TE.matchE(
      (error) => {
        const events = entries(told.read());
        return T.of<Outcome>({
          _tag: 'Failed',
          optimizer,
          error,
          events: [...eventsBefore(options.resume), ...events],
          isBegun: events.length > 0,
        });
      },
      (result) =>
        pipe(
          lookAt(env, experiment, result),
          T.map((look): Outcome => ({
            _tag: 'Finished',
            optimizer,
            result: withNumbers(task, result, look),
            ...look,
            earlier: entries(seen.read()),
          })),
        ),
    ),
  );
};

/** What was concluded so far, the failures among it, and whether anything came of any of them. */
interface Progress<A> {
  readonly concluded: ReadonlyArray<A>;
  readonly failures: ReadonlyArray<KfacError>;
  readonly isFruitful: boolean;
}

/** Something came of a run that has taken a step. */
const isFruitful = (outcome: Outcome): boolean => outcome._tag === 'Finished' || outcome.isBegun;

/** Whether it is of no use to go on: nothing came of anything yet, and it is not for the optimizer's numbers. */
const isHopeless = <A>({ concluded, failures }: Progress<A>, { error, isBegun }: Failed): boolean =>
  concluded.length === failures.length && !isBegun && !isOfNumbers(error);

/**
 * Trains with each optimizer in turn.
 *
 * @param env - backend and clock
 * @param experiment - what is compared
 * @returns what was concluded for each optimizer, those that failed included; where all fail before a step, the
 * first error
 * @example
 * ```ts no-run
 * import * as T from 'fp-ts/lib/Task.js';
 * import * as TE from 'fp-ts/lib/TaskEither.js';
 * import { pipe } from 'fp-ts/lib/function.js';
 * import { withBackend } from 'kfac-ts/core';
 * import { mnistClassifier, nodeFileSystem, runExperiment } from 'kfac-ts/pipelines';
 * import { adamOptimizer, kfacOptimizer } from 'kfac-ts/solvers';
 *
 * // The same data, initial parameters and batches for both.
 * const task = mnistClassifier.ofSize('small');
 * const losses = withBackend({}, (backend) =>
 *   pipe(
 *     task.load(nodeFileSystem),
 *     TE.chain((data) =>
 *       runExperiment(
 *         { backend, clock: () => performance.now() / 1000 },
 *         {
 *           task,
 *           data,
 *           optimizers: [kfacOptimizer(), adamOptimizer()],
 *           options: { duration: { steps: 50 }, batch: 250, seed: 1 },
 *           observe: () => () => ({ listeners: [], stop: () => undefined }),
 *           conclude: (outcome) => () => (outcome._tag === 'Finished' ? outcome.result.test.loss : NaN),
 *         },
 *       ),
 *     ),
 *   ),
 * );
 * ```
 */
export const runExperiment = <T extends Shaped, A>(
  env: Env<T>,
  experiment: Experiment<A>,
): TE.TaskEither<KfacError, ReadonlyArray<A>> => {
  const noted =
    ({ concluded, failures, ...before }: Progress<A>, outcome: Outcome): IO.IO<Progress<A>> =>
    () => ({
      isFruitful: before.isFruitful || isFruitful(outcome),
      concluded: [...concluded, experiment.conclude(outcome)()],
      failures: outcome._tag === 'Failed' ? [...failures, outcome.error] : failures,
    });
  const isOver = (): boolean => experiment.goesOn?.() === false;
  const next = (progress: Progress<A>, optimizer: Optimizer): TE.TaskEither<KfacError, Progress<A>> => {
    if (progress.concluded.length > 0 && isOver()) return TE.right(progress);
    return pipe(
      TE.fromTask(outcomeOf(env, experiment, optimizer)),
      TE.chain((outcome) =>
        outcome._tag === 'Failed' && isHopeless(progress, outcome)
          ? TE.left(outcome.error)
          : TE.fromIO(noted(progress, outcome)),
      ),
    );
  };
  const start: TE.TaskEither<KfacError, Progress<A>> = TE.right({
    concluded: [],
    failures: [],
    isFruitful: false,
  });
  return pipe(
    experiment.optimizers.reduce(
      (before, optimizer) =>
        pipe(
          before,
          TE.chain((progress) => next(progress, optimizer)),
        ),
      start,
    ),
    TE.chainEitherK((progress) =>
      progress.failures.length > 0 && !progress.isFruitful ? E.left(progress.failures[0]) : E.right(progress.concluded),
    ),
  );
};
