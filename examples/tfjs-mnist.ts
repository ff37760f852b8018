/**
 * The MNIST network of the TensorFlow.js tutorial, with K-FAC in the place of Adam: two lines are changed.
 *
 *     npm run example:tfjs -- [seeds]
 *
 * Both optimizers have six settings each: three rates, which stay or fall along a cosine. What is judged are weights averaged over
 * the last steps. Which setting is best is decided on 10,000 of the training images, on which no network is trained: the first to be
 * right about 98.5 % of them, or else the one that is right about most at its end. That setting alone is then run from other
 * weights, as often as there are seeds (3 unless given), and judged on the test images.
 *
 * Seconds are those of the processor, which hardly depend on what else a machine does; looking does not count as training.
 *
 * @module
 */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-wasm';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';

import { keyOf, orRaise, permutation } from '../src/core/index.ts';
import { nodeFileSystem, readMnist } from '../src/pipelines/index.ts';
import { KFACOptimizer } from '../src/pipelines/tfjs/index.ts'; // the first of the two lines
import { filterGradientsOnWasm } from './tfjs-wasm.ts';

const levels = [0.98, 0.985];
const batchSize = 128;
const held = 10_000;
const trained = 60_000 - held;
/** How much of an average of weights a step leaves: it is of some fifty steps. */
const kept = 0.98;
const everySteps = 25;

const makeModel = (seed: number): LayersModel => {
  const kernelInitializer = (layer: number) => initializers.varianceScaling({ seed: 10 * seed + layer });
  const model = sequential();
  model.add(
    layers.conv2d({
      inputShape: [28, 28, 1],
      kernelSize: 5,
      filters: 8,
      strides: 1,
      activation: 'relu',
      kernelInitializer: kernelInitializer(1),
    }),
  );
  model.add(layers.maxPooling2d({ poolSize: [2, 2], strides: [2, 2] }));
  model.add(
    layers.conv2d({
      kernelSize: 5,
      filters: 16,
      strides: 1,
      activation: 'relu',
      kernelInitializer: kernelInitializer(2),
    }),
  );
  model.add(layers.maxPooling2d({ poolSize: [2, 2], strides: [2, 2] }));
  model.add(layers.flatten());
  model.add(layers.dense({ units: 10, kernelInitializer: kernelInitializer(3), activation: 'softmax' }));
  return model;
};

/** A setting of an optimizer: its rate at first, and whether a cosine brings that to nothing by the last step. */
interface Setting {
  readonly rate: number;
  readonly falls: boolean;
}

/** A way to train: an optimizer for a model, and the settings that are tried. */
interface Way {
  readonly name: string;
  readonly settings: ReadonlyArray<Setting>;
  /** Steps that a run has, of about as many seconds for both. */
  readonly most: number;
  readonly optimizer: (model: LayersModel, rate: number) => tf.Optimizer;
  readonly goOnAt: (optimizer: tf.Optimizer, rate: number) => void;
}

/** As many settings of each: three rates, which fall or do not. */
const settingsOf = (rates: ReadonlyArray<number>): ReadonlyArray<Setting> =>
  [false, true].flatMap((falls) => rates.map((rate) => ({ rate, falls })));

