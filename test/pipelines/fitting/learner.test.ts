import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { activation } from '../../../src/core/nn/layers/activation.ts';
import { batchNorm } from '../../../src/core/nn/layers/batchNorm.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import { sequential } from '../../../src/core/nn/layers/sequential.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { model } from '../../../src/core/nn/model.ts';
import { tensor } from '../../../src/core/tensor.ts';
import type { LearnerOptions } from '../../../src/pipelines/fitting/learner.ts';
import { learner } from '../../../src/pipelines/fitting/learner.ts';
import { torchLike } from '../../../src/pipelines/fitting/torchLike.ts';
import { accuracy } from '../../../src/pipelines/tasks/measures.ts';
import { supervised } from '../../../src/pipelines/tasks/supervised.ts';
import { training } from '../../../src/pipelines/trainer/training.ts';
import { adam } from '../../../src/solvers/presets/adam.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import { soap } from '../../../src/solvers/presets/soap.ts';
import { orThrow } from '../../support/training.ts';

const inputs = Array.from({ length: 48 }, (_, i) => [Math.cos(i), Math.sin(i)]);
const targets = inputs.map(([x, y]) => (x * y > 0 ? 1 : 0));
const all = { inputs, targets };
const half = (from: number): typeof all => ({
  inputs: inputs.slice(from, from + 24),
  targets: targets.slice(from, from + 24),
});
const layers = sequential([
  dense({ in: 2, out: 16 }),
  batchNorm({ features: 16 }),
  activation('tanh'),
  dense({ in: 16, out: 2 }),
]);
const options: LearnerOptions = { inputs: [2], loss: softmaxCrossEntropy, backend: { backend: 'reference' }, seed: 3 };

describe('a learner', () => {
  it('learns quadrants in a loop, predicts and judges', async () => {
    let quadrants = await learner(layers, { ...options, measures: { accuracy } });
    expect([quadrants.steps, quadrants.metrics]).toEqual([0, {}]);
    for (let i = 0; i < 20; i += 1) quadrants = await quadrants.step(all);
    expect(quadrants.steps).toBe(20);
    expect(quadrants.metrics['loss']).toBeLessThan(0.2);
    expect((await quadrants.evaluate(all)).measures['accuracy']).toBeGreaterThan(0.9);
    expect((await quadrants.predict([[0.6, 0.8]])).shape).toEqual([1, 2]);
  });

  it.each([{}, { examples: 48 }])('law: its parameters are those of training, bit for bit: %j', async (known) => {
    let mine = await learner(layers, { ...options, ...known });
    for (let i = 0; i < 6; i += 1) mine = await mine.step(half(24 * (i % 2)));
    const batch = (from: number) => ({
      inputs: tensor(half(from).inputs.flat(), [24, 2]),
      targets: tensor(half(from).targets, [24], 'i32'),
    });
    const task = supervised({ name: 'network', model: model('network', [2], layers), loss: softmaxCrossEntropy });
    const batches = Array.from({ length: 6 }, (_, i) => batch(24 * (i % 2)));
    const env = { backend: referenceBackend(), clock: () => 0, ...known };
    let last = null;
    for await (const step of training(env, task, kfac(), { seed: 3, batches })) {
      last = orThrow(await orThrow(step).copy());
    }
    expect(mine.params).toEqual(last?.params);
    expect(mine.running).toEqual(last?.running);
  });

  it.each(['reference', 'portable', 'auto'] as const)(
    'law: a value, on %s: steps leave it as it is',
    async (backend) => {
      const begun = await learner(layers, { ...options, backend: { backend } });
      let before = begun;
      for (let i = 0; i < 7; i += 1) before = await before.step(all);
      const seen = structuredClone(before.params);
      let once = before;
      for (let i = 0; i < 4; i += 1) once = await once.step(half(0));
      expect(before.params).toEqual(seen);
      let again = before;
      for (let i = 0; i < 4; i += 1) again = await again.step(half(0));
      expect(again.params).toEqual(once.params);
      const [left, right] = await Promise.all([before.step(all), before.step(half(24))]);
      expect((await before.step(all)).params).toEqual(left.params);
      expect((await before.step(half(24))).params).toEqual(right.params);
      expect(begun.steps).toBe(0);
    },
  );

  it('law: a course in two parts, by a state that was read, is that in one', async () => {
    const course = await [0, 24, 0, 24].reduce(
      async (before, from) => (await before).step(half(from)),
      learner(layers, options),
    );
    const first = await (await (await learner(layers, options)).step(half(0))).step(half(24));
    const rest = await learner(layers, { ...options, from: await first.state() });
    expect((await (await rest.step(half(0))).step(half(24))).params).toEqual(course.params);
  });

  it('goes on with another optimizer, which remembers the same', async () => {
    const begun = await (await learner(layers, { ...options, optimizer: adam({ learningRate: 0.1 }) })).step(all);
    const slower = begun.with(adam({ learningRate: 0 }));
    expect((await slower.step(all)).params).toEqual(begun.params);
    expect((await begun.step(all)).params).not.toEqual(begun.params);
  });

  it('runs any optimizer', async () => {
    let quadrants = await learner(layers, { ...options, optimizer: soap({ learningRate: 0.05 }) });
    for (let i = 0; i < 30; i += 1) quadrants = await quadrants.step(all);
    expect(quadrants.metrics['loss']).toBeLessThan(0.2);
  });

  it.each<readonly [string, Partial<LearnerOptions>, unknown, RegExp]>([
    ['a setting out of range', { optimizer: kfac({ damping: -1 }) }, all, /damping: expected .*got -1/],
    ['a class that there is not', {}, { inputs, targets: targets.map(() => 7) }, /targets.*7/],
    ['inputs of another shape', {}, { inputs: inputs.map(() => [1]), targets }, /expected/],
    ['numbers that are none', {}, { inputs: inputs.map(() => [NaN, 0]), targets }, /finite numbers/],
    ['no examples at all', {}, { inputs: [], targets: [] }, /expected/],
    [
      'graphics hardware',
      { backend: { backend: 'gpu' } },
      all,
      /backend: expected auto, native, portable or reference/,
    ],
  ])('%s rejects with a sentence', async (_, some, examples, message) => {
    const tried = learner(layers, { ...options, ...some }).then((begun) => begun.step(examples as typeof all));
    await expect(tried).rejects.toThrow(message);
  });
});

