/**
 * The MNIST network of the TensorFlow.js tutorial, with K-FAC in the place of Adam: two lines are changed.
 *
 *     npm run example:tfjs -- [seconds] [tries]
 *
 * Both optimizers have as many tries from the same weights, and each try ends at 98.5 % of the test images or when its share of
 * the time is over: 100 seconds unless given. Seconds are those of the processor, which hardly depend on what else a machine does;
 * looking at the test images does not count as training.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { layers, sequential } from '@tensorflow/tfjs-layers';

import { keyOf, orRaise, permutation } from '../src/core/index.ts';
import { nodeFileSystem, readMnist } from '../src/pipelines/index.ts';
import { KFACOptimizer } from '../src/pipelines/tfjs/index.ts'; // the first of the two lines
import { filterGradientsOnWasm } from './tfjs-wasm.ts';

const levels = [0.98, 0.985];
const enough = levels[levels.length - 1];
const batchSize = 128;
const everySteps = 25;

const makeModel = (): LayersModel => {
  const model = sequential();
  model.add(
    layers.conv2d({
      inputShape: [28, 28, 1],
      kernelSize: 5,
      filters: 8,
      strides: 1,
      activation: 'relu',
      kernelInitializer: 'varianceScaling',
    }),
  );
  model.add(layers.maxPooling2d({ poolSize: [2, 2], strides: [2, 2] }));
  model.add(
    layers.conv2d({ kernelSize: 5, filters: 16, strides: 1, activation: 'relu', kernelInitializer: 'varianceScaling' }),
  );
  model.add(layers.maxPooling2d({ poolSize: [2, 2], strides: [2, 2] }));
  model.add(layers.flatten());
  model.add(layers.dense({ units: 10, kernelInitializer: 'varianceScaling', activation: 'softmax' }));
  return model;
};

/** A way to train: an optimizer for a model at a learning rate. */
interface Way {
  readonly name: string;
  readonly rates: ReadonlyArray<number>;
  readonly optimizer: (model: LayersModel, rate: number) => tf.Optimizer;
}

const ways: ReadonlyArray<Way> = [
  { name: 'Adam', rates: [1e-3, 3e-3, 1e-2], optimizer: (_, rate) => tf.train.adam(rate) },
  {
    name: 'K-FAC',
    rates: [0.5, 0.3, 0.1],
    optimizer: (model, rate) => new KFACOptimizer(model, { learningRate: rate }), // the second
  },
];

/** Images from 0 to 1 and classes. */
interface Examples {
  readonly images: tf.Tensor4D;
  readonly labels: tf.Tensor2D;
}

const examplesOf = (pixels: ArrayLike<number>, classes: ArrayLike<number>): Examples => ({
  images: tf.tidy(() =>
    tf.tensor4d(
      Float32Array.from(pixels, (pixel) => pixel / 255),
      [classes.length, 28, 28, 1],
    ),
  ),
  labels: tf.tidy(() => tf.oneHot(tf.tensor1d(Int32Array.from(classes), 'int32'), 10) as tf.Tensor2D),
});

/** The part of the examples that a model is right about. */
const accuracyOf = (model: LayersModel, { images, labels }: Examples): number =>
  tf.tidy(() => {
    const scores = model.predict(images, { batchSize: 1000 }) as tf.Tensor2D;
    return tf.mean(tf.equal(tf.argMax(scores, 1), tf.argMax(labels, 1))).dataSync()[0];
  });

/** What came of a try. */
interface Outcome {
  /** Where each level was reached first. */
  readonly reached: ReadonlyArray<string>;
  readonly last: string;
}

/** Seconds of the processor since the start. */
const processorSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const tryOut = async (
  { optimizer: make }: Way,
  rate: number,
  start: ReadonlyArray<tf.Tensor>,
  train: Examples,
  test: Examples,
  most: number,
): Promise<Outcome> => {
  const model = makeModel();
  model.setWeights([...start]);
  const optimizer = make(model, rate);
  model.compile({ optimizer, loss: 'categoricalCrossentropy' });
  const count = train.labels.shape[0];
  const reached: Array<string> = [];
  let [steps, seconds, accuracy] = [0, 0, 0];
  const place = (): string => `${(100 * accuracy).toFixed(2)} % after ${steps} steps, ${seconds.toFixed(1)} s`;
  for (let epoch = 0; accuracy < enough && seconds < most; epoch += 1) {
    const order = permutation(keyOf(epoch), count);
    for (let at = 0; at + batchSize <= count && accuracy < enough && seconds < most; at += batchSize) {
      const rows = tf.tensor1d(Int32Array.from(order.data).subarray(at, at + batchSize), 'int32');
      const [x, y] = [tf.gather(train.images, rows), tf.gather(train.labels, rows)];
      const before = processorSeconds();
      await model.trainOnBatch(x, y);
      seconds += processorSeconds() - before;
      steps += 1;
      tf.dispose([rows, x, y]);
      if (steps % everySteps === 0) {
        accuracy = accuracyOf(model, test);
        if (accuracy >= levels[reached.length]) reached.push(place());
      }
    }
  }
  optimizer.dispose();
  model.dispose();
  return { reached, last: place() };
};

const main = async (): Promise<void> => {
  await tf.setBackend('wasm');
  filterGradientsOnWasm();
  const [, , most = '100', tries = '3'] = process.argv;
  const mnist = orRaise(await readMnist(nodeFileSystem)());
  const [train, test] = [mnist.train, mnist.test].map(({ images, labels }) => examplesOf(images.data, labels.data));
  const start = makeModel()
    .getWeights()
    .map((weight) => weight.clone());
  for (const way of ways) {
    for (const rate of way.rates.slice(-Number(tries))) {
      const { reached, last } = await tryOut(way, rate, start, train, test, Number(most));
      console.log(`${way.name} at ${rate}: ${[...reached, `at the end ${last}`].join('; ')}`);
    }
  }
};

await main();
