import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { batchNorm } from '../../../src/core/nn/layers/batchNorm.ts';
import { activation } from '../../../src/core/nn/layers/activation.ts';
import { prefetched } from '../../../src/core/scan.ts';
import { embedding } from '../../../src/core/nn/layers/embedding.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import { sequential } from '../../../src/core/nn/layers/sequential.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { nodeFileSystem } from '../../../src/pipelines/files/fileSystem.ts';
import { datasetOf } from '../../../src/pipelines/data/dataset.ts';
import type { Given } from '../../../src/pipelines/fitting/given.ts';
import type { FitOptions } from '../../../src/pipelines/fitting/fit.ts';
import { fit } from '../../../src/pipelines/fitting/fit.ts';
import { loadNetwork } from '../../../src/pipelines/fitting/loadNetwork.ts';
import { accuracy } from '../../../src/pipelines/tasks/measures.ts';
import { plateau } from '../../../src/pipelines/trainer/steer.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import { sgd } from '../../../src/solvers/presets/sgd.ts';
import { orThrow } from '../../support/training.ts';

const inputs = Array.from({ length: 60 }, (_, i) => [Math.cos(i), Math.sin(i)]);
const targets = inputs.map(([x, y]) => (x * y > 0 ? 1 : 0));
const layers = sequential([dense({ in: 2, out: 16 }), activation('tanh'), dense({ in: 16, out: 2 })]);
function* throwing() {
  yield { inputs: [1, 2], targets: 0 };
  throw new Error('torn');
}
const backend = { backend: 'reference' } as const;
const options: FitOptions = { loss: softmaxCrossEntropy, measures: { accuracy }, epochs: 15, backend };

