/**
 * Losses of TensorFlow.js as this library has them: the same number, and the same gradient of every parameter.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { input, layers as tfl, model as tfModel, regularizers, sequential } from '@tensorflow/tfjs-layers';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { mapParams, zipParams } from '../../../src/core/params.ts';
import type { Context } from '../../../src/core/pipeline/context.ts';
import type { FromGradient } from '../../../src/core/pipeline/descent.ts';
import { lossGradient, meanLoss } from '../../../src/core/pipeline/objective.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { lookedAt } from './looking.ts';
import { distance, drawn, indices, lent } from './support.ts';

beforeAll(async () => {
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  await tf.setBackend('cpu');
});

const { ops } = referenceBackend();

/** How far TF.js and this library are from one another: in the loss, and in its gradient. */
const gaps = (context: Context<Tensor, FromGradient>): readonly [loss: number, gradient: number] => {
  const { objective, outputs, targets, weights, pullback, gradient, loss, state, circumstances } = context;
  const judging = { targets, weights };
  const mine = meanLoss(ops, objective.loss, outputs, judging);
  const { params } = pullback(lossGradient(ops, objective.loss, outputs, judging));
  const mean = mapParams(params, (sum) => ops.scale(1 / outputs.shape[0], sum));
  const penalty = objective.penalty?.(ops, state.params, circumstances).data[0] ?? 0;
  return [Math.abs(mine.data[0] + penalty - loss.data[0]), distance(mean, gradient)];
};

const examples = 6;
const oneHot = (shape: ReadonlyArray<number>, of: number): tf.Tensor => tf.oneHot(lent(indices(3, [...shape], of)), of);
const wide = (activation: 'linear' | 'softmax' | 'sigmoid'): LayersModel =>
  sequential({
    layers: [tfl.dense({ inputShape: [4], units: 5, activation: 'tanh' }), tfl.dense({ units: 3, activation })],
  });
/** A network whose outputs are at two positions. */
const long = (activation: 'linear' | 'softmax' | 'sigmoid'): LayersModel =>
  sequential({
    layers: [tfl.dense({ inputShape: [2, 4], units: 5, activation: 'tanh' }), tfl.dense({ units: 3, activation })],
  });

const losses: ReadonlyArray<readonly [string, unknown, () => LayersModel, () => tf.Tensor]> = [
  ['meanSquaredError', 'meanSquaredError', () => wide('linear'), () => lent(drawn(2, [examples, 3]))],
  ['categoricalCrossentropy', 'categoricalCrossentropy', () => wide('softmax'), () => oneHot([examples], 3)],
  ['binaryCrossentropy', 'binaryCrossentropy', () => wide('sigmoid'), () => oneHot([examples], 3)],
  ['meanSquaredError of positions', 'meanSquaredError', () => long('linear'), () => lent(drawn(2, [examples, 2, 3]))],
  [
    'sparseCategoricalCrossentropy of positions',
    'sparseCategoricalCrossentropy',
    () => long('softmax'),
    () => lent({ ...indices(3, [examples, 2, 1], 3), dtype: 'f32' }),
  ],
  ['binaryCrossentropy of positions', 'binaryCrossentropy', () => long('sigmoid'), () => oneHot([examples, 2], 3)],
  [
    'tf.losses.softmaxCrossEntropy',
    tf.losses.softmaxCrossEntropy,
    () => wide('linear'),
    () => tf.cast(oneHot([examples], 3), 'float32'),
  ],
  ['tf.losses.sigmoidCrossEntropy', tf.losses.sigmoidCrossEntropy, () => wide('linear'), () => oneHot([examples], 3)],
  ['tf.losses.meanSquaredError', tf.losses.meanSquaredError, () => wide('linear'), () => lent(drawn(2, [examples, 3]))],
];

describe('law: a loss is the number that TF.js has, and so is its gradient', () => {
  it.each(losses)('%s', async (_, loss, make, targets) => {
    const net = make();
    const [, ...shape] = net.inputs[0].shape.map(Number);
    const [value, gradient] = await lookedAt(net, lent(drawn(1, [examples, ...shape])), targets(), gaps, { loss });
    expect(value).toBeLessThan(1e-5);
    expect(gradient).toBeLessThan(1e-5);
  });

  it('of examples that weigh differently', async () => {
    const net = wide('softmax');
    const [value, gradient] = await lookedAt(net, lent(drawn(1, [examples, 4])), oneHot([examples], 3), gaps, {
      loss: 'categoricalCrossentropy',
      classWeight: { 0: 1, 1: 3, 2: 7 },
    });
    expect(value).toBeLessThan(1e-5);
    expect(gradient).toBeLessThan(1e-5);
  });

  it('of a network with several inputs, one of them used twice', async () => {
    const [a, b] = [input({ shape: [4] }), input({ shape: [3] })];
    const joined = tfl.concatenate().apply([b, a, b]) as SymbolicTensor;
    const outputs = tfl.dense({ units: 2 }).apply(joined) as SymbolicTensor;
    const net = tfModel({ inputs: [a, b], outputs });
    const [value, gradient] = await lookedAt(
      net,
      [lent(drawn(1, [examples, 4])), lent(drawn(2, [examples, 3]))],
      lent(drawn(3, [examples, 2])),
      gaps,
    );
    expect(value).toBeLessThan(1e-5);
    expect(gradient).toBeLessThan(1e-5);
  });

  it('with what a regulariser adds, whose gradient is that of TF.js alone', async () => {
    const make = (l2: number): LayersModel =>
      sequential({
        layers: [tfl.dense({ inputShape: [4], units: 3, kernelRegularizer: regularizers.l2({ l2 }), name: 'out' })],
      });
    const looked = (l2: number) =>
      lookedAt(
        make(l2),
        lent(drawn(1, [examples, 4])),
        lent(drawn(2, [examples, 3])),
        (context) => [gaps(context), context.gradient, context.state.params] as const,
      );
    const [[plain], without] = await looked(0.001);
    expect(plain).toBeLessThan(1e-5);
    const [[value], withIt, params] = await looked(0.5);
    expect(value).toBeLessThan(1e-5);
    const added = zipParams(withIt, without, (x, y) => ops.sub(x, y));
    expect(distance({ w: added['out/kernel'] }, { w: ops.scale(2 * 0.499, params['out/kernel']) })).toBeLessThan(1e-5);
  });
});
