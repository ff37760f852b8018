/**
 * Laws of forward mode over the kernels of TensorFlow.js. The oracle is its own reverse mode.
 */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { layers as tfl, sequential } from '@tensorflow/tfjs-layers';
import * as fc from 'fast-check';

import { KFACOptimizer } from '../../../src/pipelines/tfjs/optimizer.ts';
import { followed } from '../../../src/pipelines/tfjs/tangents.ts';
import { drawn, lent } from './support.ts';

beforeAll(async () => {
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  await tf.setBackend('cpu');
});

type Work = (...inputs: ReadonlyArray<tf.Tensor>) => tf.Tensor;

/** A kernel with a gradient, the shapes of its inputs, and how to have it run. Inputs are between 0.1 and 0.9. */
type Row = readonly [kernel: string, shapes: ReadonlyArray<Array<number>>, work: Work];

const matrix = [[3, 4]];
const two = [
  [3, 4],
  [3, 4],
];
/** An array of the whole, and one that is spread over it. */
const spread = [[3, 4], [4]];
const image = [[2, 5, 6, 3]];
const square = [[2, 5, 5, 3]];
const [x4, x5] = [(x: tf.Tensor) => x as tf.Tensor4D, (x: tf.Tensor) => x as tf.Tensor5D];

const unary: ReadonlyArray<readonly [string, (x: tf.Tensor) => tf.Tensor]> = [
  ...[
    tf.abs,
    tf.acos,
    tf.asin,
    tf.asinh,
    tf.atan,
    tf.atanh,
    tf.ceil,
    tf.cos,
    tf.cosh,
    tf.erf,
    tf.exp,
    tf.expm1,
    tf.floor,
  ],
  ...[tf.log, tf.log1p, tf.logSoftmax, tf.max, tf.mean, tf.min, tf.neg, tf.onesLike, tf.reciprocal, tf.relu6],
  ...[tf.round, tf.rsqrt, tf.sigmoid, tf.sign, tf.sin, tf.sinh, tf.softmax, tf.softplus, tf.sqrt, tf.square],
  ...[tf.step, tf.sum, tf.tan, tf.tanh, tf.transpose, tf.zerosLike],
].map((of) => [of.name[0].toUpperCase() + of.name.slice(1).replace('__op', ''), (x) => of(x)] as const);

const binary = {
  Add: tf.add,
  Atan2: tf.atan2,
  Maximum: tf.maximum,
  Minimum: tf.minimum,
  Mod: tf.mod,
  Multiply: tf.mul,
  Pow: tf.pow,
  RealDiv: tf.div,
  SquaredDifference: tf.squaredDifference,
  Sub: tf.sub,
};

/** TF.js's own gradients of these are not summed over what was spread. */
const inOneShape = ['Maximum', 'Minimum', 'SquaredDifference'];

