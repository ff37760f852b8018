/**
 * Training in parts of a batch is training on the batch: every preset, uneven parts, alone and on several ranks.
 *
 * On the reference interpreter, where all that differs is the order in which numbers are added.
 */
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { distributed } from '../../../src/core/parallel/spread/distributed.ts';
import { simulated, single } from '../../../src/core/parallel/simulated.ts';
import { activation } from '../../../src/core/nn/layers/activation.ts';
import { batchNorm } from '../../../src/core/nn/layers/batchNorm.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import type { Layer } from '../../../src/core/nn/layers/layer.ts';
import { sequential } from '../../../src/core/nn/layers/sequential.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { model } from '../../../src/core/nn/model.ts';
import { datasetOf } from '../../../src/pipelines/data/dataset.ts';
import { supervised } from '../../../src/pipelines/tasks/supervised.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import type { TrainTask } from '../../../src/pipelines/trainer/learning.ts';
import type { Optimizer } from '../../../src/solvers/presets/optimizer.ts';
import { optimizerNames, optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { sineTask, wordsTask } from '../../pipelines/trainer/support.ts';
import { gaussian, orThrow } from '../../support/training.ts';
import { poisoningBackend } from '../../pipelines/trainer/poisoningBackend.ts';
import { distance, normedTask, nudged, rough, taskFor, trained } from './support.ts';

/** Seven examples in parts of more and fewer, and in parts of one or none; alone and on ranks. */
const ways = [
  [1, 3],
  [1, 8],
  [3, 2],
] as const;

/** What is computed from memory that has gone back is no number there. */
const inParts = (ranks: number, accumulate: number) =>
  distributed(poisoningBackend().backend, ranks === 1 ? single() : simulated(ranks), {
    accumulate,
    gradientWorkers: ranks === 3 ? 'one' : 'all',
  });

const expectSame = async (task: TrainTask, optimizer: Optimizer, most = 1e-12, batch?: number): Promise<void> => {
  const one = await trained(referenceBackend(), task, optimizer, batch);
  for (const [ranks, parts] of ways) {
    expect(distance(await trained(inParts(ranks, parts), task, optimizer, batch), one)).toBeLessThan(most);
  }
};

describe('law: in any number of parts, training takes the steps of the whole batch, to rounding', () => {
  for (const name of optimizerNames) {
    it(name, async () => {
      const optimizer = orThrow(optimizerOf(name));
      const one = rough.includes(name) ? await trained(referenceBackend(), taskFor(name), optimizer) : null;
      const rounding =
        one === null ? 0 : distance(await trained(referenceBackend(), nudged(taskFor(name)), optimizer), one);
      await expectSame(taskFor(name), optimizer, Math.max(1e-12, 100 * rounding));
    });
  }

  it('kfac-cg with few turns, which rounding does not take over', async () => {
    await expectSame(sineTask(), orThrow(optimizerOf('kfac-cg', { maxIterations: 4 })));
  });

  it('with embeddings, normalisation over features, positions and classes', async () => {
    await expectSame(wordsTask(), orThrow(optimizerOf('kfac')));
  });

  it('with batch normalisation, whose moments are those of the whole batch, and with dropout', async () => {
    await expectSame(normedTask(), orThrow(optimizerOf('kfac')));
  });

  it('with statistics of a sample of each batch', async () => {
    const optimizer = orThrow(optimizerOf('kfac', { statisticsFraction: 0.5, atLeast: 1 }));
    await expectSame(sineTask(), optimizer, 1e-12, 12);
  });
});

/** So many examples that arrays of them are most of what a step has in memory, and worth a scope (`core/ops/tidy`). */
const examples = 512;

const wide = (layer: (features: number) => ReadonlyArray<Layer>): TrainTask => {
  const data = orThrow(datasetOf('noise', gaussian(1, [examples, 4]), gaussian(2, [examples, 2])));
  const hidden = Array.from({ length: 3 }, () => [dense({ in: 8, out: 8 }), ...layer(8)]).flat();
  return supervised({
    name: 'wide',
    model: model('wide', [4], sequential([dense({ in: 4, out: 8 }), ...hidden, dense({ in: 8, out: 2 })])),
    loss: squaredError,
    data: { train: data, test: { ...data, size: 1 } },
  });
};

/** The most bytes at a time while it is trained, in parts. */
const peakOf = async (task: TrainTask, name: string, accumulate: number): Promise<number> => {
  const { backend, peak } = poisoningBackend();
  const options = { duration: { steps: 2 }, batch: examples, seed: 1 };
  const parts = distributed(backend, single(), { accumulate });
  orThrow(await train({ backend: parts, clock: () => 0 }, task, orThrow(optimizerOf(name)), options)());
  return peak();
};

describe('law: memory of what is computed for examples falls with the number of parts', () => {
  it.each(['adam', 'kfac', 'ekfac', 'block-kfac', 'kfac-adaptive', 'kfac-cg'])('%s', async (name) => {
    const task = wide(() => [activation('tanh')]);
    const whole = await peakOf(task, name, 1);
    expect((await peakOf(task, name, 2)) / whole).toBeLessThan(0.6);
    expect((await peakOf(task, name, 8)) / whole).toBeLessThan(0.25);
  });

  it('with batch normalisation, what it normalises stays', async () => {
    const task = wide((features) => [batchNorm({ features }), activation('tanh')]);
    const whole = await peakOf(task, 'adam', 1);
    const parts = await peakOf(task, 'adam', 8);
    // What stays is most of what the whole has at a time: normalising hands its temporaries back either way.
    expect(parts / whole).toBeLessThan(0.9);
    const without = await peakOf(
      wide(() => [activation('tanh')]),
      'adam',
      8,
    );
    // Arrays of all examples, in 64 bits, for each of three normalisations.
    expect((parts - without) / (3 * examples * 8 * 8)).toBeLessThan(12);
  });
});
