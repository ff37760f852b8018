import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';

import { attempt } from '../../../src/core/errors.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import type { Loss } from '../../../src/core/nn/losses/loss.ts';
import { meanOverPositions } from '../../../src/core/nn/losses/meanOverPositions.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { initialParams, model } from '../../../src/core/nn/model.ts';
import { activation } from '../../../src/core/nn/layers/activation.ts';
import type { Params } from '../../../src/core/params.ts';
import { mapParams } from '../../../src/core/params.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { generate, tensor } from '../../../src/core/tensor.ts';
import type { Dataset } from '../../../src/pipelines/data/dataset.ts';
import { datasetOf } from '../../../src/pipelines/data/dataset.ts';
import { accuracy, sigmoidSquaredError } from '../../../src/pipelines/tasks/measures.ts';
import { supervised } from '../../../src/pipelines/tasks/supervised.ts';
import { evaluate } from '../../../src/pipelines/trainer/evaluate.ts';
import type { Decode } from '../../../src/pipelines/trainer/predict.ts';
import { predict } from '../../../src/pipelines/trainer/predict.ts';
import { scaledError } from '../../support/closeness.ts';
import { gpt, gptBatch, lengths } from '../../support/sentences.ts';
import { gaussian, mlp, orThrow } from '../../support/training.ts';
import { loopBackend } from '../../core/backends/host/support.ts';
import { poisoningBackend } from './poisoningBackend.ts';
import { sineTask } from './support.ts';

const identity = model('identity', [3], activation('identity'));

describe('evaluate', () => {
  it('law: it takes what predict takes, on any backend, and hands everything back', async () => {
    const task = sineTask();
    const { backend, live } = poisoningBackend();
    const params = initialParams(task.networks[0], keyOf(1), 'f32');
    const before = JSON.stringify(params);
    const { loss } = orThrow(await evaluate(backend, task, params, task.data.test)());
    const { inputs, targets } = task.data.test.batch(Int32Array.from({ length: 8 }, (_, i) => i));
    const outputs = orThrow(await predict(backend, task.networks[0], params, inputs)());
    const squares = Array.from(outputs.data, (y, i) => (y - targets.data[i]) ** 2);
    expect(scaledError([loss], [squares.reduce((sum, x) => sum + x, 0) / 16])).toBeLessThan(1e-13);
    expect(JSON.stringify(params)).toBe(before);
    expect(live.size).toBe(0);
  });

  it('law: arrays by name are the data set that they make', async () => {
    const task = sineTask();
    const params = initialParams(task.networks[0], keyOf(1), 'f64');
    const { backend, live } = poisoningBackend();
    const arrays = task.data.test.batch(Int32Array.from({ length: 8 }, (_, i) => i));
    const judged = orThrow(await evaluate(backend, task, params, task.data.test)());
    expect(orThrow(await evaluate(backend, task, params, arrays)())).toEqual(judged);
    const { inputs } = arrays;
    const uneven = { inputs, targets: tensor([1], [1, 1]) };
    expect(await evaluate(backend, task, params, uneven)()).toMatchObject(E.left({ _tag: 'BadData' }));
    expect(live.size).toBe(0);
  });

  it('law: the same means however the data set is cut into chunks', async () => {
    const task = sineTask();
    const { backend } = poisoningBackend();
    const params = initialParams(task.networks[0], keyOf(1), 'f64');
    const whole = orThrow(await evaluate(backend, task, params, task.data.train, { chunk: 24 })());
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), async (chunk) => {
        const { loss, measures } = orThrow(await evaluate(backend, task, params, task.data.train, { chunk })());
        const got = [loss, measures['square']];
        expect(scaledError(got, [whole.loss, whole.measures['square']])).toBeLessThan(1e-13);
      }),
      { numRuns: 30 },
    );
  });

  it('law: of a mean over positions it is that over all that count, however the data set is cut into chunks', async () => {
    const objective = gpt(5);
    const per = { word: meanOverPositions(objective.loss), sentence: objective.loss };
    const params = initialParams(objective.model, keyOf(1), 'f64');
    const examples = gptBatch(5);
    const lossOf = async (loss: Loss, chunk: number): Promise<number> => {
      const task = supervised({ name: 'words', model: objective.model, loss });
      return orThrow(await evaluate(referenceBackend(), task, params, examples, { chunk })()).loss;
    };
    const counted = lengths.reduce((x, y) => x + y);
    const expected = ((await lossOf(per.sentence, 6)) * lengths.length) / counted;
    for (const chunk of [1, 2, 4, 6]) expect(await lossOf(per.word, chunk)).toBeCloseTo(expected, 13);
    const { inputs, targets } = examples;
    const task = supervised({ name: 'words', model: objective.model, loss: per.word });
    const whole = supervised({ name: 'words', model: objective.model, loss: per.sentence });
    const [a, b] = await Promise.all(
      [task, whole].map(async (each) =>
        orThrow(await evaluate(referenceBackend(), each, params, { inputs, targets })()),
      ),
    );
    expect(a.loss).toBeCloseTo(b.loss / 5, 13);
  });

  it('worked example: loss log(1 + e) + …, and accuracy two thirds', async () => {
    const logits = tensor([1, 0, 0, 0, 2, 0, 0, 0, 3], [3, 3]);
    const data = orThrow(datasetOf('d', logits, tensor([0, 1, 0], [3], 'i32')));
    const judged = supervised({ name: 'd', model: identity, loss: softmaxCrossEntropy, measures: { accuracy } });
    const { loss, measures } = orThrow(await evaluate(referenceBackend(), judged, {}, data, { chunk: 2 })());
    const expected = [Math.log(2 + Math.E) - 1, Math.log(2 + Math.E ** 2) - 2, Math.log(2 + Math.E ** 3)];
    expect(loss).toBeCloseTo((expected[0] + expected[1] + expected[2]) / 3, 12);
    expect(measures).toEqual({ accuracy: 2 / 3 });
  });

  it('law: accuracy is that of the first of the highest logits, also where all are equal', () => {
    const { ops } = referenceBackend();
    const logits = tensor([0, 0, 0, 2, 5, 5, NaN, NaN, NaN], [3, 3]);
    const right = [0, 1, 2].map((id) => accuracy(ops, logits, tensor([id, id, id], [3], 'i32'), null).sum.data[0]);
    // The first of three equal ones is 0, the first of two 1; what is no number is nobody's.
    expect(right).toEqual([1, 1, 0]);
  });

  it('law: accuracy takes probabilities for the class that is most probable, and no other targets', () => {
    const { ops } = referenceBackend();
    const logits = gaussian(1, [5, 3, 3]);
    const ids = tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2], [5, 3], 'i32');
    const ofIds = accuracy(ops, logits, ids, null);
    const ofProbabilities = accuracy(ops, logits, ops.softmax(ops.oneHot(ids, 3)), null);
    expect([ofProbabilities.sum.data[0], ofProbabilities.weight]).toEqual([ofIds.sum.data[0], ofIds.weight]);
    // As many examples as classes, where the shapes would broadcast; and a single output, which is always the highest.
    for (const [outputs, targets] of [
      [
        [3, 3],
        [3, 3, 3],
      ],
      [
        [3, 1],
        [3, 1],
      ],
    ]) {
      expect(attempt(() => accuracy(ops, gaussian(1, outputs), gaussian(2, targets), null))).toMatchObject(
        E.left({ _tag: 'ShapeMismatch', where: 'accuracy' }),
      );
    }
  });

  it('worked example: squared error of sigmoids', () => {
    const { ops } = referenceBackend();
    // σ(0) = ½ against 0 and 1, σ(log 3) = ¾ against ½: ¼ + ¼ + 1/16
    const logits = tensor([0, 0, Math.log(3)], [1, 3]);
    const { sum: error } = sigmoidSquaredError(ops, logits, tensor([0, 1, 0.5], [1, 3]), null);
    expect(error.shape).toEqual([]);
    expect(error.data[0]).toBeCloseTo(9 / 16, 14);
  });
});

