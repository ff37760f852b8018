/**
 * Training on several ranks is training on one: every preset, every number of ranks, whoever keeps the inverses.
 *
 * On the reference interpreter, where all that differs is the order in which numbers are added.
 */
import type { Backend } from '../../../src/core/backends/backend.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import { batchNorm } from '../../../src/core/nn/layers/batchNorm.ts';
import { dropout } from '../../../src/core/nn/layers/dropout.ts';
import { sequential } from '../../../src/core/nn/layers/sequential.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { model } from '../../../src/core/nn/model.ts';
import type { GradientWorkers } from '../../../src/core/parallel/spread/distributed.ts';
import { distributed } from '../../../src/core/parallel/spread/distributed.ts';
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
import { optimizerNames, optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { signTask, sineTask, wordsTask } from '../../pipelines/trainer/support.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, orThrow } from '../../support/training.ts';

const trained = async <T extends Shaped>(
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
const distance = (a: TrainResult, b: TrainResult): number =>
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
const nudged = (task: TrainTask): TrainTask => {
  const { train: trainSet } = task.data;
  const batch = Object.assign((rows: ReadonlyVector) => {
    const arrays = trainSet.batch(rows);
    const { data, shape } = arrays['inputs'];
    return { ...arrays, inputs: generate(shape, (i) => data[i] * (1 + 2 ** -52)) };
  }, trainSet.batch);
  return { ...task, data: { ...task.data, train: { ...trainSet, batch } } };
};

const onRanks = (size: number, gradientWorkers: GradientWorkers) =>
  distributed(referenceBackend(), simulated(size), { gradientWorkers });

/** Ranks with more, fewer and no examples of a batch of 7. */
const ways = [
  [1, 'all'],
  [2, 'all'],
  [3, 'one'],
  [4, 'all'],
  [8, 'one'],
] as const;

const expectSame = async (task: TrainTask, optimizer: Optimizer, batch?: number): Promise<void> => {
  const one = await trained(referenceBackend(), task, optimizer, batch);
  for (const [size, gradientWorkers] of ways) {
    expect(distance(await trained(onRanks(size, gradientWorkers), task, optimizer, batch), one)).toBeLessThan(1e-12);
  }
};

const taskOf = (name: string): TrainTask => (name === 'class-kfac' ? signTask() : sineTask());

/**
 * Whose steps are no continuous function of their batch, or nearly none: conjugate gradients past as many turns as the precision holds,
 * a basis of eigenvectors where eigenvalues are equal. They may differ by what a last bit of the inputs makes of them.
 */
const rough: ReadonlyArray<string> = ['kfac-cg', 'shampoo', 'soap'];

describe('law: on any number of ranks, training takes the steps of one process, to rounding', () => {
  for (const name of optimizerNames) {
    it(name, async () => {
      const optimizer = orThrow(optimizerOf(name));
      const one = await trained(referenceBackend(), taskOf(name), optimizer);
      const rounding = rough.includes(name)
        ? distance(await trained(referenceBackend(), nudged(taskOf(name)), optimizer), one)
        : 0;
      for (const [size, gradientWorkers] of ways) {
        const many = await trained(onRanks(size, gradientWorkers), taskOf(name), optimizer);
        expect(distance(many, one)).toBeLessThan(Math.max(1e-12, 100 * rounding));
      }
    });
  }

  it('kfac-cg with few turns, which rounding does not take over', async () => {
    await expectSame(sineTask(), orThrow(optimizerOf('kfac-cg', { maxIterations: 4 })));
  });

  it('with embeddings, normalisation over features, positions and classes', async () => {
    const optimizer = orThrow(optimizerOf('kfac'));
    await expectSame(wordsTask(), optimizer);
  });

  it('with batch normalisation, whose moments are those of the whole batch, and with dropout', async () => {
    const data = orThrow(datasetOf('noise', gaussian(1, [24, 4]), gaussian(2, [24, 2])));
    const task = supervised({
      name: 'normed',
      model: model(
        'normed',
        [4],
        sequential([dense({ in: 4, out: 6 }), batchNorm({ features: 6 }), dropout(0.3), dense({ in: 6, out: 2 })]),
      ),
      loss: squaredError,
      data: { train: data, test: data },
    });
    const optimizer = orThrow(optimizerOf('kfac'));
    await expectSame(task, optimizer);
  });

  it('with statistics of a sample of each batch', async () => {
    const optimizer = orThrow(optimizerOf('kfac', { statisticsFraction: 0.5, atLeast: 1 }));
    await expectSame(sineTask(), optimizer, 12);
  });
});
