/**
 * Classification by small networks: many classes, rare ones, wrong labels, few examples, small batches, soft targets.
 *
 * @module
 */
import { referenceBackend } from '../../core/backends/reference/backend.ts';
import { softmaxCrossEntropy } from '../../core/nn/losses/softmaxCrossEntropy.ts';
import { accuracy } from '../tasks/measures.ts';
import { entropy } from './floors.ts';
import { network, taught } from './networks.ts';
import type { Problem } from './problem.ts';
import { drawn, problem } from './problem.ts';
import {
  around,
  classesByOdds,
  columnsOf,
  gaussians,
  highest,
  inRawUnits,
  keysFor,
  mislabelled,
  standardised,
  uniforms,
} from './tables.ts';

const { ops } = referenceBackend();

const loss = softmaxCrossEntropy;
const measures = { accuracy };

const evenOdds = (classes: number): ReadonlyArray<number> => Array.from({ length: classes }, () => 1);

/** Every classification of tables. */
export const classificationProblems: ReadonlyArray<Problem> = [
  problem({
    name: 'twenty-blobs',
    description: '20 overlapping clouds in 16 dimensions, 16-64-20, relu, batch 50',
    model: network([16, 64, 20], 'relu'),
    loss,
    measures,
    batch: 50,
    steps: 200,
    examples: drawn(() => {
      const key = keysFor('twenty-blobs');
      const targets = classesByOdds(key(0), 2000, evenOdds(20));
      return { inputs: around(key(1), targets, 20, 16, 0.8), targets };
    }),
  }),
  problem({
    name: 'rings-mislabelled',
    description: 'three rings in the plane, a tenth of the labels drawn anew, 2-24-24-3, relu, batch 32',
    model: network([2, 24, 24, 3], 'relu'),
    loss,
    measures,
    batch: 32,
    steps: 300,
    examples: drawn(() => {
      const key = keysFor('rings-mislabelled');
      const inputs = columnsOf(uniforms(key(0), 1000, 2), [
        ([angle, radius]) => (0.2 + 2 * radius) * Math.cos(2 * Math.PI * angle),
        ([angle, radius]) => (0.2 + 2 * radius) * Math.sin(2 * Math.PI * angle),
      ]);
      const rings = columnsOf(
        inputs,
        [0.5, 1.2, 1.9].map(
          (middle) =>
            ([x, y]) =>
              -Math.abs(Math.hypot(x, y) - middle),
        ),
      );
      return { inputs, targets: mislabelled(key(1), highest(rings), 3, 0.1) };
    }),
  }),
  problem({
    name: 'rare-classes',
    description: 'five classes with odds of 100 to 20 to 5 to 2 to 1, raw features, 10-32-5, tanh, batch 64',
    model: network([10, 32, 5], 'tanh'),
    loss,
    measures,
    batch: 64,
    steps: 250,
    examples: drawn(() => {
      const key = keysFor('rare-classes');
      const targets = classesByOdds(key(0), 2000, [100, 20, 5, 2, 1]);
      return { inputs: inRawUnits(around(key(1), targets, 5, 10, 1)), targets };
    }),
  }),
  problem({
    name: 'label-noise',
    description: 'ten classes of another network, three labels of ten drawn anew, 32-64-64-10, gelu, batch 100',
    model: network([32, 64, 64, 10], 'gelu'),
    loss,
    measures,
    batch: 100,
    steps: 200,
    examples: drawn(() => {
      const key = keysFor('label-noise');
      const inputs = gaussians(key(0), 2500, 32);
      const logits = taught(network([32, 32, 10], 'tanh'), key(1), inputs);
      return { inputs, targets: mislabelled(key(2), highest(logits), 10, 0.3) };
    }),
  }),
  problem({
    name: 'batches-of-eight',
    description: 'six clouds in 12 dimensions, 12-32-6, relu, batch 8',
    model: network([12, 32, 6], 'relu'),
    loss,
    measures,
    batch: 8,
    steps: 300,
    examples: drawn(() => {
      const key = keysFor('batches-of-eight');
      const targets = classesByOdds(key(0), 1000, evenOdds(6));
      return { inputs: around(key(1), targets, 6, 12, 0.7), targets };
    }),
  }),
  problem({
    name: 'few-examples',
    description: '16 examples of 40 features, three classes, 40-16-3, tanh, all examples at a time',
    model: network([40, 16, 3], 'tanh'),
    loss,
    measures,
    batch: 16,
    steps: 100,
    examples: drawn(() => {
      const key = keysFor('few-examples');
      const targets = classesByOdds(key(0), 20, evenOdds(3));
      return { inputs: around(key(1), targets, 3, 40, 0.3), targets };
    }),
  }),
  problem({
    name: 'soft-targets',
    description: 'probabilities of eight classes that another network gives, 20-48-8, gelu, batch 128',
    model: network([20, 48, 8], 'gelu'),
    loss,
    batch: 128,
    steps: 200,
    floor: entropy,
    examples: drawn(() => {
      const key = keysFor('soft-targets');
      const inputs = gaussians(key(0), 1600, 20);
      const logits = standardised(taught(network([20, 32, 8], 'tanh'), key(1), inputs));
      return { inputs, targets: ops.softmax(ops.scale(2, logits)) };
    }),
  }),
];
