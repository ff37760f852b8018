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
import * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError, NonFinite } from '../../core/errors.ts';
import type { Params } from '../../core/params.ts';
import { createBackground } from '../../core/pipeline/background.ts';
import type { Env } from '../../core/pipeline/env.ts';
import { pendingIn } from '../../core/pipeline/group.ts';
import { largestMagnitude } from '../../core/rows.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import type { Dataset } from '../data/dataset.ts';
import { checkExamples } from '../data/examples.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import type { Evaluation } from './evaluate.ts';
import type { EvaluationRecord, StepRecord } from './events.ts';
import type { TrainTask } from './learning.ts';
import { lookupsIn } from './learning.ts';
import { entries } from './log.ts';
import type { TrainOptions } from './options.ts';
import { checkOptions } from './options.ts';
import type { Run, Setting } from './run.ts';
import { begin, judgeOn, proceed, readParams, release, restoreBest } from './run.ts';

/** What came of a run. */
export interface TrainResult {
  /** Name of the optimizer. */
  readonly optimizer: string;
  /** Steps done. */
  readonly steps: number;
  /** Training time: without data loading and evaluation. */
  readonly seconds: number;
  readonly history: ReadonlyArray<StepRecord>;
  readonly evaluations: ReadonlyArray<EvaluationRecord>;
  /** Final parameters, those that are held fixed among them, in host memory; the best ones after early stopping. */
  readonly params: Params<Tensor>;
  /** State of layers that is not trained, as of the parameters. */
  readonly running: Params<Tensor>;
  /** Steps after which the parameters were as they are. */
  readonly paramsFrom: number;
  /** Judged on the whole training set. */
  readonly train: Evaluation;
  /** Judged on the whole test set. */
  readonly test: Evaluation;
}

const diverged: NonFinite = {
  _tag: 'NonFinite',
  where: 'evaluation after training',
  what: 'the loss on the training set',
  advice: 'Lower the learning rate or raise the damping.',
};

const finiteLoss = (evaluation: Evaluation): E.Either<KfacError, Evaluation> =>
  Number.isFinite(evaluation.loss) ? E.right(evaluation) : E.left(diverged);

/** A loss may be finite where a parameter is not: an infinite weight of a unit that is off, for example. */
const finiteParams = (params: Params<Tensor>): E.Either<KfacError, null> => {
  const path = Object.keys(params).find((name) => !(largestMagnitude(params[name].data) < Infinity));
  return path === undefined ? E.right(null) : E.left({ ...diverged, where: 'parameters after training', what: path });
};

/** Judges what came of a run and copies it to host memory. */
const conclude = <T extends Shaped>(
  setting: Setting<T>,
  optimizer: string,
  ended: Run<T>,
): TE.TaskEither<KfacError, TrainResult> => {
  const { env, task } = setting;
  return TE.bracket(
    TE.fromIO(restoreBest(env, ended)),
    (run) =>
      pipe(
        TE.Do,
        TE.bind('train', () => judgeOn(setting, run, task.data.train)),
        TE.chainFirstEitherK((judged) => finiteLoss(judged.train)),
        TE.bind('test', () => judgeOn(setting, run, task.data.test)),
        TE.bind('params', () => readParams(env, { ...run.state.held, ...run.state.params })),
        TE.bind('running', () => readParams(env, run.state.running)),
        TE.chainFirstEitherK(({ params }) => finiteParams(params)),
        TE.map((judged) => ({
          ...judged,
          optimizer,
          steps: ended.state.step,
          seconds: run.seconds,
          history: entries(run.steps),
          evaluations: entries(run.evaluations),
          paramsFrom: run.state.step,
        })),
      ),
    (run) => TE.fromIO(release(env, run)),
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
  const setting: Setting<T> = {
    env: { ...env, background },
    task,
    step: task.step(optimizer),
    options,
    lookups: lookupsIn(task),
  };
  const check = (data: Dataset): E.Either<KfacError, Dataset> =>
    checkExamples(data, env.backend.dtype, setting.lookups);
  return pipe(
    TE.fromEither(checkOptions(options, task.data.train.size)),
    TE.chainEitherK(() => check(task.data.train)),
    TE.chainEitherK(() => check(task.data.test)),
    TE.chainEitherK(() => begin(setting)),
    TE.chain((start) => proceed(setting, start)),
    TE.chainFirstTaskK(({ state }) => pipe(pendingIn(state), T.traverseArray(background.abandon))),
    TE.chain((ended) => conclude(setting, optimizer.name, ended)),
  );
};
