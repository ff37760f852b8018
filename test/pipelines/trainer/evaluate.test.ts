import fc from 'fast-check';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { initialParams, model } from '../../../src/core/nn/model.ts';
import { activation } from '../../../src/core/nn/layers/activation.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { datasetOf } from '../../../src/pipelines/data/dataset.ts';
import { correct, sigmoidSquaredError } from '../../../src/pipelines/tasks/measures.ts';
import { evaluate, predict } from '../../../src/pipelines/trainer/evaluate.ts';
import { scaledError } from '../../support/closeness.ts';
import { orThrow } from '../../support/training.ts';
import { poisoningBackend } from './poisoningBackend.ts';
import { sineTask } from './support.ts';

const identity = model('identity', [3], activation('identity'));

describe('evaluate', () => {
  it('law: the same means however the data set is cut into chunks', async () => {
    const task = sineTask();
    const { backend } = poisoningBackend();
    const params = initialParams(task.objective.model, keyOf(1), 'f64');
    const whole = orThrow(await evaluate(backend, task, params, task.data.train, 24)());
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), async (chunk) => {
        const { loss, measures } = orThrow(await evaluate(backend, task, params, task.data.train, chunk)());
        const got = [loss, measures['square']];
        expect(scaledError(got, [whole.loss, whole.measures['square']])).toBeLessThan(1e-13);
      }),
      { numRuns: 30 },
    );
  });

  it('worked example: loss log(1 + e) + …, and accuracy two thirds', async () => {
    const logits = tensor([1, 0, 0, 0, 2, 0, 0, 0, 3], [3, 3]);
    const data = orThrow(datasetOf('d', logits, tensor([0, 1, 0], [3], 'i32')));
    const judged = { objective: { model: identity, loss: softmaxCrossEntropy }, measures: { accuracy: correct } };
    const { loss, measures } = orThrow(await evaluate(referenceBackend(), judged, {}, data, 2)());
    const expected = [Math.log(2 + Math.E) - 1, Math.log(2 + Math.E ** 2) - 2, Math.log(2 + Math.E ** 3)];
    expect(loss).toBeCloseTo((expected[0] + expected[1] + expected[2]) / 3, 12);
    expect(measures).toEqual({ accuracy: 2 / 3 });
  });

  it('worked example: squared error of sigmoids', () => {
    const { ops } = referenceBackend();
    // σ(0) = ½ against 0 and 1, σ(log 3) = ¾ against ½: ¼ + ¼ + 1/16
    const error = sigmoidSquaredError(ops, tensor([0, 0, Math.log(3)], [1, 3]), tensor([0, 1, 0.5], [1, 3]));
    expect(error.shape).toEqual([]);
    expect(error.data[0]).toBeCloseTo(9 / 16, 14);
  });
});

describe('predict', () => {
  it('decodes outputs, and leaves the parameters as they were', async () => {
    const task = sineTask();
    const { backend, live } = poisoningBackend();
    const params = initialParams(task.objective.model, keyOf(1), 'f64');
    const before = JSON.stringify(params);
    const { inputs } = task.data.test.batch(Int32Array.of(0, 1));
    const outputs = orThrow(await predict(backend, task.objective.model, params, inputs)());
    const doubled = orThrow(
      await predict(backend, task.objective.model, params, inputs, (ops, y) => ops.scale(2, y))(),
    );
    expect(outputs.shape).toEqual([2, 1]);
    expect(Array.from(doubled.data)).toEqual(Array.from(outputs.data, (y) => 2 * y));
    expect(JSON.stringify(params)).toBe(before);
    expect(live.size).toBe(0);
  });
});
