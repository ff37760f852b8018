/**
 * Training one task with several optimizers under the same conditions: same data, same initial parameters, same
 * batches, one after another on the same backend.
 *
 * @module
 */
import type * as IO from 'fp-ts/lib/IO.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as RA from 'fp-ts/lib/ReadonlyArray.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../core/errors.ts';
import type { Params } from '../core/params.ts';
import type { Env } from '../core/pipeline/env.ts';
import type { Shaped, Tensor } from '../core/tensor.ts';
import type { Optimizer } from '../solvers/presets/optimizer.ts';
import type { Splits } from './data/dataset.ts';
import type { Task } from './tasks/task.ts';
import type { Listener } from './trainer/events.ts';
import type { TrainOptions } from './trainer/options.ts';
import type { TrainResult } from './trainer/conclude.ts';
import { train } from './trainer/train.ts';

/** What one optimizer made of the task. */
export interface Outcome {
  readonly optimizer: Optimizer;
  readonly result: TrainResult;
  /** What there is to see of the model, for tasks that can be looked at. */
  readonly look: Params<Tensor> | null;
}

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
  /** Who watches an optimizer's run; asked when the run begins. */
  readonly observe: (optimizer: Optimizer) => IO.IO<Observer>;
  /** What to make of each outcome, at once, before the next optimizer begins. */
  readonly conclude: (outcome: Outcome) => IO.IO<A>;
}

const lookAt = <T extends Shaped>(
  { backend }: Env<T>,
  { task, data }: Pick<Experiment<unknown>, 'task' | 'data'>,
  { params, running }: TrainResult,
): TE.TaskEither<KfacError, Params<Tensor> | null> =>
  task.preview === null ? TE.right(null) : task.preview.look(backend, { params, held: {}, running }, data);

const trainObserved = <T extends Shaped, A>(
  env: Env<T>,
  { task, data, options, observe }: Experiment<A>,
  optimizer: Optimizer,
): TE.TaskEither<KfacError, TrainResult> =>
  TE.bracket(
    TE.fromIO(observe(optimizer)),
    ({ listeners }) => train(env, { ...task, data }, optimizer, { ...options, listeners }),
    ({ stop }) => TE.fromIO(stop),
  );

/**
 * Trains with each optimizer in turn.
 *
 * @param env - backend and clock
 * @param experiment - what is compared
 * @returns what was concluded for each optimizer, or the first error
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
 *           conclude: ({ result }) => () => result.test.loss,
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
): TE.TaskEither<KfacError, ReadonlyArray<A>> =>
  pipe(
    experiment.optimizers,
    RA.traverse(TE.ApplicativeSeq)((optimizer) =>
      pipe(
        trainObserved(env, experiment, optimizer),
        TE.bindTo('result'),
        TE.bind('look', ({ result }) => lookAt(env, experiment, result)),
        TE.map((trained) => ({ ...trained, optimizer })),
        TE.chainIOK(experiment.conclude),
      ),
    ),
  );