const ways: ReadonlyArray<Way> = [
  {
    name: 'Adam',
    settings: settingsOf([3e-3, 1e-2, 2e-2]),
    most: 1000,
    optimizer: (_, rate) => tf.train.adam(rate),
    goOnAt: (optimizer, learningRate) => void Object.assign(optimizer, { learningRate }),
  },
  {
    name: 'K-FAC',
    settings: settingsOf([0.1, 0.2, 0.4]),
    most: 450,
    // The second.
    optimizer: (model, rate) => new KFACOptimizer(model, { learningRate: rate, examples: trained }),
    goOnAt: (optimizer, rate) => {
      if (optimizer instanceof KFACOptimizer) optimizer.setLearningRate(rate);
    },
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

/** How far a run was when it was first right about so many. */
interface Mark {
  readonly steps: number;
  readonly seconds: number;
}

/** What came of a run. */
interface Outcome {
  /** For each level, or `null` where it was not reached. */
  readonly reached: ReadonlyArray<Mark | null>;
  readonly last: Mark & { readonly accuracy: number };
}

/** Seconds of the processor since the start. */
const processorSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** An average of weights whose older ones count for less and less. */
const averaged = (average: ReadonlyArray<tf.Tensor>, model: LayersModel, steps: number): ReadonlyArray<tf.Tensor> => {
  const weight = Math.max(1 - kept, 1 / steps); // of all steps, while there are few
  const next = tf.tidy(() =>
    model.getWeights().map((now, i) => tf.add(tf.mul(average[i], 1 - weight), tf.mul(now, weight))),
  );
  tf.dispose([...average]);
  return next;
};

const cosineAt = (progress: number): number => (1 + Math.cos(Math.PI * progress)) / 2;

const runOf = async (
  { optimizer: make, goOnAt, most }: Way,
  { rate, falls }: Setting,
  seed: number,
  train: Examples,
  looked: Examples,
): Promise<Outcome> => {
  const [model, mean] = [makeModel(seed), makeModel(seed)];
  const optimizer = make(model, rate);
  model.compile({ optimizer, loss: 'categoricalCrossentropy' });
  const count = train.labels.shape[0];
  const batches = Math.floor(count / batchSize);
  const reached: Array<Mark> = [];
  let average: ReadonlyArray<tf.Tensor> = model.getWeights().map((weight) => weight.clone());
  let order = permutation(keyOf(seed), count);
  let [seconds, accuracy, steps] = [0, 0, 0];
  while (steps < most && reached.length < levels.length) {
    const batch = steps % batches;
    if (steps > 0 && batch === 0) order = permutation(keyOf(1000 * seed + steps), count);
    const rows = tf.tensor1d(Int32Array.from(order.data).subarray(batch * batchSize, (batch + 1) * batchSize), 'int32');
    const [x, y] = [tf.gather(train.images, rows), tf.gather(train.labels, rows)];
    const before = processorSeconds();
    if (falls) goOnAt(optimizer, Math.max(rate * cosineAt(steps / most), 1e-3 * rate));
    await model.trainOnBatch(x, y);
    steps += 1;
    average = averaged(average, model, steps);
    seconds += processorSeconds() - before;
    tf.dispose([rows, x, y]);
    if (steps % everySteps === 0) {
      mean.setWeights([...average]);
      accuracy = accuracyOf(mean, looked);
      while (accuracy >= levels[reached.length]) reached.push({ steps, seconds });
    }
  }
  tf.dispose([...average]);
  optimizer.dispose();
  model.dispose();
  mean.dispose();
  return { reached: levels.map((_, i) => reached[i] ?? null), last: { steps, seconds, accuracy } };
};

const showMark = (mark: Mark | null): string =>
  mark === null ? 'not' : `${mark.steps} steps, ${mark.seconds.toFixed(1)} s`;

const showOutcome = ({ reached, last }: Outcome): string =>
  [
    ...reached.map((mark, i) => `${(100 * levels[i]).toFixed(1)} %: ${showMark(mark)}`),
    `at the end ${(100 * last.accuracy).toFixed(2)} % (${showMark(last)})`,
  ].join('; ');

const showSetting = ({ rate, falls }: Setting): string => `${rate}${falls ? ', falling' : ''}`;

/** Whether an outcome is better than another: sooner at the last level, or closer to it. */
const isBetter = (a: Outcome, b: Outcome): boolean => {
  const [mine, others] = [a.reached.at(-1) ?? null, b.reached.at(-1) ?? null];
  if (mine === null) return others === null && a.last.accuracy > b.last.accuracy;
  return others === null || mine.seconds < others.seconds;
};

const main = async (): Promise<void> => {
  await tf.setBackend('wasm');
  filterGradientsOnWasm();
  const seeds = Number(process.argv[2] ?? '3');
  const mnist = orRaise(await readMnist(nodeFileSystem)());
  const [all, test] = [mnist.train, mnist.test].map(({ images, labels }) => examplesOf(images.data, labels.data));
  const count = all.labels.shape[0] - held;
  const part = (from: number, size: number): Examples => ({
    images: tf.slice(all.images, [from, 0, 0, 0], [size, -1, -1, -1]),
    labels: tf.slice(all.labels, [from, 0], [size, -1]),
  });
  const [train, validation] = [part(0, count), part(count, held)];
  for (const way of ways) {
    let best: readonly [Setting, Outcome] | null = null;
    for (const setting of way.settings) {
      const outcome = await runOf(way, setting, 1, train, validation);
      console.log(`${way.name} at ${showSetting(setting)}, images held back: ${showOutcome(outcome)}`);
      if (best === null || isBetter(outcome, best[1])) best = [setting, outcome];
    }
    if (best === null) continue;
    const [setting] = best;
    for (let seed = 2; seed < 2 + seeds; seed += 1) {
      const outcome = await runOf(way, setting, seed, train, test);
      console.log(`${way.name} at ${showSetting(setting)}, test images: ${showOutcome(outcome)}`);
    }
  }
};

await main();
