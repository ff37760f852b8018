/** What a page does that trains a network of TensorFlow.js with K-FAC: on the processor, then with WebGL, then for long. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-webgl';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { KFACOptimizer } from 'kfac-ts/tfjs';

const examples = 24;
const wave = (length, pace) => Float32Array.from({ length }, (_, i) => Math.sin(pace * (i + 1)));

const network = () =>
  sequential({
    layers: [
      layers.conv2d({ inputShape: [8, 8, 1], filters: 4, kernelSize: 3, activation: 'tanh' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.depthwiseConv2d({ kernelSize: 2 }),
      layers.batchNormalization(),
      layers.flatten(),
      layers.dense({ units: 3, activation: 'softmax' }),
    ],
  });

/** Weights that are the same on every backend; gains are 1. */
const settle = (model) =>
  model.setWeights(
    model.weights.map(({ originalName, shape }, i) =>
      /gamma|variance/.test(originalName)
        ? tf.ones(shape)
        : tf.tensor(
            wave(tf.util.sizeFromShape(shape), 0.7 + i).map((x) => x / 3),
            shape,
          ),
    ),
  );

/** With a nudge every other number of the examples is multiplied by 1 + nudge. */
const trained = async (backend, steps, more, nudge = 0) => {
  await tf.setBackend(backend);
  const model = network();
  tf.tidy(() => settle(model));
  const optimizer = new KFACOptimizer(model, { damping: 0.1 });
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy' });
  const numbers = wave(examples * 64, 0.37).map((value, i) => (i % 2 === 0 ? value * (1 + nudge) : value));
  const x = tf.tensor4d(numbers, [examples, 8, 8, 1]);
  const y = tf.tensor1d(Float32Array.from({ length: examples }, (_, i) => i % 3));
  const fit = (epochs) => model.fit(x, y, { epochs, batchSize: examples, shuffle: false, verbose: 0 });
  const { history } = await fit(steps);
  const weights = model.getWeights().flatMap((weight) => [...weight.dataSync()]);
  const { numTensors: before } = tf.memory();
  if (more > 0) await fit(more);
  const { numTensors: after } = tf.memory();
  const differences = optimizer.differences();
  optimizer.dispose();
  return { backend: tf.getBackend(), losses: history.loss, weights, tensors: [before, after], differences };
};

globalThis.trainedBy = trained;
