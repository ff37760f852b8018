import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { layers as tfl, sequential as tfSequential } from '@tensorflow/tfjs-layers';

import { descent } from '../../../src/core/pipeline/descent.ts';
import { activation } from '../../../src/core/nn/layers/activation.ts';
import { batchNorm } from '../../../src/core/nn/layers/batchNorm.ts';
import { conv1d, conv2d } from '../../../src/core/nn/layers/convolution.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import { convTranspose2d } from '../../../src/core/nn/layers/transposedConvolution.ts';
import { embedding } from '../../../src/core/nn/layers/embedding.ts';
import type { Layer } from '../../../src/core/nn/layers/layer.ts';
import { layerNorm } from '../../../src/core/nn/layers/layerNorm.ts';
import { flatten } from '../../../src/core/nn/layers/reshape.ts';
import { sequential } from '../../../src/core/nn/layers/sequential.ts';
import type { Loss } from '../../../src/core/nn/losses/loss.ts';
import { multiplied } from '../../../src/core/nn/losses/multiplied.ts';
import { sigmoidCrossEntropy } from '../../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import type { Shape, Tensor } from '../../../src/core/tensor.ts';
import { generate } from '../../../src/core/tensor.ts';
import { capture } from '../../../src/curvature/capture.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { empirical, monteCarlo } from '../../../src/curvature/estimators.ts';
import { kfac as kfacCurvature } from '../../../src/curvature/kfac.ts';
import { KFACOptimizer } from '../../../src/pipelines/tfjs/optimizer.ts';
import { kroneckerInverse } from '../../../src/solvers/inverses/kroneckerInverse.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import { kfacGrafted } from '../../../src/solvers/presets/kfacGrafted.ts';
import type { GradientOptimizer } from '../../../src/solvers/presets/optimizer.ts';
import { gradientOptimizer } from '../../../src/solvers/presets/optimizer.ts';
import { constant } from '../../../src/solvers/schedules.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import { preconditioned } from '../../../src/solvers/solver/preconditioned.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { klClip } from '../../../src/solvers/update/rules/klClip.ts';
import { momentum } from '../../../src/solvers/update/rules/momentum.ts';
import { update } from '../../../src/solvers/update/update.ts';
import type { Counterpart } from './support.ts';
import { classes, distance, drawn, indices, lent, ours, parametersOf, settle } from './support.ts';

beforeAll(async () => {
  jest.spyOn(console, 'warn').mockImplementation(() => undefined); // that there is a backend for Node.js
  await tf.setBackend('cpu');
});

/** K-FAC put together of parts that look at nothing but gradients: damping, KL clip, momentum. */
const clipped = (estimator: 'empirical' | 'monteCarlo'): GradientOptimizer =>
  gradientOptimizer({
    name: 'clipped',
    hyperparameters: {},
    descent: descent(
      capture(estimator === 'empirical' ? empirical() : monteCarlo()),
      updateFactors(kfacCurvature({ decay: 0.9 })),
      damp(constant(0.1)),
      solve(preconditioned(kroneckerInverse)),
      update({ learningRate: 0.1, rules: [klClip(1e-3), momentum(0.9)] }),
    ),
  });

interface Case {
  readonly name: string;
  readonly theirs: () => LayersModel;
  readonly mine: Layer;
  readonly counterparts: ReadonlyArray<Counterpart>;
  readonly shapes: Readonly<Record<string, Shape>>;
  readonly inputs: Tensor;
  readonly targets: Tensor;
  readonly loss: string;
  readonly mineLoss: Loss;
}

const kernel = (path: string): Counterpart => ({ path, layout: 'kernel' });
const same = (path: string): Counterpart => ({ path, layout: 'same' });
const pair = (path: string): ReadonlyArray<Counterpart> => [kernel(`${path}.weight`), same(`${path}.bias`)];
const norm = (path: string): ReadonlyArray<Counterpart> => [same(`${path}.weight`), same(`${path}.bias`)];
const shapesOf = (layer: Layer): Readonly<Record<string, Shape>> =>
  Object.fromEntries(layer.parameters('').map(({ path, shape }) => [path, shape]));

const examples = 12;

