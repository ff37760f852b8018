/**
 * Regression by small networks: targets of scale 10⁻² to 10³, features standard, raw and heavy-tailed.
 *
 * @module
 */
import { squaredError } from '../../core/nn/losses/squaredError.ts';
import { generate } from '../../core/tensor.ts';
import { network, taught } from './networks.ts';
import type { Problem } from './problem.ts';
import { drawn, problem } from './problem.ts';
import { columnsOf, gaussians, inRawUnits, keysFor, mapTable, noisy, standardised, uniforms } from './tables.ts';

const loss = squaredError;

/** Every regression. */
export const regressionProblems: ReadonlyArray<Problem> = [
  problem({
    name: 'tiny-targets',
    description: 'targets of scale 0.01 from another network, 8-32-1, relu, batch 32',
    model: network([8, 32, 1], 'relu'),
    loss,
    batch: 32,
    steps: 200,
    examples: drawn(() => {
      const key = keysFor('tiny-targets');
      const inputs = gaussians(key(0), 1000, 8);
      const outputs = taught(network([8, 16, 1], 'tanh'), key(1), inputs);
      return { inputs, targets: noisy(key(2), standardised(outputs), 0.01, 0.0005) };
    }),
  }),
  problem({
    name: 'huge-targets',
    description: 'two targets of scale 1000 from another network, 10-64-64-2, tanh, batch 100',
    model: network([10, 64, 64, 2], 'tanh'),
    loss,
    batch: 100,
    steps: 200,
    examples: drawn(() => {
      const key = keysFor('huge-targets');
      const inputs = gaussians(key(0), 1250, 10);
      const outputs = taught(network([10, 32, 2], 'relu'), key(1), inputs);
      return { inputs, targets: noisy(key(2), standardised(outputs), 1000, 50) };
    }),
  }),
  problem({
    name: 'raw-features',
    description: '12 features of scales 1 to 1000 to a target of scale 1, 12-48-1, gelu, batch 64',
    model: network([12, 48, 1], 'gelu'),
    loss,
    batch: 64,
    steps: 300,
    examples: drawn(() => {
      const key = keysFor('raw-features');
      const inputs = gaussians(key(0), 1000, 12);
      const outputs = taught(network([12, 16, 1], 'tanh'), key(1), inputs);
      return { inputs: inRawUnits(inputs), targets: noisy(key(2), standardised(outputs), 1, 0.1) };
    }),
  }),
  problem({
    name: 'heavy-tails',
    description: 'features and noise with heavy tails, targets of scale 10, 16-64-1, gelu, batch 40',
    model: network([16, 64, 1], 'gelu'),
    loss,
    batch: 40,
    steps: 250,
    examples: drawn(() => {
      const key = keysFor('heavy-tails');
      const normal = gaussians(key(0), 1000, 16);
      const outputs = standardised(taught(network([16, 16, 1], 'tanh'), key(1), normal));
      const noise = gaussians(key(2), 1000, 1);
      return {
        inputs: mapTable(normal, (z) => Math.exp(z)),
        targets: generate(outputs.shape, (i) => 10 * outputs.data[i] + Math.sinh(2 * noise.data[i])),
      };
    }),
  }),
  problem({
    name: 'sine',
    description: 'a sine of three periods from 240 points, 1-64-64-1, tanh, batch 60',
    model: network([1, 64, 64, 1], 'tanh'),
    loss,
    batch: 60,
    steps: 300,
    examples: drawn(() => {
      const inputs = mapTable(uniforms(keysFor('sine')(0), 300, 1), (u) => 2 * u - 1);
      return { inputs, targets: mapTable(inputs, (x) => Math.sin(3 * Math.PI * x)) };
    }),
  }),
  problem({
    name: 'friedman',
    description: 'Friedman’s function of 5 of 10 uniform features, targets from 0 to 30, 10-32-32-1, relu, batch 20',
    model: network([10, 32, 32, 1], 'relu'),
    loss,
    batch: 20,
    steps: 300,
    examples: drawn(() => {
      const key = keysFor('friedman');
      const inputs = uniforms(key(0), 1000, 10);
      const values = columnsOf(inputs, [
        ([a, b, c, d, e]) => 10 * Math.sin(Math.PI * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e,
      ]);
      return { inputs, targets: noisy(key(1), values, 1, 1) };
    }),
  }),
];
