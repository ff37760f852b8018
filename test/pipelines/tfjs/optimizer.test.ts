import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { input, layers as tfl, model as tfModel, regularizers, sequential } from '@tensorflow/tfjs-layers';

import { KFACOptimizer } from '../../../src/pipelines/tfjs/optimizer.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import { kfacGrafted } from '../../../src/solvers/presets/kfacGrafted.ts';
import { classes, drawn, indices, lent, settle } from './support.ts';

beforeAll(async () => {
  jest.spyOn(console, 'warn').mockImplementation(() => undefined); // that there is a backend for Node.js
  await tf.setBackend('cpu');
});

const examples = 32;

const inputs = (): tf.Tensor => lent(drawn(1, [examples, 6]));
const targets = (): tf.Tensor => tf.oneHot(tf.tensor1d(Array.from(classes(examples, 3).data), 'int32'), 3);

const perceptron = (): LayersModel => {
  const net = sequential({
    layers: [
      tfl.dense({ inputShape: [6], units: 8, activation: 'tanh' }),
      tfl.dense({ units: 3, activation: 'softmax' }),
    ],
  });
  settle(net);
  return net;
};

const lossOf = (net: LayersModel, x: tf.Tensor, y: tf.Tensor): number => {
  const found = net.evaluate(x, y);
  const [loss] = Array.isArray(found) ? found : [found];
  return loss.dataSync()[0];
};

/** A functional model: two ways that meet again, draws, norms, a layer used twice. */
const branched = (): LayersModel => {
  const x = input({ shape: [6] });
  const shared = tfl.dense({ units: 6, activation: 'relu' });
  const once = shared.apply(x) as SymbolicTensor;
  const twice = shared.apply(tfl.dropout({ rate: 0.3 }).apply(once)) as SymbolicTensor;
  const sum = tfl.add().apply([once, twice]) as SymbolicTensor;
  const normed = tfl.batchNormalization().apply(sum);
  const out = tfl.dense({ units: 3, activation: 'softmax' }).apply(normed) as SymbolicTensor;
  const net = tfModel({ inputs: x, outputs: out });
  settle(net);
  return net;
};

const sentences = (cell: 'lstm' | 'gru' | 'simpleRNN'): LayersModel => {
  const recurrentInitializer = 'glorotNormal';
  const recurrent = tfl[cell]({ units: 5, recurrentInitializer });
  const net = sequential({
    layers: [
      tfl.embedding({ inputDim: 7, outputDim: 4, inputLength: 5 }),
      recurrent,
      tfl.dense({ units: 3, activation: 'softmax' }),
    ],
  });
  settle(net);
  return net;
};