const denseNet = sequential([dense({ in: 5, out: 7 }), activation('tanh'), dense({ in: 7, out: 3 })]);
const regression = sequential([dense({ in: 5, out: 7 }), activation('relu'), dense({ in: 7, out: 2 })]);
const convNet = sequential([
  conv2d({ in: 2, out: 3, kernel: 3, padding: 'same', stride: 2 }),
  activation('relu'),
  conv2d({ in: 3, out: 6, kernel: 2, groups: 3 }),
  flatten(),
  dense({ in: 2 * 2 * 6, out: 3 }),
]);
const separableNet = sequential([
  conv2d({ in: 2, out: 4, kernel: 3, groups: 2, padding: 'same', stride: 2, bias: false }),
  conv2d({ in: 4, out: 3, kernel: 1 }),
  activation('tanh'),
  flatten(),
  dense({ in: 27, out: 3 }),
]);
const spreadNet = sequential([
  convTranspose2d({ in: 2, out: 3, kernel: 3, padding: 'same', stride: 2 }),
  activation('tanh'),
  convTranspose2d({ in: 3, out: 1, kernel: 2, bias: false }),
  flatten(),
  dense({ in: 49, out: 3 }),
]);
const sequenceNet = sequential([
  conv1d({ in: 2, out: 4, kernel: 3, padding: 'same' }),
  activation('tanh'),
  flatten(),
  dense({ in: 24, out: 3 }),
]);
const normNet = sequential([
  dense({ in: 5, out: 6, bias: false }),
  batchNorm({ features: 6, epsilon: 1e-3 }),
  activation('tanh'),
  dense({ in: 6, out: 6 }),
  layerNorm({ features: 6, epsilon: 1e-3 }),
  dense({ in: 6, out: 3 }),
]);
const everyPosition = sequential([dense({ in: 3, out: 4 }), activation('tanh'), dense({ in: 4, out: 3 })]);
const oneHot = (count: number, of: number): Tensor =>
  generate([count, 5, of], (i) => (Math.floor(i / of) % of === i % of ? 1 : 0), 'f32');
const wordNet = sequential([embedding({ vocabulary: 9, out: 4 }), flatten(), dense({ in: 12, out: 1 })]);

const cases: ReadonlyArray<Case> = [
  {
    name: 'dense layers, classes',
    theirs: () =>
      tfSequential({
        layers: [
          tfl.dense({ inputShape: [5], units: 7, activation: 'tanh' }),
          tfl.dense({ units: 3, activation: 'softmax' }),
        ],
      }),
    mine: denseNet,
    counterparts: [...pair('0'), ...pair('2')],
    shapes: shapesOf(denseNet),
    inputs: drawn(1, [examples, 5]),
    targets: classes(examples, 3),
    loss: 'sparseCategoricalCrossentropy',
    mineLoss: softmaxCrossEntropy,
  },
  {
    name: 'dense layers, numbers',
    theirs: () =>
      tfSequential({ layers: [tfl.dense({ inputShape: [5], units: 7, activation: 'relu' }), tfl.dense({ units: 2 })] }),
    mine: regression,
    counterparts: [...pair('0'), ...pair('2')],
    shapes: shapesOf(regression),
    inputs: drawn(2, [examples, 5]),
    targets: drawn(3, [examples, 2]),
    loss: 'meanSquaredError',
    mineLoss: squaredError,
  },
  {
    name: 'convolutions, one of them depthwise',
    theirs: () =>
      tfSequential({
        layers: [
          tfl.conv2d({
            inputShape: [6, 6, 2],
            filters: 3,
            kernelSize: 3,
            padding: 'same',
            strides: 2,
            activation: 'relu',
          }),
          tfl.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2 }),
          tfl.flatten(),
          tfl.dense({ units: 3 }),
          tfl.activation({ activation: 'softmax' }),
        ],
      }),
    mine: convNet,
    counterparts: [...pair('0'), ...pair('2'), ...pair('4')],
    shapes: shapesOf(convNet),
    inputs: drawn(4, [examples, 6, 6, 2]),
    targets: classes(examples, 3),
    loss: 'sparseCategoricalCrossentropy',
    mineLoss: softmaxCrossEntropy,
  },
  {
    name: 'a separable convolution',
    theirs: () =>
      tfSequential({
        layers: [
          tfl.separableConv2d({
            inputShape: [6, 6, 2],
            filters: 3,
            kernelSize: 3,
            depthMultiplier: 2,
            padding: 'same',
            strides: 2,
            activation: 'tanh',
          }),
          tfl.flatten(),
          tfl.dense({ units: 3, activation: 'softmax' }),
        ],
      }),
    mine: separableNet,
    counterparts: [kernel('0.weight'), ...pair('1'), ...pair('4')],
    shapes: shapesOf(separableNet),
    inputs: drawn(10, [examples, 6, 6, 2]),
    targets: classes(examples, 3),
    loss: 'sparseCategoricalCrossentropy',
    mineLoss: softmaxCrossEntropy,
  },
  {
    name: 'transposed convolutions',
    theirs: () =>
      tfSequential({
        layers: [
          tfl.conv2dTranspose({
            inputShape: [3, 3, 2],
            filters: 3,
            kernelSize: 3,
            padding: 'same',
            strides: 2,
            activation: 'tanh',
          }),
          tfl.conv2dTranspose({ filters: 1, kernelSize: 2, useBias: false }),
          tfl.flatten(),
          tfl.dense({ units: 3, activation: 'softmax' }),
        ],
      }),
    mine: spreadNet,
    counterparts: [...pair('0'), kernel('2.weight'), ...pair('4')],
    shapes: shapesOf(spreadNet),
    inputs: drawn(11, [examples, 3, 3, 2]),
    targets: classes(examples, 3),
    loss: 'sparseCategoricalCrossentropy',
    mineLoss: softmaxCrossEntropy,
  },
  {
    name: 'a convolution of sequences',
    theirs: () =>
      tfSequential({
        layers: [
          tfl.conv1d({ inputShape: [6, 2], filters: 4, kernelSize: 3, padding: 'same', activation: 'tanh' }),
          tfl.flatten(),
          tfl.dense({ units: 3 }),
          tfl.softmax(),
        ],
      }),
    mine: sequenceNet,
    counterparts: [...pair('0'), ...pair('3')],
    shapes: shapesOf(sequenceNet),
    inputs: drawn(5, [examples, 6, 2]),
    targets: classes(examples, 3),
    loss: 'sparseCategoricalCrossentropy',
    mineLoss: softmaxCrossEntropy,
  },
  {
    name: 'batch and layer normalisation',
    theirs: () =>
      tfSequential({
        layers: [
          tfl.dense({ inputShape: [5], units: 6, useBias: false }),
          tfl.batchNormalization(),
          tfl.activation({ activation: 'tanh' }),
          tfl.dense({ units: 6 }),
          tfl.layerNormalization(),
          tfl.dense({ units: 3, activation: 'softmax' }),
        ],
      }),
    mine: normNet,
    counterparts: [kernel('0.weight'), ...norm('1'), ...pair('3'), ...norm('4'), ...pair('5')],
    shapes: shapesOf(normNet),
    inputs: drawn(6, [examples, 5]),
    targets: classes(examples, 3),
    loss: 'sparseCategoricalCrossentropy',
    mineLoss: softmaxCrossEntropy,
  },
  {
    name: 'a class at every position',
    theirs: () =>
      tfSequential({
        layers: [
          tfl.dense({ inputShape: [5, 3], units: 4, activation: 'tanh' }),
          tfl.dense({ units: 3, activation: 'softmax' }),
        ],
      }),
    mine: everyPosition,
    counterparts: [...pair('0'), ...pair('2')],
    shapes: shapesOf(everyPosition),
    inputs: drawn(8, [examples, 5, 3]),
    targets: oneHot(examples, 3),
    loss: 'categoricalCrossentropy',
    mineLoss: multiplied(1 / 5, softmaxCrossEntropy),
  },
  {
    name: 'an embedding, yes and no',
    theirs: () =>
      tfSequential({
        layers: [
          tfl.embedding({ inputDim: 9, outputDim: 4, inputLength: 3 }),
          tfl.flatten(),
          tfl.dense({ units: 1, activation: 'sigmoid' }),
        ],
      }),
    mine: wordNet,
    counterparts: [same('0.weight'), ...pair('2')],
    shapes: shapesOf(wordNet),
    inputs: indices(7, [examples, 3], 9),
    targets: {
      ...classes(examples, 2),
      shape: [examples, 1],
      dtype: 'f32',
      data: Float32Array.from({ length: examples }, (_, i) => i % 2),
    },
    loss: 'binaryCrossentropy',
    mineLoss: sigmoidCrossEntropy,
  },
];