describe('torchLike', () => {
  it('law: its steps are those of the learner', async () => {
    const begun = await learner(layers, options);
    const optimizer = torchLike(begun);
    for (const from of [0, 24]) {
      optimizer.zeroGrad();
      optimizer.backward(half(from));
      await optimizer.step();
    }
    const mine = await (await begun.step(half(0))).step(half(24));
    expect(optimizer.network().params).toEqual(mine.params);
  });

  it('adds up what it has looked at since zeroGrad, and keeps it as PyTorch does', async () => {
    const begun = await learner(layers, options);
    const optimizer = torchLike(begun);
    optimizer.backward(half(0));
    optimizer.backward(half(24));
    const loss = await optimizer.step();
    const whole = await begun.step(all);
    expect(loss).toBe(whole.metrics['loss']);
    expect(optimizer.network().params).toEqual(whole.params);
    await optimizer.step();
    expect(optimizer.network().params).toEqual((await whole.step(all)).params);
  });

  it('goes on with another optimizer', async () => {
    const optimizer = torchLike(await learner(layers, { ...options, optimizer: adam() }));
    const { params } = optimizer.network();
    optimizer.setOptimizer(adam({ learningRate: 0 }));
    optimizer.backward(all);
    await optimizer.step();
    expect(optimizer.network().params).toEqual(params);
  });

  it('says what is missing, and is as it was after a step that failed', async () => {
    const optimizer = torchLike(await learner(layers, options));
    await expect(optimizer.step()).rejects.toThrow(/call backward first/);
    optimizer.backward(all);
    const first = optimizer.step();
    await expect(optimizer.step()).rejects.toThrow(/await each/);
    await first;
    const { params } = optimizer.network();
    optimizer.zeroGrad();
    optimizer.backward({ inputs: [[NaN, 1]], targets: [0] });
    await expect(optimizer.step()).rejects.toThrow(/finite/);
    expect(optimizer.network().params).toBe(params);
    optimizer.zeroGrad();
    optimizer.backward(all);
    await optimizer.step();
    expect(optimizer.network().steps).toBe(2);
  });
});
