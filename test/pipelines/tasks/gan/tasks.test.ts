import * as E from 'fp-ts/lib/Either.js';

import type { Backend } from '../../../../src/core/backends/backend.ts';
import { nativeBackend } from '../../../../src/core/backends/native/backend.ts';
import { referenceBackend } from '../../../../src/core/backends/reference/backend.ts';
import { keyOf } from '../../../../src/core/random/key.ts';
import type { Tensor } from '../../../../src/core/tensor.ts';
import { generate } from '../../../../src/core/tensor.ts';
import { growthOf } from '../../../../src/pipelines/tasks/gan/growth.ts';
import { ganRingOf } from '../../../../src/pipelines/tasks/gan/ganRing.ts';
import { ganLossNames } from '../../../../src/pipelines/tasks/gan/pair.ts';
import { taskOf } from '../../../../src/pipelines/catalogue/tasks.ts';
import type { TrainResult } from '../../../../src/pipelines/trainer/conclude.ts';
import type { TrainOptions } from '../../../../src/pipelines/trainer/options.ts';
import type { Optimizer } from '../../../../src/solvers/presets/optimizer.ts';
import { train } from '../../../../src/pipelines/trainer/train.ts';
import { gameOptimizers } from '../../../../src/pipelines/tasks/gan/adversarial.ts';
import { adam } from '../../../../src/solvers/presets/adam.ts';
import { kfac } from '../../../../src/solvers/presets/kfac.ts';
import { averagedParams } from '../../../../src/solvers/update/iterateAveraging.ts';
import { loopBackend } from '../../../core/backends/host/support.ts';
import { orThrow } from '../../../support/training.ts';
import { idxFile, memoryFiles } from '../../support.ts';

const ringTask = async (settings: Parameters<typeof ganRingOf>[0]) => {
  const task = ganRingOf({ size: 'small', width: 8, samples: 40, ...settings });
  return { ...task, data: orThrow(await task.load(memoryFiles())()) };
};

const trained = async (
  settings: Parameters<typeof ganRingOf>[0],
  optimizer: Optimizer,
  steps = 3,
  more: Partial<TrainOptions> = {},
): Promise<TrainResult> => {
  const env = { backend: loopBackend('f64').backend, clock: () => 0 };
  return orThrow(
    await train(env, await ringTask(settings), optimizer, { duration: { steps }, batch: 16, seed: 1, ...more })(),
  );
};

describe('gan-ring', () => {
  it.each(ganLossNames)('%s: both players move, by K-FAC and by Adam, and all is judged', async (loss) => {
    for (const optimizer of [kfac(), adam()]) {
      const { test, history, params } = await trained({ loss }, optimizer);
      expect(Object.keys(test.measures).sort()).toEqual(['modes', 'nearby']);
      expect(Object.keys(history[0].metrics)).toEqual(
        expect.arrayContaining(['generator.loss', 'discriminator.loss', 'discriminator.penalty']),
      );
      const start = (await trained({ loss }, optimizer, 0)).params;
      expect(params['generator.1.weight']).not.toEqual(start['generator.1.weight']);
      expect(params['discriminator.0.weight']).not.toEqual(start['discriminator.0.weight']);
    }
  });

  it.each(Object.entries(gameOptimizers))('%s moves both players as one', async (_, optimizer) => {
    const { params } = await trained({ width: 4 }, optimizer(), 2);
    const start = (await trained({ width: 4 }, optimizer(), 0)).params;
    expect(params['generator.1.weight']).not.toEqual(start['generator.1.weight']);
    expect(params['discriminator.0.weight']).not.toEqual(start['discriminator.0.weight']);
  });

  it('law: at once differs from in turn, and simultaneous descent is gradient descent at once', async () => {
    const sgd = orThrow(E.right(gameOptimizers['simultaneous']({ learningRate: 0.05 })));
    const plain = { averaging: 0, moves: 'atOnce' as const };
    const [inTurn, atOnce] = [await trained({ averaging: 0 }, adam()), await trained(plain, adam())];
    expect(inTurn.params).not.toEqual(atOnce.params);
    expect((await trained(plain, sgd)).params).toEqual((await trained({ averaging: 0 }, sgd)).params);
  });

  it('law: what is judged and returned is the average of the generator; training goes on from the parameters', async () => {
    const whole = await trained({ averaging: 0.5 }, adam(), 4);
    expect(whole.params).toEqual(averagedParams(whole.state));
    expect(whole.params['generator.1.weight']).not.toEqual(whole.state.params['generator.1.weight']);
    expect(whole.params['discriminator.0.weight']).toEqual(whole.state.params['discriminator.0.weight']);
    const first = await trained({ averaging: 0.5 }, adam(), 2);
    const rest = await trained({ averaging: 0.5 }, adam(), 4, { from: first.state });
    expect(rest.params).toEqual(whole.params);
    expect(rest.state).toEqual(whole.state);
  });

  it('a generator may have an optimizer of its own', async () => {
    const generatorBy = adam({ learningRate: 0 });
    const of = (steps: number) => trained({ generatorBy, averaging: 0 }, adam(), steps);
    const [moved, start] = [await of(3), await of(0)];
    expect(moved.params['generator.1.weight']).toEqual(start.params['generator.1.weight']);
    expect(moved.params['discriminator.0.weight']).not.toEqual(start.params['discriminator.0.weight']);
  });

  it('settings are those of the family; one that is wrong is refused', () => {
    const task = orThrow(taskOf('gan-ring', 'small', undefined, { loss: 'hinge', width: 5 }));
    expect(task.settings).toMatchObject({ loss: 'hinge', width: 5, penalty: 'r1', moves: 'inTurn' });
    expect(taskOf('gan-ring', 'small', undefined, { loss: 'wasserstein' })).toMatchObject({
      left: { _tag: 'BadConfig', path: 'with.loss' },
    });
  });
});