describe('parameters from outside', () => {
  const small = mlp([4, 8, 3]);
  const task = supervised({ name: small.name, model: small, loss: squaredError });
  const data = orThrow(datasetOf('d', gaussian(1, [5, 4]), gaussian(2, [5, 3])));
  const own = initialParams(small, keyOf(1), 'f64');
  const { '0.weight': first, ...rest } = own;

  it.each<readonly [string, Params<Tensor>, string, string]>([
    ['of another width', initialParams(mlp([4, 9, 3]), keyOf(1), 'f64'), '0.weight of shape [8, 4]', '[9, 4]'],
    ['without one', rest, '0.weight of shape [8, 4]', 'only 0.bias, 2.weight, 2.bias'],
    ['without any', {}, '0.weight of shape [8, 4]', 'no parameters'],
    [
      'of a deeper model with the same first layers',
      initialParams(mlp([4, 8, 3, 3]), keyOf(1), 'f64'),
      'only 0.weight, 0.bias, 2.weight, 2.bias',
      '4.weight as well',
    ],
  ])('predict and evaluate refuse parameters %s', async (_, params, expected, actual) => {
    const { backend, live } = poisoningBackend();
    const error = E.left({ _tag: 'ShapeMismatch', where: `parameters of ${small.name}`, expected, actual });
    expect(await predict(backend, small, params, gaussian(1, [2, 4]))()).toEqual(error);
    expect(await evaluate(backend, task, params, data)()).toEqual(error);
    expect(live.size).toBe(0);
  });

  it('predict and evaluate refuse a bias without its data, by its path', async () => {
    const hollow: Tensor = { shape: [8], dtype: 'f32', data: new Float32Array(0) };
    const params = { ...own, '0.bias': hollow };
    const error = E.left({
      _tag: 'ShapeMismatch',
      where: 'parameter 0.bias',
      expected: '8 values for shape [8]',
      actual: '0 values',
    });
    expect(await predict(referenceBackend(), small, params, gaussian(1, [2, 4]))()).toEqual(error);
    expect(await evaluate(referenceBackend(), task, params, data)()).toEqual(error);
    expect(first.data.length).toBe(32);
  });

  it.each([
    [NaN, 'f64'],
    [Infinity, 'f64'],
    [1e39, 'f32'],
  ] as const)(
    'predict and evaluate refuse %p, which is no number in %s, in parameters and in examples',
    async (x, dtype) => {
      const { backend } = dtype === 'f64' ? poisoningBackend() : loopBackend('f32');
      const at3 = (given: Tensor): Tensor => generate(given.shape, (i) => (i === 3 ? x : given.data[i]));
      const params = { ...own, '0.weight': at3(own['0.weight']) };
      const inputs = gaussian(1, [5, 4]);
      const spoilt: Dataset = {
        name: 'd',
        size: 5,
        batch: () => ({ inputs: at3(inputs), targets: gaussian(2, [5, 3]) }),
      };
      const wrong = E.left({ _tag: 'BadData', source: 'parameter 0.weight', actual: `${x} at position 3` });
      expect(await predict(backend, small, params, inputs)()).toMatchObject(wrong);
      expect(await evaluate(backend, task, params, data)()).toMatchObject(wrong);
      const bad = { _tag: 'BadData', actual: `${x} in example 0` };
      expect(await predict(backend, small, own, at3(inputs))()).toMatchObject(E.left(bad));
      expect(await evaluate(backend, task, own, spoilt)()).toMatchObject(E.left(bad));
    },
  );

  it('evaluate says where a loss is beyond the precision', async () => {
    const large = mapParams(own, ({ shape }) => generate(shape, () => 1e200));
    expect(await evaluate(referenceBackend(), task, large, data)()).toMatchObject(
      E.left({ _tag: 'NonFinite', where: 'evaluation', what: 'the loss on d' }),
    );
  });

  it('predict names a decoding that fails', async () => {
    const decode = () => {
      throw new TypeError('mine');
    };
    expect(await predict(referenceBackend(), small, own, gaussian(1, [2, 4]), { decode })()).toEqual(
      E.left({ _tag: 'CallbackFailed', what: 'decode', reason: 'mine' }),
    );
  });

  it.each([0, -1, 1.5, NaN])('evaluate refuses a chunk of %d', async (chunk) => {
    expect(await evaluate(referenceBackend(), task, own, data, { chunk })()).toMatchObject(
      E.left({ _tag: 'BadConfig', path: 'chunk', actual: String(chunk) }),
    );
  });
});