/** The largest difference between the weights after some steps of both libraries. */
const apart = async (each: Case, optimizer: GradientOptimizer, steps: number): Promise<number> => {
  const model = each.theirs();
  settle(model);
  const start = parametersOf(model, each.counterparts, each.shapes);
  const inTurn = new KFACOptimizer(model, { optimizer });
  model.compile({ optimizer: inTurn, loss: each.loss });
  const [x, y] = [lent(each.inputs), lent({ ...each.targets, dtype: 'f32' })];
  for (let i = 0; i < steps; i += 1) await model.trainOnBatch(x, y);
  const batch = { inputs: each.inputs, targets: each.targets };
  const end = await ours(
    each.mine,
    each.inputs.shape.slice(1),
    each.mineLoss === squaredError ? multiplied(2 / each.targets.shape[1], squaredError) : each.mineLoss,
    optimizer,
    start,
    Array.from({ length: steps }, () => batch),
  );
  const found = parametersOf(model, each.counterparts, each.shapes);
  expect(distance(found, start)).toBeGreaterThan(1e-3);
  expect(inTurn.differences()).toEqual([]);
  inTurn.dispose();
  return distance(found, end);
};

describe.each(cases)('$name: the step of this library', (each) => {
  it.each(['empirical', 'monteCarlo'] as const)(
    'with a Fisher that is %s, damping, KL clip and momentum',
    async (fisher) => {
      expect(await apart(each, clipped(fisher), 3)).toBeLessThan(1e-5);
    },
  );

  it('of the preset kfac-grafted', async () => {
    expect(await apart(each, kfacGrafted({ learningRate: 0.01 }), 3)).toBeLessThan(1e-5);
  });

  it('of the preset kfac', async () => {
    expect(await apart(each, kfac(), 3)).toBeLessThan(1e-5);
  });
});
