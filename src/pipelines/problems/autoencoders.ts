/**
 * Drawn data through a narrow code and back.
 *
 * @module
 */
import { referenceBackend } from '../../core/backends/reference/backend.ts';
import { sigmoidCrossEntropy } from '../../core/nn/losses/sigmoidCrossEntropy.ts';
import { squaredError } from '../../core/nn/losses/squaredError.ts';
import type { Key } from '../../core/random/key.ts';
import type { Tensor } from '../../core/tensor.ts';
import { generate } from '../../core/tensor.ts';
import { binaryEntropy, principalComponents } from './floors.ts';
import { network } from './networks.ts';
import type { Problem } from './problem.ts';
import { drawn, problem } from './problem.ts';
import { gaussians, keysFor, noisy, uniforms } from './tables.ts';

const { ops } = referenceBackend();

const side = 12;

/** Ink of soft strokes on paper of 12 × 12: a quadratic curve between three drawn points, darker where it is near. */
const strokes = (key: Key, n: number): Tensor => {
  const points = uniforms(key, n, 6);
  const places = Array.from({ length: 17 }, (_, i) => i / 16);
  const weights = places.map((t) => [(1 - t) ** 2, 2 * t * (1 - t), t ** 2]);
  return generate([n, side * side], (i) => {
    const from = 6 * Math.floor(i / (side * side));
    const [row, column] = [Math.floor((i % (side * side)) / side), i % side];
    const nearest = weights.reduce((least, [a, b, c]) => {
      const x = a * points.data[from] + b * points.data[from + 1] + c * points.data[from + 2];
      const y = a * points.data[from + 3] + b * points.data[from + 4] + c * points.data[from + 5];
      return Math.min(least, (side * x - column - 0.5) ** 2 + (side * y - row - 0.5) ** 2);
    }, Infinity);
    return Math.exp(-nearest);
  });
};

/** Every autoencoder of drawn data. */
export const autoencoderProblems: ReadonlyArray<Problem> = [
  problem({
    name: 'linear-autoencoder',
    description: 'five directions with noise in 24 dimensions through a linear code of 5, batch 64',
    model: network([24, 5, 24], 'identity'),
    loss: squaredError,
    batch: 64,
    steps: 200,
    floor: principalComponents(5),
    examples: drawn(() => {
      const key = keysFor('linear-autoencoder');
      const inputs = noisy(key(2), ops.matmul(gaussians(key(0), 800, 5), gaussians(key(1), 5, 24)), 1, 0.2);
      return { inputs, targets: inputs };
    }),
  }),
  problem({
    name: 'strokes-autoencoder',
    description: 'drawn strokes of 12 × 12 pixels through a code of 6, 144-64-32-6-32-64-144, tanh, batch 100',
    model: network([144, 64, 32, 6, 32, 64, 144], 'tanh'),
    loss: sigmoidCrossEntropy,
    batch: 100,
    steps: 200,
    floor: binaryEntropy,
    examples: drawn(() => {
      const inputs = strokes(keysFor('strokes-autoencoder')(0), 1250);
      return { inputs, targets: inputs };
    }),
  }),
];