describe('predict', () => {
  it('decodes outputs, and leaves the parameters as they were', async () => {
    const task = sineTask();
    const { backend, live } = poisoningBackend();
    const params = initialParams(task.networks[0], keyOf(1), 'f64');
    const before = JSON.stringify(params);
    const { inputs } = task.data.test.batch(Int32Array.of(0, 1));
    const outputs = orThrow(await predict(backend, task.networks[0], params, inputs)());
    const doubled = orThrow(
      await predict(backend, task.networks[0], params, inputs, { decode: (ops, y) => ops.scale(2, y) })(),
    );
    expect(outputs.shape).toEqual([2, 1]);
    expect(Array.from(doubled.data)).toEqual(Array.from(outputs.data, (y) => 2 * y));
    expect(JSON.stringify(params)).toBe(before);
    expect(live.size).toBe(0);
  });

  it('law: outputs of a data set are those of its arrays, in chunks, in its order', async () => {
    const task = sineTask();
    const params = initialParams(task.networks[0], keyOf(1), 'f64');
    const { backend, live, openScopes } = poisoningBackend();
    const inputs = gaussian(3, [1203, 3]);
    const data = orThrow(datasetOf('many', inputs, gaussian(4, [1203, 1])));
    const whole = orThrow(await predict(backend, task.networks[0], params, inputs)());
    const inChunks = orThrow(await predict(backend, task.networks[0], params, data)());
    expect(inChunks.shape).toEqual([1203, 1]);
    expect(scaledError(inChunks.data, whole.data)).toBeLessThan(1e-14);
    expect([live.size, openScopes()]).toEqual([0, 0]);
  });

  it('what is no row for each example cannot be put together', async () => {
    const task = sineTask();
    const params = initialParams(task.networks[0], keyOf(1), 'f64');
    const { backend, live, openScopes } = poisoningBackend();
    const data = orThrow(datasetOf('many', { inputs: gaussian(3, [600, 3]) }));
    const decode: Decode = (ops, y) => ops.sum(y, [0, 1]);
    expect(await predict(backend, task.networks[0], params, data, { decode })()).toEqual(
      E.left({ _tag: 'ShapeMismatch', where: 'outputs', expected: 'a row of shape [] for each example', actual: '[]' }),
    );
    expect([live.size, openScopes()]).toEqual([0, 0]);
  });
});
