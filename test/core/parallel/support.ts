/**
 * Runs of one process and of several, and how far apart they are.
 *
 * @module
 */
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../../src/core/backends/backend.ts';
import { batchNorm } from '../../../src/core/nn/layers/batchNorm.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import { dropout } from '../../../src/core/nn/layers/dropout.ts';
import { sequential } from '../../../src/core/nn/layers/sequential.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { model } from '../../../src/core/nn/model.ts';
import type { Collective, Posted } from '../../../src/core/parallel/collective.ts';
import { simulated } from '../../../src/core/parallel/simulated.ts';
import type { Params } from '../../../src/core/params.ts';
import type { ReadonlyVector, Shaped, Tensor } from '../../../src/core/tensor.ts';
import { generate } from '../../../src/core/tensor.ts';
import { datasetOf } from '../../../src/pipelines/data/dataset.ts';
import { supervised } from '../../../src/pipelines/tasks/supervised.ts';
import type { TrainResult } from '../../../src/pipelines/trainer/conclude.ts';
import type { TrainTask } from '../../../src/pipelines/trainer/learning.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import type { Optimizer } from '../../../src/solvers/presets/optimizer.ts';
import { signTask, sineTask } from '../../pipelines/trainer/support.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, mlp, orThrow } from '../../support/training.ts';

/** Five steps, seven examples each unless given. */
export const trained = async <T extends Shaped>(
  backend: Backend<T>,
  task: TrainTask,
  optimizer: Optimizer,
  batch = 7,
): Promise<TrainResult> =>
  orThrow(
    await train({ backend, clock: () => 0 }, task, optimizer, {
      duration: { steps: 5 },
      batch,
      seed: 3,
      evaluateEvery: 2,
    })(),
  );

const apart = (a: number, b: number): number => (Object.is(a, b) ? 0 : Math.abs(a - b) / (1 + Math.abs(b)));

const furthest = (a: Params<Tensor>, b: Params<Tensor>): number =>
  Math.max(0, ...Object.entries(a).map(([path, x]) => scaledError(x.data, b[path].data)));

/** The largest difference of two runs: in what they came to, and in all numbers that steps report and are decided by. */
export const distance = (a: TrainResult, b: TrainResult): number =>
  Math.max(
    furthest(a.params, b.params),
    furthest(a.running, b.running),
    apart(a.test.loss, b.test.loss),
    apart(a.history.length, b.history.length),
    ...a.history.flatMap(({ metrics }, i) =>
      Object.entries(metrics).map(([name, value]) => apart(value, b.history[i].metrics[name])),
    ),
  );

/** The same task with every input changed by its last bit: what rounding alone makes of a run. */
export const nudged = (task: TrainTask): TrainTask => {
  const { train: trainSet } = task.data;
  const batch = Object.assign((rows: ReadonlyVector) => {
    const arrays = trainSet.batch(rows);
    const { data, shape } = arrays['inputs'];
    return { ...arrays, inputs: generate(shape, (i) => data[i] * (1 + 2 ** -52)) };
  }, trainSet.batch);
  return { ...task, data: { ...task.data, train: { ...trainSet, batch } } };
};

/** Ranks of one process whose messages are read and written when somebody waits for them, and no earlier. */
export const late = (size: number): Collective => {
  const prompt = simulated(size);
  const postponed = (post: () => Posted): Posted => {
    let isOver = false;
    const wait = (): void => {
      if (!isOver) post();
      isOver = true;
    };
    return { wait, done: TE.fromIO(wait) };
  };
  return {
    ...prompt,
    allReduce: (...given) => postponed(() => prompt.allReduce(...given)),
    allGather: (...given) => postponed(() => prompt.allGather(...given)),
    reduceScatter: (...given) => postponed(() => prompt.reduceScatter(...given)),
    allToAll: (...given) => postponed(() => prompt.allToAll(...given)),
  };
};

/** What a preset is tried on: most learn a regression, one needs classes. */
export const taskFor = (name: string): TrainTask => (name === 'class-kfac' ? signTask() : sineTask());

/**
 * Whose steps are no continuous function of their batch, or nearly none: conjugate gradients past as many turns as the precision holds,
 * a basis of eigenvectors where eigenvalues are equal. They may differ by what a last bit of the inputs makes of them.
 */
export const rough: ReadonlyArray<string> = ['kfac-cg', 'shampoo', 'soap'];

/** A network whose layers look at the whole batch, or draw. */
export const normedTask = (): TrainTask => {
  const data = orThrow(datasetOf('noise', gaussian(1, [24, 4]), gaussian(2, [24, 2])));
  return supervised({
    name: 'normed',
    model: model(
      'normed',
      [4],
      sequential([dense({ in: 4, out: 6 }), batchNorm({ features: 6 }), dropout(0.3), dense({ in: 6, out: 2 })]),
    ),
    loss: squaredError,
    data: { train: data, test: data },
  });
};

/** A network of many layers, whose inverses there are enough of for all ranks. */
export const deepTask = (width = 6, depth = 7): TrainTask => {
  const data = orThrow(datasetOf('noise', gaussian(1, [24, 3]), gaussian(2, [24, 1])));
  return supervised({
    name: 'deep',
    model: mlp([3, ...Array.from({ length: depth }, () => width), 1]),
    loss: squaredError,
    data: { train: data, test: data },
  });
};