describe('fit', () => {
  it('learns a functional model that draws, normalises and uses a layer twice', async () => {
    const net = branched();
    const [x, y] = [inputs(), targets()];
    const optimizer = new KFACOptimizer(net);
    net.compile({ optimizer, loss: 'categoricalCrossentropy' });
    const { history } = await net.fit(x, y, { epochs: 15, batchSize: 16, shuffle: false });
    const losses = history['loss'].map(Number);
    expect(losses).toHaveLength(15);
    expect(losses[14]).toBeLessThan(0.7 * losses[0]);
    expect(optimizer.metrics['damping']).toBeGreaterThan(0);
    expect(optimizer.iterations).toBe(30);
    optimizer.dispose();
  });

  it.each(['lstm', 'gru', 'simpleRNN'] as const)('learns with %s', async (cell) => {
    const net = sentences(cell);
    const [x, y] = [lent(indices(3, [examples, 5], 7)), targets()];
    const optimizer = new KFACOptimizer(net);
    net.compile({ optimizer, loss: 'categoricalCrossentropy' });
    const before = lossOf(net, x, y);
    await net.fit(x, y, { epochs: 5, batchSize: 16, shuffle: false });
    expect(lossOf(net, x, y)).toBeLessThan(0.8 * before);
    expect(optimizer.differences()).toEqual([]);
    optimizer.dispose();
  });

  it('is the same after a course of its own and after one that was saved, loaded into another model and gone on with', async () => {
    const [x, y] = [inputs(), targets()];
    const train = async (net: LayersModel, optimizer: KFACOptimizer, steps: number): Promise<void> => {
      net.compile({ optimizer, loss: 'categoricalCrossentropy' });
      await net.fit(x, y, { epochs: steps, batchSize: examples, shuffle: false });
    };
    const [whole, first, second] = [perceptron(), perceptron(), perceptron()];
    await train(whole, new KFACOptimizer(whole), 8);
    const begun = new KFACOptimizer(first);
    await train(first, begun, 4);
    const saved = await begun.getWeights();
    // Names of layers go on counting; a model that is loaded from a file has those that it was saved with.
    const renamed = sequential({ layers: first.layers.map((layer) => layer) });
    renamed.setWeights(first.getWeights());
    begun.dispose();
    const resumed = new KFACOptimizer(renamed);
    await resumed.setWeights(saved);
    expect(resumed.iterations).toBe(4);
    await train(renamed, resumed, 4);
    expect(renamed.getWeights().map((w) => Array.from(w.dataSync()))).toEqual(
      whole.getWeights().map((w) => Array.from(w.dataSync())),
    );
    await expect(new KFACOptimizer(second).setWeights(saved)).rejects.toThrow(
      /KFACOptimizer.setWeights: expected dense/,
    );
  });

  it('holds as many tensors after many steps as after few', async () => {
    const net = branched();
    const [x, y] = [inputs(), targets()];
    const optimizer = new KFACOptimizer(net);
    net.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    const steps = (epochs: number) => net.fit(x, y, { epochs, batchSize: examples, yieldEvery: 'never' });
    await steps(5);
    const { numTensors, numBytes } = tf.memory();
    await steps(60);
    expect(tf.memory()).toMatchObject({ numTensors, numBytes });
    optimizer.dispose();
  });

  it('weighs examples and adds what regularisers add', async () => {
    const [x, y] = [inputs(), targets()];
    const weighed = async (weight: number, factor: number): Promise<ReadonlyArray<number>> => {
      const net = sequential({
        layers: [
          tfl.dense({
            inputShape: [6],
            units: 3,
            activation: 'softmax',
            kernelRegularizer: regularizers.l2({ l2: weight }),
          }),
        ],
      });
      settle(net);
      const optimizer = new KFACOptimizer(net, { optimizer: kfac({ minDamping: 0.01 }) });
      net.compile({ optimizer, loss: 'categoricalCrossentropy' });
      await net.fit(x, y, {
        epochs: 6,
        batchSize: examples,
        shuffle: false,
        classWeight: { 0: factor, 1: factor, 2: factor },
      });
      const found = Array.from(net.getWeights()[0].dataSync());
      optimizer.dispose();
      return found;
    };
    const norm = (w: ReadonlyArray<number>): number => Math.hypot(...w);
    const plain = await weighed(0, 1);
    expect(norm(await weighed(1, 1))).toBeLessThan(0.5 * norm(plain));
    // A loss in other units: every step is as it was.
    (await weighed(0, 4)).forEach((w, i) => expect(Math.abs(w - plain[i])).toBeLessThan(1e-3));
  });

  it('takes up weights that were written between two steps', async () => {
    const net = perceptron();
    const [x, y] = [inputs(), targets()];
    const optimizer = new KFACOptimizer(net);
    net.compile({ optimizer, loss: 'categoricalCrossentropy' });
    await net.fit(x, y, { epochs: 3 });
    net.setWeights(net.getWeights().map((w) => tf.zerosLike(w)));
    await net.fit(x, y, { epochs: 1, batchSize: examples });
    expect(optimizer.metrics['loss']).toBeCloseTo(Math.log(3), 5);
    optimizer.dispose();
  });

  it('leaves other optimizers alone, also on a model that it has trained', async () => {
    const [x, y] = [inputs(), targets()];
    const [net, plain] = [perceptron(), perceptron()];
    const first = new KFACOptimizer(net);
    net.compile({ optimizer: first, loss: 'categoricalCrossentropy' });
    await net.fit(x, y, { epochs: 2 });
    const start = net.getWeights().map((w) => w.clone());
    plain.setWeights(start);
    const fit = async (model: LayersModel): Promise<ReadonlyArray<ReadonlyArray<number>>> => {
      model.compile({ optimizer: tf.train.sgd(0.1), loss: 'categoricalCrossentropy' });
      await model.fit(x, y, { epochs: 2, batchSize: examples, shuffle: false });
      await model.trainOnBatch(x, y);
      return model.getWeights().map((w) => Array.from(w.dataSync()));
    };
    expect(await fit(net)).toEqual(await fit(plain));
  });

  it('takes a model over from another of its kind, which may be disposed of at any time', async () => {
    const [x, y] = [inputs(), targets()];
    const course = async (other: boolean): Promise<ReadonlyArray<number>> => {
      const net = perceptron();
      const before = new KFACOptimizer(net, { learningRate: 1e-9 });
      if (other) {
        net.compile({ optimizer: before, loss: 'categoricalCrossentropy' });
        await net.trainOnBatch(x, y);
        settle(net);
      }
      const optimizer = new KFACOptimizer(net);
      net.compile({ optimizer, loss: 'categoricalCrossentropy' });
      await net.trainOnBatch(x, y);
      before.dispose();
      await net.trainOnBatch(x, y);
      const own = Object.hasOwn(net.layers[0], 'call');
      optimizer.dispose();
      expect([own, Object.hasOwn(net.layers[0], 'call')]).toEqual([true, false]);
      return Array.from(net.getWeights()[0].dataSync());
    };
    expect(await course(true)).toEqual(await course(false));
  });

  it('goes on at another learning rate', async () => {
    const net = perceptron();
    const optimizer = new KFACOptimizer(net, { learningRate: 0.2 });
    net.compile({ optimizer, loss: 'categoricalCrossentropy' });
    const step = () => net.fit(inputs(), targets(), { epochs: 1, batchSize: examples });
    await step();
    const { learningRate: first } = optimizer.metrics;
    optimizer.setLearningRate(0.1);
    await step();
    expect(optimizer.getConfig()).toMatchObject({ name: 'kfac', learningRate: 0.1, momentum: 0.8, seed: 1 });
    expect(optimizer.metrics['learningRate']).not.toBe(first);
    optimizer.dispose();
  });
});