describe('fit', () => {
  it('learns quadrants from lists, and says what it came to', async () => {
    const fitted = await fit(layers, { inputs, targets }, options);
    expect(fitted.train.measures['accuracy']).toBeGreaterThan(0.9);
    // 48 examples to train on, 32 at a time.
    expect(fitted.history).toHaveLength(Math.ceil((15 * 48) / 32));
    expect(fitted.evaluations.map(({ step }) => step).slice(0, 3)).toEqual([2, 4, 6]);
    const { data, shape } = await fitted.predict([
      [0.6, 0.8],
      [-0.6, 0.8],
    ]);
    expect(shape).toEqual([2, 2]);
    expect(data[1]).toBeGreaterThan(data[0]);
    expect(data[2]).toBeGreaterThan(data[3]);
  });

  it('law: what it says of the training examples is what evaluate says of them', async () => {
    const fitted = await fit(layers, { inputs, targets }, { ...options, validation: { inputs, targets } });
    expect(await fitted.evaluate({ inputs, targets })).toEqual(fitted.train);
    expect(fitted.validation).toEqual(fitted.train);
  });

  it('law: lists and arrays of the same numbers come to the same, bit for bit', async () => {
    const data = { inputs: tensor(inputs.flat(), [60, 2]), targets: tensor(targets, [60], 'i32') };
    const [one, other] = [await fit(layers, { inputs, targets }, options), await fit(layers, data, options)];
    expect(other.params).toEqual(one.params);
  });

  it('law: a data set whose arrays have another order comes to the same, one without inputs is refused', async () => {
    const arrays = { targets: tensor(targets, [60], 'i32'), inputs: tensor(inputs.flat(), [60, 2]) };
    const data = orThrow(datasetOf('quadrants', arrays));
    const [one, other] = [await fit(layers, { inputs, targets }, options), await fit(layers, data, options)];
    expect(other.params).toEqual(one.params);
    expect(await other.evaluate(data)).toEqual(await one.evaluate({ inputs, targets }));
    const named = orThrow(datasetOf('quadrants', { points: arrays.inputs, targets: arrays.targets }));
    await expect(fit(layers, named, options)).rejects.toThrow('an array inputs');
  });

  it('law: as many epochs in two parts are those in one', async () => {
    const whole = { ...options, batch: 48, optimizer: kfac() };
    const half = await fit(layers, { inputs, targets }, { ...whole, epochs: 4 });
    const rest = await fit(layers, { inputs, targets }, { ...whole, epochs: 6, from: half.state });
    const all = await fit(layers, { inputs, targets }, { ...whole, epochs: 10 });
    expect(rest.params).toEqual(all.params);
  });

  it('one number for each example is a column where the loss is of no classes', async () => {
    const line = inputs.map(([x]) => 2 * x + 1);
    const fitted = await fit(
      dense({ in: 2, out: 1 }),
      { inputs, targets: line },
      { ...options, loss: squaredError, measures: {} },
    );
    expect(fitted.validation.loss).toBeLessThan(fitted.evaluations[0].loss / 100);
    // Whole numbers as well.
    const whole = { inputs: [[0], [1], [2], [3]], targets: [1, 3, 5, 7] };
    const exact = await fit(dense({ in: 1, out: 1 }), whole, {
      loss: squaredError,
      validation: whole,
      epochs: 30,
      backend,
    });
    expect(exact.train.loss).toBeLessThan(exact.evaluations[0].loss / 100);
  });

  it('stops where it is told to, and changes the rate where it is told to', async () => {
    const stopped = await fit(layers, { inputs, targets }, { ...options, steer: ({ step }) => ({ stop: step >= 3 }) });
    expect(stopped.history).toHaveLength(3);
    const steer = plateau({ optimizer: (learningRate) => sgd({ learningRate }), learningRate: 0.1, minimumGain: 100 });
    const slower = await fit(layers, { inputs, targets }, { ...options, optimizer: sgd({ learningRate: 0.1 }), steer });
    expect(slower.history.at(-1)?.metrics['learningRate']).toBeLessThan(0.1);
  });

  it('ends where the validation loss has not fallen for so many epochs', async () => {
    const still = { ...options, optimizer: sgd({ learningRate: 0, momentum: 0 }), patience: 2 };
    const fitted = await fit(layers, { inputs, targets }, still);
    expect(fitted.evaluations).toHaveLength(3);
    expect(fitted.history).toHaveLength(6);
  });

  it('law: a seed decides everything: the same comes to the same, another to others; so do batches', async () => {
    const run = async (other: Partial<FitOptions>) =>
      (await fit(layers, { inputs, targets }, { ...options, epochs: 2, ...other })).params;
    const one = await run({});
    expect(await run({ seed: 1, batch: 32 })).toEqual(one);
    expect(await run({ seed: 2 })).not.toEqual(one);
    expect(await run({ batch: 8 })).not.toEqual(one);
  });

  it('law: what is saved and loaded predicts the same, running averages and all', async () => {
    const normed = sequential([
      dense({ in: 2, out: 8 }),
      batchNorm({ features: 8 }),
      activation('tanh'),
      dense({ in: 8, out: 2 }),
    ]);
    const fitted = await fit(normed, { inputs, targets }, options);
    const folder = await mkdtemp(join(tmpdir(), 'kfac-fit-'));
    try {
      const path = join(folder, 'network.safetensors');
      await fitted.save(path, nodeFileSystem);
      const loaded = await loadNetwork(path, normed, { ...options, inputs: [2], files: nodeFileSystem });
      expect(Object.keys(loaded.running).length).toBeGreaterThan(0);
      expect(await loaded.predict(inputs)).toEqual(await fitted.predict(inputs));
      expect(await loaded.evaluate({ inputs, targets })).toEqual(await fitted.evaluate({ inputs, targets }));
      await expect(loadNetwork(path, layers, { ...options, inputs: [2], files: nodeFileSystem })).rejects.toThrow();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('law: typed arrays, arrays with a shape, lists of arrays and streams give what lists give, bit for bit', async () => {
    const quick: FitOptions = { ...options, epochs: 2 };
    const wanted = (await fit(layers, { inputs, targets }, quick)).params;
    const flat = Float64Array.from(inputs.flat());
    const example = (i: number) => ({ inputs: inputs[i], targets: targets[i] });
    async function* examples() {
      for (let i = 0; i < inputs.length; i += 1) yield await Promise.resolve(example(i));
    }
    function* batches() {
      for (let i = 0; i < inputs.length; i += 7) {
        const some = flat.subarray(2 * i, 2 * (i + 7));
        yield {
          inputs: { shape: [some.length / 2, 2], data: some },
          targets: Uint8Array.from(targets.slice(i, i + 7)),
        };
      }
    }
    const ways: ReadonlyArray<Given> = [
      { inputs: { shape: [60, 2], data: flat }, targets: Uint8Array.from(targets) },
      { inputs: inputs.map((row) => Float64Array.from(row)), targets: Float32Array.from(targets) },
      { inputs: inputs.map((row) => tensor(row, [2])), targets: { shape: [60], data: Int32Array.from(targets) } },
      { examples: inputs.map((_, i) => example(i)) },
      { examples: examples() },
      { batches: batches() },
      { batches: prefetched(batches(), 3) },
    ];
    for (const data of ways) expect((await fit(layers, data, quick)).params).toEqual(wanted);
  });

  it('whole numbers are looked up in a table by networks that have one, and computed with by others', async () => {
    const lookup = sequential([embedding({ vocabulary: 3, out: 2 }), dense({ in: 2, out: 1 })]);
    const words = Array.from({ length: 12 }, (_, i) => i % 3);
    const quick: FitOptions = { loss: squaredError, epochs: 1, backend };
    const scores = words.map((word) => [[word]]);
    const { params } = await fit(lookup, { inputs: words.map((word) => [word]), targets: scores }, quick);
    const bytes = { shape: [12, 1], data: Uint8Array.from(words) };
    expect((await fit(lookup, { inputs: bytes, targets: scores }, quick)).params).toEqual(params);
    const line = dense({ in: 1, out: 1 });
    const plain = await fit(line, { inputs: words.map((word) => [word]), targets: words }, quick);
    for (const same of [bytes, tensor(words, [12, 1], 'i32')]) {
      expect((await fit(line, { inputs: same, targets: words }, quick)).params).toEqual(plain.params);
    }
  });

  it('sets aside what it is told to: the last ones, or a share of each class', async () => {
    const quick: FitOptions = { ...options, epochs: 1 };
    const last = await fit(layers, { inputs, targets }, { ...quick, validation: { test: 0.25, order: 'given' } });
    expect(last.validation).toEqual(await last.evaluate({ inputs: inputs.slice(45), targets: targets.slice(45) }));
    const shares = await fit(layers, { inputs, targets }, { ...quick, validation: { stratify: 'targets' } });
    expect(shares.history).toHaveLength(2);
  });

  it.each([
    ['lists of other lengths', { inputs: [[1, 2], [3]], targets: [0, 1] }, {}, 'inputs[1]'],
    ['nothing', { inputs: [], targets: [] }, {}, 'inputs'],
    [
      'a row of another length in a list of arrays',
      { inputs: [Float32Array.of(1, 2), [3]], targets: [0, 1] },
      {},
      'inputs[1]',
    ],
    [
      'a shape that is not filled',
      { inputs: { shape: [2, 2], data: Float32Array.of(1, 2, 3) }, targets: [0, 1] },
      {},
      '3 numbers',
    ],
    [
      'an array in a list that is not filled',
      { inputs: [3, 1].map((length) => ({ shape: [2], data: new Float32Array(length) })), targets: [0, 1] },
      {},
      'inputs[0]',
    ],
    ['an example without targets', { examples: [{ inputs: [1, 2], targets: 0 }, { inputs: [1, 2] }] }, {}, 'example 1'],
    ['no examples', { examples: [] }, {}, 'at least one'],
    [
      'a source that throws',
      { examples: throwing() },
      {},
      'example 1: expected inputs and targets, got the error “torn”',
    ],
    [
      'a batch of another width',
      {
        batches: [
          { inputs, targets },
          { inputs: [[1]], targets: [1] },
        ],
      },
      {},
      'batch 1',
    ],
    ['a batch of fewer targets', { batches: [{ inputs, targets: [0] }] }, {}, 'batch 0'],
    ['a way to set aside that is none', { inputs, targets }, { validation: { stratify: 'labels' } }, 'labels'],
    ['fewer targets', { inputs, targets: [0, 1] }, {}, 'as many inputs as targets'],
    ['a class that is not there', { inputs, targets: targets.map((t) => 2 * t) }, {}, 'classes from 0 to 1'],
    ['inputs of another width', { inputs: inputs.map(([x]) => [x]), targets }, {}, '2'],
    ['a larger batch than there are examples', { inputs, targets }, { batch: 100 }, 'batch'],
    ['all for validation', { inputs, targets }, { validation: 1 }, 'test'],
  ])('refuses %s in a sentence', async (_, data, other, said) => {
    await expect(fit(layers, data as Given, { ...options, ...other })).rejects.toThrow(said);
  });
});
