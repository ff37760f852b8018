/**
 * Targets that a loss cannot have are named before they are computed with, through whichever door they come.
 */
import * as E from 'fp-ts/lib/Either.js';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import type { Loss } from '../../../src/core/nn/losses/loss.ts';
import { sigmoidCrossEntropy } from '../../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { model } from '../../../src/core/nn/model.ts';
import type { Batch } from '../../../src/core/pipeline/context.ts';
import { gatherRows } from '../../../src/core/rows.ts';
import type { ReadonlyVector, Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import type { Dataset } from '../../../src/pipelines/data/dataset.ts';
import { datasetOf, rowsOf } from '../../../src/pipelines/data/dataset.ts';
import { supervised } from '../../../src/pipelines/tasks/supervised.ts';
import { evaluate } from '../../../src/pipelines/trainer/evaluate.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import { sgd } from '../../../src/solvers/presets/sgd.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';

const env = { backend: referenceBackend(), clock: () => 0 };

const inputs = tensor([1, 2, 3, 4], [4, 1]);

/** A model of three outputs, judged by a loss. */
const learning = (loss: Loss) =>
  supervised({ name: 'task', model: model('linear', [1], dense({ in: 1, out: 3 })), loss });

/** Examples that are made when they are asked for. */
const generated = (name: string, arrays: Batch<Tensor>): Dataset => ({
  name,
  size: 4,
  batch: (indices: ReadonlyVector) =>
    Object.fromEntries(Object.entries(arrays).map(([array, x]) => [array, gatherRows(rowsOf(x), indices)])),
});

const options = { duration: { steps: 4 }, batch: 2, seed: 1 };

const classes = (...ids: ReadonlyArray<number>): Tensor => tensor(ids, [4], 'i32');
const matrix = (...rows: ReadonlyArray<ReadonlyArray<number>>): Tensor => tensor(rows.flat(), [4, 3]);
const none = [0, 0, 0];

const wrong: ReadonlyArray<readonly [string, Loss, Tensor, string, string]> = [
  ['a class beyond the outputs', softmaxCrossEntropy, classes(0, 2, 3, 3), '3 in example 2', 'classes from 0 to 2'],
  ['a class below 0', softmaxCrossEntropy, classes(0, -1, 0, 0), '-1 in example 1', 'classes from 0 to 2'],
  [
    'a fraction of a class',
    softmaxCrossEntropy,
    tensor([0, 1, 1.5, 2], [4]),
    '1.5 in example 2',
    'classes from 0 to 2',
  ],
  [
    'a probability below 0',
    softmaxCrossEntropy,
    matrix(none, none, none, [1, -0.5, 0.5]),
    '-0.5 in example 3, at position 1',
    'at least 0',
  ],
  [
    'grey levels in bytes',
    sigmoidCrossEntropy,
    matrix(none, [0, 0, 255], none, none),
    '255 in example 1, at position 2',
    'from 0 to 1',
  ],
  ['signs', sigmoidCrossEntropy, matrix([1, -1, 1], none, none, none), '-1 in example 0, at position 1', 'from 0 to 1'],
];

describe.each(wrong)('%s', (_, loss, targets, actual, expected) => {
  const task = learning(loss);
  const good = loss === softmaxCrossEntropy ? classes(0, 1, 2, 0) : matrix(none, none, none, none);
  const inMemory = (name: string, y: Tensor): Dataset => orThrow(datasetOf(name, inputs, y));
  const error = (name: string) => ({
    _tag: 'BadData',
    source: `${name}, targets`,
    actual,
    expected: expect.stringContaining(expected) as unknown,
  });

  it('is named before the first step, in training and in test data', async () => {
    const steps: Array<unknown> = [];
    const watched = { ...options, listeners: [() => () => void steps.push(null)] };
    for (const [trained, tested] of [
      [targets, good],
      [good, targets],
    ]) {
      const data = { train: inMemory('train', trained), test: inMemory('test', tested) };
      const result = await train(env, { ...task, data }, sgd(), watched)();
      expect(errorOf(result)).toMatchObject(error(trained === good ? 'test' : 'train'));
    }
    expect(steps).toEqual([]);
  });

  it('is named when it is given, where examples are made on the way', async () => {
    const data = { train: generated('made', { inputs, targets }), test: inMemory('test', good) };
    expect(errorOf(await train(env, { ...task, data }, sgd(), options)())).toMatchObject(error('made'));
  });

  it('is named in evaluation', async () => {
    const params = { weight: tensor([1, 1, 1], [3, 1]), bias: tensor([0, 0, 0], [3]) };
    for (const data of [inMemory('judged', targets), generated('judged', { inputs, targets })]) {
      expect(errorOf(await evaluate(env.backend, task, params, data)())).toMatchObject(error('judged'));
    }
  });

  it('may be there where it weighs nothing', async () => {
    const ones = Array.from({ length: 4 }, (__, row) => (actual.includes(`example ${row}`) ? 0 : 1));
    const weights = tensor(
      ones.map((weight, row) => (targets.data[row] === 3 ? 0 : weight)),
      [4],
    );
    const batch = { inputs, targets, weights };
    const data = { train: generated('made', batch), test: generated('made', batch) };
    const result = orThrow(await train(env, { ...task, data }, sgd(), { ...options, batch: 4 })());
    expect(result.history.every((record) => Number.isFinite(record.loss))).toBe(true);
    expect(Number.isFinite(result.test.loss)).toBe(true);
  });
});

describe('targets that are as they should be', () => {
  it('are asked for where the loss finds them, and any number is a target of a squared error', async () => {
    const { model: network } = { model: model('linear', [1], dense({ in: 1, out: 3 })) };
    const labelled = supervised({ name: 'task', model: network, loss: softmaxCrossEntropy, targets: 'labels' });
    const wrongLabels = generated('made', { inputs, labels: classes(0, 1, 2, 7) });
    const split = { train: wrongLabels, test: wrongLabels };
    expect(errorOf(await train(env, { ...labelled, data: split }, sgd(), { ...options, batch: 4 })())).toMatchObject({
      source: 'made, labels',
      actual: '7 in example 3',
    });
    const far = orThrow(datasetOf('far', inputs, matrix([-5, 7, 300], none, none, none)));
    const data = { train: far, test: far };
    expect(E.isRight(await train(env, { ...learning(squaredError), data }, sgd(), options)())).toBe(true);
  });

  it('are not looked at in every batch, where what is known of all of them says enough', async () => {
    const known = orThrow(datasetOf('known', inputs, classes(0, 1, 2, 0)));
    expect(known.batch.ranges).toEqual({
      inputs: { least: 1, most: 4, isWhole: false },
      targets: { least: 0, most: 2, isWhole: true },
    });
    const asked: Array<ReadonlyArray<number>> = [];
    const batch = Object.assign((indices: ReadonlyVector) => {
      asked.push(Array.from(indices));
      return known.batch(indices);
    }, known.batch);
    const data = { train: { ...known, batch }, test: known };
    orThrow(await train(env, { ...learning(softmaxCrossEntropy), data }, sgd(), options)());
    // One example says what shapes there are. Evaluations before and after take all four, and steps two.
    expect(asked.map(({ length }) => length)).toEqual([1, 4, 2, 2, 2, 2, 4]);
  });
});
