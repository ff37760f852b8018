/**
 * Networks that are wide, or deep.
 *
 * @module
 */
import { softmaxCrossEntropy } from '../../core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../core/nn/losses/squaredError.ts';
import { dense } from '../../core/nn/layers/dense.ts';
import { sequential } from '../../core/nn/layers/sequential.ts';
import { model } from '../../core/nn/model.ts';
import { accuracy } from '../tasks/measures.ts';
import { network, residualBlock, taught } from './networks.ts';
import type { Problem } from './problem.ts';
import { drawn, problem } from './problem.ts';
import { gaussians, highest, keysFor, noisy, standardised } from './tables.ts';

/** As many hidden layers of a width. */
const hidden = (layers: number, width: number): ReadonlyArray<number> => Array.from({ length: layers }, () => width);

/** Every problem of an unusual shape. */
export const depthProblems: ReadonlyArray<Problem> = [
  problem({
    name: 'wide-layers',
    description: 'five classes of another network, 20-512-512-5, tanh, batch 128',
    model: network([20, 512, 512, 5], 'tanh'),
    loss: softmaxCrossEntropy,
    measures: { accuracy },
    batch: 128,
    steps: 100,
    examples: drawn(() => {
      const key = keysFor('wide-layers');
      const inputs = gaussians(key(0), 1600, 20);
      return { inputs, targets: highest(taught(network([20, 24, 5], 'tanh'), key(1), inputs)) };
    }),
  }),
  problem({
    name: 'ten-layers',
    description: 'regression, ten layers of 16 units, tanh, batch 100',
    model: network([8, ...hidden(9, 16), 1], 'tanh'),
    loss: squaredError,
    batch: 100,
    steps: 200,
    examples: drawn(() => {
      const key = keysFor('ten-layers');
      const inputs = gaussians(key(0), 1250, 8);
      const outputs = taught(network([8, 24, 1], 'tanh'), key(1), inputs);
      return { inputs, targets: noisy(key(2), standardised(outputs), 1, 0.05) };
    }),
  }),
  problem({
    name: 'seven-rectified-layers',
    description: 'six classes of another network, seven layers of 32 units, relu, batch 64',
    model: network([12, ...hidden(6, 32), 6], 'relu'),
    loss: softmaxCrossEntropy,
    measures: { accuracy },
    batch: 64,
    steps: 250,
    examples: drawn(() => {
      const key = keysFor('seven-rectified-layers');
      const inputs = gaussians(key(0), 1250, 12);
      return { inputs, targets: highest(taught(network([12, 24, 6], 'tanh'), key(1), inputs)) };
    }),
  }),
  problem({
    name: 'residual-blocks',
    description: 'regression, three residual blocks of 24 units with layer norm, gelu, targets of scale 5, batch 50',
    model: model(
      'network',
      [10],
      sequential([
        dense({ in: 10, out: 24 }),
        residualBlock(24),
        residualBlock(24),
        residualBlock(24),
        dense({ in: 24, out: 2 }),
      ]),
    ),
    loss: squaredError,
    batch: 50,
    steps: 200,
    examples: drawn(() => {
      const key = keysFor('residual-blocks');
      const inputs = gaussians(key(0), 1000, 10);
      const outputs = taught(network([10, 32, 2], 'relu'), key(1), inputs);
      return { inputs, targets: noisy(key(2), standardised(outputs), 5, 0.2) };
    }),
  }),
];