describe('coverage', () => {
  it('names every parameter with its curvature', () => {
    const net = sequential({
      layers: [
        tfl.conv2d({ inputShape: [8, 8, 1], filters: 2, kernelSize: 3, name: 'conv' }),
        tfl.separableConv2d({ filters: 3, kernelSize: 3, name: 'apart' }),
        tfl.batchNormalization({ name: 'norm' }),
        tfl.reshape({ targetShape: [4, 12] }),
        tfl.timeDistributed({ layer: tfl.dense({ units: 2, name: 'inner' }), name: 'each' }),
        tfl.gru({ units: 2, name: 'gru', recurrentInitializer: 'zeros' }),
        tfl.dense({ units: 2, name: 'out', useBias: false }),
      ],
    });
    const rows = new KFACOptimizer(net).coverage().map(({ parameter, curvature }) => `${parameter}: ${curvature}`);
    expect(rows).toEqual([
      'conv/kernel: A ⊗ G',
      'conv/bias: A ⊗ G',
      'apart/depthwise_kernel: A ⊗ G',
      'apart/pointwise_kernel: A ⊗ G',
      'apart/bias: A ⊗ G',
      'norm/gamma: full',
      'norm/beta: full',
      'each/kernel: A ⊗ G',
      'each/bias: A ⊗ G',
      'gru/kernel: A ⊗ G',
      'gru/bias: A ⊗ G',
      'gru/recurrent_kernel/gates: A ⊗ G',
      'gru/recurrent_kernel/candidate: A ⊗ G',
      'out/kernel: A ⊗ G',
    ]);
  });

  it('leaves out what is held fixed', () => {
    const net = perceptron();
    net.layers[0].trainable = false;
    expect(new KFACOptimizer(net).coverage()).toHaveLength(2);
  });
});