const rows: ReadonlyArray<Row> = [
  ...unary.map(([kernel, of]): Row => [kernel, matrix, of]),
  ...Object.entries(binary).map(([name, of]): Row => [name, two, (a, b) => of(a, b)]),
  ...Object.entries(binary).flatMap(([name, of]): ReadonlyArray<Row> =>
    inOneShape.includes(name) ? [] : [[name, spread, (a, b) => of(a, b)]],
  ),
  ['Elu', matrix, (x) => tf.elu(tf.sub(x, 0.5))],
  ['LeakyRelu', matrix, (x) => tf.leakyRelu(tf.sub(x, 0.5))],
  ['Relu', matrix, (x) => tf.relu(tf.sub(x, 0.5))],
  ['Selu', matrix, (x) => tf.selu(tf.sub(x, 0.5))],
  ['Acosh', matrix, (x) => tf.acosh(tf.add(x, 1))],
  ['AddN', [...two, [3, 4]], (...inputs) => tf.addN([...inputs])],
  ['AvgPool', image, (x) => tf.avgPool(x4(x), 2, 1, 'valid')],
  ['AvgPool3D', [[1, 4, 4, 4, 2]], (x) => tf.avgPool3d(x5(x), 2, 2, 'valid')],
  [
    'BatchMatMul',
    [
      [2, 3, 4],
      [2, 5, 4],
    ],
    (a, b) => tf.matMul(a, b, false, true),
  ],
  [
    'BatchToSpaceND',
    [[4, 2, 2, 1]],
    (x) =>
      tf.batchToSpaceND(
        x,
        [2, 2],
        [
          [0, 0],
          [0, 0],
        ],
      ),
  ],
  ['BroadcastTo', [[3, 1]], (x) => tf.broadcastTo(x, [3, 4])],
  ['Cast', matrix, (x) => tf.engine().runKernel('Cast', { x }, { dtype: 'float32' })],
  ['ClipByValue', matrix, (x) => tf.clipByValue(x, 0.3, 0.6)],
  ['Concat', two, (...inputs) => tf.concat([...inputs], 1)],
  [
    'Conv2D',
    [
      [2, 5, 6, 3],
      [3, 2, 3, 4],
    ],
    (x, w) => tf.conv2d(x4(x), x4(w), [2, 1], 'same'),
  ],
  [
    'Conv2DBackpropInput',
    [
      [2, 3, 3, 4],
      [3, 2, 3, 4],
    ],
    (x, w) => tf.conv2dTranspose(x4(x), x4(w), [2, 5, 6, 3], 2, 'same'),
  ],
  [
    'Conv3D',
    [
      [1, 3, 3, 3, 2],
      [2, 2, 2, 2, 3],
    ],
    (x, w) => tf.conv3d(x5(x), x5(w), 1, 'valid'),
  ],
  ['Cumsum', matrix, (x) => tf.cumsum(x, 1, true)],
  [
    'DepthwiseConv2dNative',
    [
      [2, 5, 6, 3],
      [3, 2, 3, 2],
    ],
    (x, w) => tf.depthwiseConv2d(x4(x), x4(w), 1, 'valid'),
  ],
  ['ExpandDims', matrix, (x) => tf.expandDims(x, 1)],
  [
    'FusedBatchNorm',
    [[2, 3, 3, 4], [4], [4], [4], [4]],
    (x, mean, variance, offset, scale) => tf.batchNorm(x, mean, variance, offset, scale, 0.1),
  ],
  ['GatherV2', matrix, (x) => tf.gather(x, tf.tensor1d([2, 0, 0, 1], 'int32'))],
  ['Identity', matrix, (x) => x.clone()],
  ['MaxPool', image, (x) => tf.maxPool(x4(x), [2, 3], 2, 'same')],
  ['MaxPool', image, (x) => tf.maxPool(x4(x), 2, 1, 'valid')],
  ['MaxPool', image, (x) => tf.maxPool(x4(x), [2, 3], [2, 4], 'valid')],
  ['Pack', two, (...inputs) => tf.stack([...inputs], 1)],
  [
    'PadV2',
    matrix,
    (x) =>
      tf.pad(
        x,
        [
          [1, 0],
          [0, 2],
        ],
        0.7,
      ),
  ],
  ['Prelu', two, (a, b) => tf.prelu(tf.sub(a, 0.5), b)],
  ['Reshape', matrix, (x) => tf.reshape(x, [2, 6])],
  ['ResizeBilinear', square, (x) => tf.image.resizeBilinear(x4(x), [7, 4])],
  ['Reverse', matrix, (x) => tf.reverse(x, 1)],
  ['Select', two, (a, b) => tf.where(tf.greater(lent(drawn(1, [3, 4])), 0), a, b)],
  ['Slice', matrix, (x) => tf.slice(x, [1, 1], [2, 2])],
  [
    'SpaceToBatchND',
    [[1, 4, 4, 1]],
    (x) =>
      tf.spaceToBatchND(
        x,
        [2, 2],
        [
          [0, 0],
          [0, 0],
        ],
      ),
  ],
  ['SplitV', matrix, (x) => tf.mul(...(tf.split(x, 2, 1) as [tf.Tensor, tf.Tensor]))],
  ['Tile', matrix, (x) => tf.tile(x, [2, 3])],
  ['Unpack', matrix, (x) => tf.sub(...(tf.unstack(x, 0).slice(1) as [tf.Tensor, tf.Tensor]))],
  ['UnsortedSegmentSum', matrix, (x) => tf.unsortedSegmentSum(x, tf.tensor1d([1, 0, 1], 'int32'), 2)],
  ['_FusedMatMul', [[3, 4], [4, 2], [2]], (a, b, bias) => tf.fused.matMul({ a, b, bias })],
  [
    'FusedConv2D',
    [[2, 5, 5, 3], [2, 2, 3, 4], [4]],
    (x, filter, bias) => tf.fused.conv2d({ x: x4(x), filter: x4(filter), strides: 1, pad: 'valid', bias }),
  ],
];

/** Linear, but TF.js's gradients are not the transposes: a difference says what J u is. */
const linear: ReadonlyArray<Row> = [
  ['AvgPool', image, (x) => tf.avgPool(x4(x), 2, 2, 'same')],
  ['Cumsum', matrix, (x) => tf.cumsum(x, 0)],
  [
    'MirrorPad',
    matrix,
    (x) =>
      tf.mirrorPad(
        x,
        [
          [1, 1],
          [2, 2],
        ],
        'reflect',
      ),
  ],
  ['ResizeNearestNeighbor', image, (x) => tf.image.resizeNearestNeighbor(x4(x), [10, 12])],
];

/** Those that tangents do not pass: their gradients are of kernels that have none. */
const impassable = ['ComplexAbs', 'Dilation2D', 'LRN', 'MaxPool3D', 'Prod'];

/** What gives whole numbers or truth values does not move. */
const still = ['ArgMax', 'ArgMin', 'FloorDiv', 'GreaterEqual', 'IsFinite', 'IsInf', 'IsNan', 'OneHot'];

