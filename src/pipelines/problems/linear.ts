/**
 * Linear and logistic regression, whose optimum is known: convex, with features well conditioned, raw and nearly dependent.
 *
 * @module
 */
import { referenceBackend } from '../../core/backends/reference/backend.ts';
import { sigmoidCrossEntropy } from '../../core/nn/losses/sigmoidCrossEntropy.ts';
import { squaredError } from '../../core/nn/losses/squaredError.ts';
import { generate } from '../../core/tensor.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Key } from '../../core/random/key.ts';
import { orthogonal } from '../../core/nn/initialisers/orthogonal.ts';
import { uniform } from '../../core/random/uniform.ts';
import { leastSquares, logistic } from './floors.ts';
import { network } from './networks.ts';
import type { Problem } from './problem.ts';
import { drawn, problem } from './problem.ts';
import { gaussians, inRawUnits, keysFor, mapTable, noisy } from './tables.ts';

const { ops } = referenceBackend();

/** x W for drawn weights W `[d, out]`, of variance 1 for standard features. */
const linearMap = (key: Key, x: Tensor, out: number): Tensor =>
  ops.scale(1 / Math.sqrt(x.shape[1]), ops.matmul(x, gaussians(key, x.shape[1], out)));

/** 0 or 1, drawn with probability σ(logit). */
const answers = (key: Key, logits: Tensor): Tensor => {
  const draws = uniform(key, logits.shape, 'f64');
  return generate(logits.shape, (i) => (draws.data[i] < 1 / (1 + Math.exp(-logits.data[i])) ? 1 : 0));
};

/** Features along drawn directions, the last with a deviation of 10⁻⁴: their covariance has condition 10⁸. */
const nearlyDependent = (key: Key, independent: Tensor): Tensor => {
  const d = independent.shape[1];
  const scaled = mapTable(independent, (value, column) => value * 10 ** ((-4 * column) / (d - 1)));
  return ops.matmul(scaled, orthogonal()(key, [d, d], 'f64'));
};

/** Every linear problem. */
export const linearProblems: ReadonlyArray<Problem> = [
  problem({
    name: 'linear-regression',
    description: '20 standard features to 3 noisy targets, all 320 examples at a time',
    model: network([20, 3], 'identity'),
    loss: squaredError,
    batch: 320,
    steps: 100,
    floor: leastSquares,
    examples: drawn(() => {
      const key = keysFor('linear-regression');
      const inputs = gaussians(key(0), 400, 20);
      return { inputs, targets: noisy(key(2), linearMap(key(1), inputs, 3), 1, 0.3) };
    }),
  }),
  problem({
    name: 'linear-raw-units',
    description: '12 features of scales 1 to 1000 to a target of scale 1000, batch 32',
    model: network([12, 1], 'identity'),
    loss: squaredError,
    batch: 32,
    steps: 300,
    floor: leastSquares,
    examples: drawn(() => {
      const key = keysFor('linear-raw-units');
      const inputs = gaussians(key(0), 600, 12);
      return { inputs: inRawUnits(inputs), targets: noisy(key(2), linearMap(key(1), inputs, 1), 1000, 200) };
    }),
  }),
  problem({
    name: 'linear-ill-conditioned',
    description:
      '16 features whose covariance has condition 10⁸, a target that needs all of them, all examples at a time',
    model: network([16, 1], 'identity'),
    loss: squaredError,
    batch: 400,
    steps: 300,
    floor: leastSquares,
    examples: drawn(() => {
      const key = keysFor('linear-ill-conditioned');
      const independent = gaussians(key(0), 500, 16);
      // Of the draws before they are scaled: the least direction says as much of the target as the greatest.
      const targets = noisy(key(2), linearMap(key(1), independent, 1), 1, 0.01);
      return { inputs: nearlyDependent(key(3), independent), targets };
    }),
  }),
  problem({
    name: 'logistic-regression',
    description: '30 standard features to yes or no, batch 64',
    model: network([30, 1], 'identity'),
    loss: sigmoidCrossEntropy,
    batch: 64,
    steps: 200,
    floor: logistic,
    examples: drawn(() => {
      const key = keysFor('logistic-regression');
      const inputs = gaussians(key(0), 1000, 30);
      return { inputs, targets: answers(key(2), ops.scale(2, linearMap(key(1), inputs, 1))) };
    }),
  }),
  problem({
    name: 'logistic-rare',
    description: '10 raw features to an answer that is yes in one case of 25, batch 100',
    model: network([10, 1], 'identity'),
    loss: sigmoidCrossEntropy,
    batch: 100,
    steps: 300,
    floor: logistic,
    examples: drawn(() => {
      const key = keysFor('logistic-rare');
      const inputs = gaussians(key(0), 2000, 10);
      const logits = mapTable(linearMap(key(1), inputs, 1), (value) => 1.5 * value - 4);
      return { inputs: inRawUnits(inputs), targets: answers(key(2), logits) };
    }),
  }),
];
