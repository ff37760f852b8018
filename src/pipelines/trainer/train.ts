/**
 * The trainer: from a task and an optimizer to trained parameters and the numbers of the way there.
 *
 * Everything random follows from the seed: initial parameters, the order of examples and the randomness of the steps
 * each have a key of their own, so two optimizers with the same seed start from the same parameters and see the same
 * batches.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { createBackground } from '../../core/pipeline/background.ts';
import type { Env } from '../../core/pipeline/env.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import type { Dataset } from '../data/dataset.ts';
import { checkSize } from '../data/dataset.ts';
import { checkExamples } from '../data/examples.ts';
import type { TrainResult } from './conclude.ts';
import { conclude } from './conclude.ts';
import type { Evaluation } from './evaluate.ts';
import { evaluatePlaced, finiteLoss } from './evaluate.ts';
import { foreseen, stepOf } from './foreseen.ts';
import type { TrainTask } from './learning.ts';
import { demandsOf } from './learning.ts';
import type { TrainOptions } from './options.ts';
import { checkOptions, stepsOf } from './options.ts';
import { onCourse, proceed } from './proceed.ts';
import type { Run, Setting } from './run.ts';
import { begin, chunkOf, orRelease } from './run.ts';
import { identityOf } from './saving.ts';
import type { Origin } from './snapshot.ts';
import { resumable } from './snapshot.ts';
import { standingOf } from './standing.ts';

/** A loss that is so much larger than before the first step makes no sense any more, whatever the precision says of it. */
const absurd = 1e20;

/** Steps before the first. */
const stepBefore = ({ from, resume }: TrainOptions): number => (resume?.state ?? from)?.step ?? 0;

/**
 * Judges a few examples of both sets, so that what cannot be judged is known before the first step; all of the test set
 * where its examples are made when they are asked for, since it is judged at the end, when there is a result to lose.
 */
const trial = <T extends Shaped>(setting: Setting<T>, run: Run<T>): TE.TaskEither<KfacError, Origin> => {
  const { env, task } = setting;
  const { train: trained, test } = task.data;
  const few = (data: Dataset): number => Math.min(chunkOf(setting), data.size);
  const on = (data: Dataset, size: number): TE.TaskEither<KfacError, Evaluation> =>
    pipe(
      evaluatePlaced(env.backend, task, standingOf(run.state), data, chunkOf(setting), size),
      TE.chainEitherK(finiteLoss('before the first step', data, 'Look at the first parameters and at the examples.')),
    );
  return pipe(
    on(test, test.batch.largest === undefined ? test.size : few(test)),
    TE.chain(() => on(trained, few(trained))),
    TE.map(({ loss }) => ({ examples: few(trained), before: loss })),
    orRelease(env, run),
  );
};

/**
 * Trains a task.
 *
 * @param env - backend and clock
 * @param task - what is learned, with its data
 * @param optimizer - a preset, or a step of your own with a name
 * @param options - how long, on how many examples at a time, from which seed
 * @returns parameters and numbers in host memory; nothing of the backend is kept
 * @example
 * ```ts
 * import * as E from 'fp-ts/lib/Either.js';
 * import { dense, model, referenceBackend, squaredError, tensor } from 'kfac-ts/core';
 * import { datasetOf, supervised, train } from 'kfac-ts/pipelines';
 * import { kfacOptimizer } from 'kfac-ts/solvers';
 *
 * // y = 2 x + 1.
 * const data = datasetOf('line', tensor([0, 1, 2, 3], [4, 1]), tensor([1, 3, 5, 7], [4, 1]));
 * const env = { backend: referenceBackend(), clock: () => performance.now() / 1000 };
 * const line = supervised({ name: 'line', model: model('line', [1], dense({ in: 1, out: 1 })), loss: squaredError });
 * if (E.isRight(data)) {
 *   const task = { ...line, data: { train: data.right, test: data.right } };
 *   const result = await train(env, task, kfacOptimizer(), { duration: { steps: 20 }, batch: 4, seed: 1 })();
 *   E.isRight(result) && result.right.test.loss < 0.1; // => true
 * }
 * ```
 */
export const train = <T extends Shaped>(
  env: Env<T>,
  task: TrainTask,
  optimizer: Optimizer,
  options: TrainOptions,
): TE.TaskEither<KfacError, TrainResult> => {
  const { background = createBackground(env.backend) } = env;
  const check = (data: Dataset): TE.TaskEither<KfacError, Dataset> =>
    TE.fromIOEither(() => checkExamples(data, env.backend.dtype, demandsOf(task)));
  return pipe(
    TE.fromEither(checkSize(task.data.train)),
    TE.chainEitherK(() => checkSize(task.data.test)),
    TE.chainEitherK(() => checkOptions(options, task.data.train.size)),
    TE.chainEitherK(() => stepOf(task, optimizer)),
    TE.chainEitherK((step) => foreseen(step, stepBefore(options), stepsOf(options, task.data.train.size))),
    TE.map((step): Setting<T> => ({
      env: { ...env, background, examples: task.data.train.size },
      task,
      step,
      options,
      demands: demandsOf(task),
      identity: identityOf(task, optimizer, options),
    })),
    TE.bindTo('setting'),
    TE.chainFirstEitherK(({ setting: { identity } }) =>
      options.resume === undefined || identity === undefined ? E.right(null) : resumable(identity, options.resume),
    ),
    TE.chainFirst(() => check(task.data.train)),
    TE.chainFirst(() => check(task.data.test)),
    TE.bind('run', ({ setting }) => TE.fromEither(begin(setting))),
    TE.bind('found', ({ setting, run }) => trial(setting, run)),
    TE.let('start', ({ found }) => options.resume?.origin ?? found),
    TE.bind('onward', ({ setting, run }) => onCourse(setting, run)),
    TE.chain(({ setting, onward, start }) =>
      pipe(
        proceed({ ...setting, mostLoss: absurd * Math.max(1, Math.abs(start.before)), origin: start }, onward),
        TE.chain((ended) => conclude(setting, optimizer.name, ended, start)),
      ),
    ),
  );
};