const dot = (a: tf.Tensor, b: tf.Tensor): number => tf.sum(tf.mul(a, b)).dataSync()[0];

const inside = (seed: number, shape: ReadonlyArray<number>): tf.Tensor =>
  tf.add(tf.mul(tf.sigmoid(lent(drawn(seed, shape))), 0.8), 0.1);

describe('law: ⟨c, J u⟩ = ⟨Jᵀ c, u⟩', () => {
  it.each(rows)('%s %j', (_, shapes, work) => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.subarray(
          shapes.map((_shape, i) => i),
          { minLength: 1 },
        ),
        (seed, moving) =>
          tf.tidy(() => {
            const inputs = shapes.map((shape, i) => inside(seed + i, shape));
            const tangents = shapes.map((shape, i) => lent(drawn(seed + 10 + i, shape)));
            const { tangent, opaque } = followed(
              moving.map((i) => [inputs[i], tangents[i]]),
              () => work(...inputs),
            );
            expect(opaque).toBeNull();
            const c = lent(drawn(seed + 20, work(...inputs).shape));
            const pulled = tf.grads((...given: ReadonlyArray<tf.Tensor>) => tf.sum(tf.mul(work(...given), c)))(inputs);
            const back = moving.reduce((sum, i) => sum + dot(pulled[i], tangents[i]), 0);
            const forward = tangent === null ? 0 : dot(c, tangent);
            expect(Math.abs(forward - back)).toBeLessThan(2e-5 * (1 + Math.abs(back) + dot(c, c)));
          }),
      ),
      { numRuns: 4 },
    );
  });

  it.each(linear)('%s %j, as a difference says', (_, [shape], work) => {
    tf.tidy(() => {
      const [x, u] = [inside(1, shape), lent(drawn(2, shape))];
      const { tangent } = followed([[x, u]], () => work(x));
      const difference = tf.sub(work(tf.add(x, u)), work(x));
      expect(tangent === null ? 1 : tf.max(tf.abs(tf.sub(tangent, difference))).dataSync()[0]).toBeLessThan(1e-5);
    });
  });

  it('for every kernel of TensorFlow.js that has a gradient, but some', () => {
    const names = Object.values(tf).filter(
      (each): each is never => typeof each === 'string' && tf.getGradient(each) !== undefined,
    );
    const known = new Set([...[...rows, ...linear].map(([name]) => name), ...impassable, ...still]);
    expect([...new Set<string>(names)].filter((name) => !known.has(name))).toEqual([]);
  });
});

it('a function with a gradient of its own moves as what runs in it does', () => {
  tf.tidy(() => {
    const [x, u] = [tf.tensor1d([5]), tf.tensor1d([2])];
    const tripled = (x: tf.Tensor): tf.Tensor =>
      tf.customGrad((given) => ({ value: tf.mul(given as tf.Tensor, 3), gradFunc: (dy: tf.Tensor) => dy }))(x);
    const { tangent } = followed([[x, u]], () => tripled(x));
    expect(tangent?.dataSync()).toEqual(Float32Array.of(6));
  });
});

it.each([true, false])('a kernel that tangents do not pass is named, and TF.js is as before (moving: %s)', (moving) => {
  const { numTensors } = tf.memory();
  const [x, u] = [tf.ones([1, 2, 2, 3]), tf.ones([1, 2, 2, 3])];
  const found = followed(moving ? [[x, u]] : [], () => tf.tidy(() => tf.relu(tf.localResponseNormalization(x4(x)))));
  expect(found).toEqual({ tangent: null, opaque: moving ? 'LRN' : null });
  expect(Object.hasOwn(tf.engine(), 'runKernel')).toBe(false);
  expect(tf.memory().numTensors).toBe(numTensors + 3);
});

it('a model with such a kernel is trained with differences, and says which kernel it was', async () => {
  class Normalised extends tfl.Layer {
    static readonly className = 'Normalised';
    override call(inputs: tf.Tensor | Array<tf.Tensor>): tf.Tensor {
      return tf.localResponseNormalization(x4(Array.isArray(inputs) ? inputs[0] : inputs));
    }
  }
  const net = sequential({
    layers: [
      tfl.conv2d({ inputShape: [4, 4, 1], filters: 2, kernelSize: 3 }),
      new Normalised({}),
      tfl.flatten(),
      tfl.dense({ units: 1 }),
    ],
  });
  const optimizer = new KFACOptimizer(net);
  net.compile({ optimizer, loss: 'meanSquaredError' });
  expect(optimizer.differences()).toEqual([]);
  await net.fit(lent(drawn(1, [8, 4, 4, 1])), lent(drawn(2, [8, 1])), { epochs: 3, batchSize: 8 });
  expect(optimizer.differences()).toEqual(['LRN']);
  optimizer.dispose();
});
