/** Training that goes wrong says so, with step, stage and site; training that only went up says that. */
import { dense } from '../../../src/core/nn/layers/dense.ts';
import { leaf } from '../../../src/core/nn/layers/layer.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { model } from '../../../src/core/nn/model.ts';
import { sequential } from '../../../src/core/nn/layers/sequential.ts';
import { generate } from '../../../src/core/tensor.ts';
import type { Dataset } from '../../../src/pipelines/data/dataset.ts';
import { composeOptimizer } from '../../../src/pipelines/config/compose/compose.ts';
import { supervised } from '../../../src/pipelines/tasks/supervised.ts';
import type { TrainTask } from '../../../src/pipelines/trainer/learning.ts';
import type { TrainOptions } from '../../../src/pipelines/trainer/options.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import type { Optimizer } from '../../../src/solvers/presets/optimizer.ts';
import { optimizerNames, optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { sgd } from '../../../src/solvers/presets/sgd.ts';
import { orThrow, referenceEnv } from '../../support/training.ts';
import { errorOf } from '../support.ts';
import { sineTask } from './support.ts';

const options: TrainOptions = { duration: { steps: 6 }, batch: 8, seed: 1 };

const run = async (task: TrainTask, optimizer: Optimizer, changes: Partial<TrainOptions> = {}) =>
  train(referenceEnv(), task, optimizer, { ...options, ...changes })();

/** Linear, so that losses grow without a bound and without a NaN. */
const linear = (): TrainTask =>
  supervised({
    name: 'linear',
    model: model('linear', [3], dense({ in: 3, out: 1 })),
    loss: squaredError,
    data: sineTask().data,
  });

describe('a loss that makes no sense', () => {
  it('of 1e257 in double precision is no success', async () => {
    const error = errorOf(await run(linear(), sgd({ learningRate: 1e40, momentum: 0 })));
    expect(error).toMatchObject({
      _tag: 'NonFinite',
      where: 'training step 2, forward',
      what: 'the loss',
      actual: expect.stringMatching(/^\d\.\d\de\+\d+, which makes no sense$/) as string,
    });
  });

  it('is one that is 1e20 times that before the first step, not one that has grown much', async () => {
    const grown = orThrow(await run(linear(), sgd({ learningRate: 1e3, momentum: 0 }), { duration: { steps: 2 } }));
    expect(grown.train.loss).toBeGreaterThan(1e6 * grown.change.before);
  });
});

describe('a norm that the precision does not hold', () => {
  it('is no success: an update of 1e300', async () => {
    expect(errorOf(await run(linear(), sgd({ learningRate: 1e300, momentum: 0 })))).toMatchObject({
      _tag: 'NonFinite',
      where: 'training step 1, update',
      what: 'updateNorm',
    });
  });
});

describe('a schedule that will not hold', () => {
  const fading = (steps: number) =>
    orThrow(
      composeOptimizer({
        estimator: 'exact',
        curvature: 'kfac',
        solver: { kind: 'eigen', damping: { kind: 'cosine', start: 1, steps } },
      }),
    );

  it('is refused before the first step, where the run is long enough for it to fail', async () => {
    const seen: Array<number> = [];
    const listeners: TrainOptions['listeners'] = [(event) => () => void seen.push(event.seconds)];
    expect(errorOf(await run(linear(), fading(3), { listeners }))).toMatchObject({
      _tag: 'BadConfig',
      path: 'damping',
      actual: '0 at step 3',
    });
    expect(seen).toEqual([]);
    expect(orThrow(await run(linear(), fading(6))).steps).toBe(6);
  });
});

describe('what a failure comes of', () => {
  it('is looked for before the solver is blamed: parameters that an earlier step has spoilt', async () => {
    const error = errorOf(await run(linear(), sgd({ learningRate: 1e150 })));
    expect(error).toMatchObject({
      _tag: 'NonFinite',
      where: expect.stringMatching(/^training step [2-6], /) as string,
    });
  });

  /** x e^(e^(x²)): finite at 0.01, not at 8. */
  const exploding = leaf({
    kind: 'exploding',
    label: 'exploding',
    parameters: () => [],
    apply: (ops, _params, _path, x) => ops.mul(x, ops.exp(ops.exp(ops.square(x)))),
  });

  /** 600 examples, the last hundred of which make a layer overflow: more than are looked at before the first step. */
  const steep = (classes: number): TrainTask => {
    const net = sequential({
      start: dense({ in: 3, out: 3 }),
      explode: exploding,
      head: dense({ in: 3, out: classes }),
    });
    const train: Dataset = {
      name: 'steep',
      size: 600,
      batch: (indices) => ({
        inputs: generate([indices.length, 3], (i) => (indices[Math.floor(i / 3)] < 500 ? 0.01 : 8) * (1 + (i % 3))),
        targets: generate(classes === 1 ? [indices.length, 1] : [indices.length], (i) => indices[i] % 2, 'i32'),
      }),
    };
    const test = { ...train, name: 'flat', size: 8 };
    const loss = classes === 1 ? squaredError : softmaxCrossEntropy;
    return supervised({ name: 'steep', model: model('steep', [3], net), loss, data: { train, test } });
  };

  it.each(optimizerNames)('%s: a layer whose outputs overflow is named, with step and stage', async (name) => {
    const optimizer = orThrow(optimizerOf(name, name === 'class-kfac' ? { classes: 2 } : {}));
    expect(errorOf(await run(steep(name === 'class-kfac' ? 2 : 1), optimizer, { seed: 2 }))).toMatchObject({
      _tag: 'NonFinite',
      where: expect.stringMatching(/^training step [1-6], forward$/) as string,
      what: 'the input of head',
    });
  });
});

describe('training that ended above its start', () => {
  it('worked example: the loss on the same examples before the first step and after the last', async () => {
    const { change, train: all } = orThrow(await run(linear(), sgd({ learningRate: 2, momentum: 0.9 })));
    expect(change.examples).toBe(24);
    expect(change.after).toBe(all.loss);
    expect(change.after).toBeGreaterThan(change.before);
    expect(orThrow(await run(linear(), sgd())).change.before).toBe(change.before);
  });

  it('law: what is compared are the same examples, whatever the batch', async () => {
    const large = linear();
    const { train: whole } = large.data;
    const data = {
      ...large.data,
      train: {
        ...whole,
        size: 1200,
        batch: (at: ArrayLike<number>) => whole.batch(Int32Array.from(at, (i) => i % 24)),
      },
    };
    const { change } = orThrow(await run({ ...large, data }, sgd()));
    const [before, after] = [await run(large, sgd(), { duration: { steps: 0 } }), await run({ ...large, data }, sgd())];
    expect(change.examples).toBe(500);
    expect(orThrow(before).change.before).toBeGreaterThan(0);
    expect(orThrow(after).change).toEqual(change);
  });
});
