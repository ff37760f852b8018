/**
 * The WebAssembly backend of TensorFlow.js.
 *
 * In Node.js it finds its binaries beside its code. Its kernel for transposed operands is many times slower than the one
 * for operands as they are, so transposing first is tried as well. It does not use threads in Node.js: the flag by which
 * it decides is false there.
 *
 * @module
 */
import type { Rank, Tensor2D } from '@tensorflow/tfjs-core';

import type { Contender } from './contender.ts';

/**
 * Opens the backend.
 *
 * @param path - where a page finds its binaries
 */
export const tensorflow = async (path?: string): Promise<Contender> => {
  const tf = await import('@tensorflow/tfjs-core');
  const { setThreadsCount, getThreadsCount, setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  if (path !== undefined) setWasmPaths(path);
  setThreadsCount(1);
  if (!(await tf.setBackend('wasm'))) throw new Error('the backend does not start');
  const read = (compute: () => Tensor2D) => (): Float32Array => {
    const result = tf.tidy(compute);
    const values = result.dataSync<'float32'>();
    result.dispose();
    return values;
  };
  const product = (a: Tensor2D, b: Tensor2D, transposeA: boolean, transposeB: boolean) => [
    read(() => tf.matMul(a, b, transposeA, transposeB)),
    ...(transposeA || transposeB
      ? [read(() => tf.matMul(transposeA ? tf.transpose(a) : a, transposeB ? tf.transpose(b) : b))]
      : []),
  ];
  return {
    name: `tfjs-wasm ${tf.version_core}, threads: ${getThreadsCount()}`,
    isLibrary: true,
    product: (a, b, { m, n, k, transposeA, transposeB }) =>
      product(
        tf.tensor2d(a, transposeA ? [k, m] : [m, k]),
        tf.tensor2d(b, transposeB ? [n, k] : [k, n]),
        transposeA,
        transposeB,
      ),
    gram: (x, rows, columns) => {
      const tensor = tf.tensor2d(x, [rows, columns]);
      return product(tensor, tensor, true, false);
    },
    stage: ({ batch, widths: [input, hidden, output], x, y, weights }) => {
      const inputs = tf.tensor2d(x, [batch, input]);
      const targets = tf.tensor2d(y, [batch, output]);
      const [w1, w2] = tf.tidy(() => [
        tf.keep(tf.transpose(tf.tensor2d(weights[0], [hidden, input]))),
        tf.keep(tf.transpose(tf.tensor2d(weights[1], [output, hidden]))),
      ]);
      const [b1, b2] = [tf.zeros<Rank.R1>([hidden]), tf.zeros<Rank.R1>([output])];
      // By hand: the package's gradients are part of a larger one.
      const lossAndGradients = () => {
        const h = tf.relu(tf.add(tf.matMul(inputs, w1), b1));
        const logits = tf.add(tf.matMul(h, w2), b2);
        const loss = tf.neg(tf.mean(tf.sum(tf.mul(targets, tf.logSoftmax(logits)), 1)));
        const g = tf.div(tf.sub(tf.softmax(logits), targets), batch);
        const gh = tf.mul(tf.matMul(g, tf.transpose(w2)), tf.step(h)); // prettier-ignore
        return [
          loss,
          tf.matMul(tf.transpose(h), g), // prettier-ignore
          tf.sum(g, 0),
          tf.matMul(tf.transpose(inputs), gh), // prettier-ignore
          tf.sum(gh, 0),
        ];
      };
      return () => {
        const results = tf.tidy(lossAndGradients);
        const [loss] = results.map((result) => result.dataSync<'float32'>());
        tf.dispose(results);
        return loss;
      };
    },
  };
};