describe('growth', () => {
  const glimpses = Array.from({ length: 10 }, (_, i) => ({ step: 10 * (i + 1), arrays: {} }));

  it('a few looks are spread over the way, without the last, which is the end', () => {
    const of = (count: number) => growthOf({ name: 'a', arrays: {}, earlier: glimpses }, count).map(({ step }) => step);
    expect(of(3)).toEqual([10, 40, 70]);
    expect(of(20)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90]);
    expect(growthOf({ name: 'a', arrays: {} }, 3)).toEqual([]);
  });
});

/** The natives, where there are some: images take long on the reference interpreter. */
const fast = (): Backend<Tensor> =>
  E.getOrElse((): Backend<Tensor> => referenceBackend())(nativeBackend({ dtype: 'f64' }));

describe('gan-mnist', () => {
  /** Images of a size, black and white in two classes. */
  const images = (height: number, width: number, count = 40) => {
    const pixels = (n: number) =>
      Array.from({ length: n * height * width }, (_, i) =>
        Math.floor(i / (height * width)) % 2 === 0 ? i % 256 : 255 - (i % 256),
      );
    const labels = (n: number) => Array.from({ length: n }, (_, i) => i % 2);
    return {
      'd/train-images-idx3-ubyte': idxFile('u8', [count, height, width], pixels(count)),
      'd/train-labels-idx1-ubyte': idxFile('u8', [count], labels(count)),
      'd/t10k-images-idx3-ubyte': idxFile('u8', [8, height, width], pixels(8)),
      'd/t10k-labels-idx1-ubyte': idxFile('u8', [8], labels(8)),
    };
  };

  const of = (settings = {}) =>
    orThrow(taskOf('gan-mnist', 'small', undefined, { channels: 2, noise: 3, judgeSteps: 2, ...settings }));

  it('networks have the extents of the images; the judge has learned, and is held', async () => {
    const { task, train: training, test } = orThrow(await of().load(memoryFiles(images(8, 12)), 'd')());
    expect(task.networks.map(({ inputs }) => inputs['inputs'])).toEqual([[96], [96], [96]]);
    const { params, held = {} } = task.initial(keyOf(1), 'f32');
    expect(Object.keys(held).every((path) => path.startsWith('judge.'))).toBe(true);
    expect(Object.keys(params).some((path) => path.startsWith('judge.'))).toBe(false);
    // The same classifier, whatever training begins with.
    expect(task.initial(keyOf(2), 'f32').held).toEqual(held);
    expect([training.size, test.size]).toEqual([40, 8]);
  });

  it('is trained and judged; held parameters stay', async () => {
    const { task, ...data } = orThrow(await of().load(memoryFiles(images(8, 8)), 'd')());
    const env = { backend: fast(), clock: () => 0 };
    const options = { duration: { steps: 2 }, batch: 8, seed: 1 };
    const result = orThrow(await train(env, { ...task, data }, kfac(), options)());
    expect(Object.keys(result.test.measures).sort()).toEqual(['classes', 'judgeAccuracy', 'precision', 'recall']);
    const { held = {} } = task.initial(keyOf(1), 'f64');
    for (const path of Object.keys(held))
      expect(Array.from(result.params[path].data)).toEqual(Array.from(held[path].data));
    expect(Object.keys(result.running).some((path) => path.endsWith('variance'))).toBe(true);
    const standing = { params: result.params, held: {}, running: result.running };
    const look = orThrow(
      await (task.preview?.look(env.backend, standing, data) ?? (() => Promise.reject(new Error('no preview'))))(),
    );
    expect(look['images'].shape).toEqual([128, 64]);
    const exhibits = task.preview?.show([
      {
        name: 'kfac',
        arrays: look,
        earlier: [
          { step: 1, arrays: look },
          { step: 2, arrays: look },
        ],
      },
    ]);
    expect(exhibits?.map(({ kind, name }) => [kind, name])).toEqual([
      ['images', 'samples'],
      ['images', 'growth'],
      ['file', 'classes.txt'],
    ]);
  });

  it('refuses images whose sides are no multiples of 4, before anything is trained', async () => {
    expect(await of().load(memoryFiles(images(6, 8)), 'd')()).toMatchObject({
      left: { _tag: 'BadData', expected: 'images whose sides are multiples of 4', actual: '6 x 8' },
    });
  });

  it('before its data are read there is nothing to compare with', () => {
    const task = of();
    const { ops } = referenceBackend();
    const { params, held = {} } = task.initial(keyOf(1), 'f64');
    const batch = { inputs: generate([2, 784], () => 0), targets: generate([2], () => 0, 'i32') };
    expect(() => task.judge(ops, { params, held, running: {} }, batch)).toThrow();
  });
});
