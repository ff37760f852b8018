/**
 * Yes or no, to one question or to several: sigmoid cross-entropy.
 *
 * @module
 */
import { referenceBackend } from '../../core/backends/reference/backend.ts';
import { sigmoidCrossEntropy } from '../../core/nn/losses/sigmoidCrossEntropy.ts';
import { generate } from '../../core/tensor.ts';
import { binaryEntropy } from './floors.ts';
import { network, taught } from './networks.ts';
import type { Problem } from './problem.ts';
import { drawn, problem } from './problem.ts';
import { columnsOf, gaussians, inRawUnits, keysFor, mapTable, standardised, uniforms } from './tables.ts';

const { ops } = referenceBackend();

const loss = sigmoidCrossEntropy;

/** Every problem of yes or no. */
export const answerProblems: ReadonlyArray<Problem> = [
  problem({
    name: 'two-spirals',
    description: 'two spirals in the plane, 2-32-32-1, tanh, batch 50',
    model: network([2, 32, 32, 1], 'tanh'),
    loss,
    batch: 50,
    steps: 300,
    examples: drawn(() => {
      const places = uniforms(keysFor('two-spirals')(0), 500, 2);
      const arm = (part: number): number => (part < 0.5 ? 0 : 1);
      const angle = (turn: number, part: number): number => 3 * Math.PI * Math.sqrt(turn) + Math.PI * arm(part);
      return {
        inputs: columnsOf(places, [
          ([turn, part]) => 2 * Math.sqrt(turn) * Math.cos(angle(turn, part)),
          ([turn, part]) => 2 * Math.sqrt(turn) * Math.sin(angle(turn, part)),
        ]),
        targets: columnsOf(places, [([, part]) => arm(part)]),
      };
    }),
  }),
  problem({
    name: 'parity',
    description: 'the parity of 3 of 10 bits, 10-64-1, relu, batch 64',
    model: network([10, 64, 1], 'relu'),
    loss,
    batch: 64,
    steps: 300,
    examples: drawn(() => {
      const inputs = mapTable(uniforms(keysFor('parity')(0), 1000, 10), (u) => (u < 0.5 ? -1 : 1));
      return { inputs, targets: columnsOf(inputs, [([a, b, c]) => (1 + a * b * c) / 2]) };
    }),
  }),
  problem({
    name: 'twelve-questions',
    description: 'twelve answers of another network, some of them rare, 16-48-12, gelu, batch 32',
    model: network([16, 48, 12], 'gelu'),
    loss,
    batch: 32,
    steps: 250,
    examples: drawn(() => {
      const key = keysFor('twelve-questions');
      const inputs = gaussians(key(0), 1250, 16);
      const logits = standardised(taught(network([16, 24, 12], 'tanh'), key(1), inputs));
      return { inputs, targets: mapTable(logits, (z, question) => (z > question / 6 ? 1 : 0)) };
    }),
  }),
  problem({
    name: 'grey-answers',
    description: 'four probabilities that another network gives, 12-32-32-4, tanh, batch 100',
    model: network([12, 32, 32, 4], 'tanh'),
    loss,
    batch: 100,
    steps: 200,
    floor: binaryEntropy,
    examples: drawn(() => {
      const key = keysFor('grey-answers');
      const inputs = gaussians(key(0), 1250, 12);
      const logits = standardised(taught(network([12, 32, 4], 'tanh'), key(1), inputs));
      return { inputs, targets: ops.sigmoid(ops.scale(2, logits)) };
    }),
  }),
  problem({
    name: 'raw-answers',
    description: '14 features of scales 1 to 1000, an answer of another network, 14-40-1, relu, batch 16',
    model: network([14, 40, 1], 'relu'),
    loss,
    batch: 16,
    steps: 300,
    examples: drawn(() => {
      const key = keysFor('raw-answers');
      const inputs = gaussians(key(0), 1250, 14);
      const logits = standardised(taught(network([14, 16, 1], 'tanh'), key(1), inputs));
      const wrong = uniforms(key(2), 1250, 1);
      const targets = generate(logits.shape, (i) => (logits.data[i] > 0 === wrong.data[i] > 0.05 ? 1 : 0));
      return { inputs: inRawUnits(inputs), targets };
    }),
  }),
];