describe('bad input', () => {
  const noise = (): LayersModel =>
    sequential({ layers: [tfl.gaussianNoise({ stddev: 1, inputShape: [2] }), tfl.dense({ units: 1 })] });

  it.each<readonly [string, () => unknown, RegExp]>([
    ['no model', () => new KFACOptimizer(undefined as never), /^model: expected a tf.LayersModel.*got undefined/],
    ['a setting out of range', () => new KFACOptimizer(perceptron(), { damping: -1 }), /damping: expected .*, got -1/],
    ['an unknown setting', () => new KFACOptimizer(perceptron(), { dampning: 1 } as never), /dampning/],
    [
      'an unknown backend',
      () => new KFACOptimizer(perceptron(), { backend: 'tpu' as never }),
      /backend: expected auto/,
    ],
    [
      'settings beside an optimizer',
      () => new KFACOptimizer(perceptron(), { optimizer: kfac(), damping: 1 }),
      /damping: expected no setting of kfac where an optimizer is given/,
    ],
    ['noise that cannot be drawn again', () => new KFACOptimizer(noise()), /expected Dropout.*got GaussianNoise/],
    [
      'a state between batches',
      () =>
        new KFACOptimizer(
          sequential({
            layers: [
              tfl.simpleRNN({ units: 2, stateful: true, batchInputShape: [2, 3, 1], recurrentInitializer: 'zeros' }),
            ],
          }),
        ),
      /stateful/,
    ],
    ['gradients alone', () => new KFACOptimizer(perceptron()).applyGradients(), /expected minimize, fit/],
  ])('%s is an error that says so', (_, make, message) => {
    expect(make).toThrow(message);
  });

  it('a loss that is not known is an error of fit, with what to do, and does with an optimizer that asks for its gradient alone', async () => {
    const net = perceptron();
    const [x, y] = [inputs(), targets()];
    net.compile({ optimizer: new KFACOptimizer(net), loss: 'meanAbsoluteError' });
    await expect(net.fit(x, y)).rejects.toThrow(/compile.loss: expected .*got meanAbsoluteError/);
    const grafted = kfacGrafted({ learningRate: 0.01, estimator: 'empirical', statisticsFraction: 1 });
    net.compile({ optimizer: new KFACOptimizer(net, { optimizer: grafted }), loss: 'meanAbsoluteError' });
    const before = lossOf(net, x, y);
    await net.fit(x, y, { epochs: 5 });
    expect(lossOf(net, x, y)).toBeLessThan(before);
  });

  it('a last layer that runs part by part has no outputs that a loss of all could be known of', async () => {
    const layer = tfl.dense({ units: 3, activation: 'softmax' });
    const net = sequential({ layers: [tfl.timeDistributed({ layer, inputShape: [2, 6] })] });
    net.compile({ optimizer: new KFACOptimizer(net), loss: 'categoricalCrossentropy' });
    const { numTensors } = tf.memory();
    const [x, y] = [tf.ones([4, 2, 6]), tf.ones([4, 2, 3])];
    await expect(net.trainOnBatch(x, y)).rejects.toThrow(/compile.loss: expected/);
    tf.dispose([x, y]);
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('targets that are not numbers are an error of fit', async () => {
    const net = perceptron();
    net.compile({ optimizer: new KFACOptimizer(net), loss: 'categoricalCrossentropy' });
    await expect(net.fit(tf.fill([4, 6], NaN), tf.zeros([4, 3]))).rejects.toThrow(/training step 1/);
  });

  it('a loop of its own that does not wait is told to', async () => {
    const net = perceptron();
    const optimizer = new KFACOptimizer(net);
    net.compile({ optimizer, loss: 'categoricalCrossentropy' });
    const cost = (): tf.Scalar => tf.losses.softmaxCrossEntropy(targets(), net.predict(inputs()) as tf.Tensor);
    expect(() => {
      optimizer.minimize(cost);
      optimizer.minimize(cost);
    }).toThrow(/await optimizer.settled\(\)/);
    await optimizer.settled().catch(() => undefined);
  });
});
