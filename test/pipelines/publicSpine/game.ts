/**
 * A game of two networks, written as someone outside the package would: one makes numbers out of noise, the other tells them
 * from those of the data. The optimizer that is asked for tells, another one makes.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Layer, Objective } from '../../../src/core/index.ts';
import {
  generate,
  keyOf,
  leaf,
  model,
  normal,
  outputsAt,
  evaluating,
  pickParams,
  sequential,
  sigmoidCrossEntropy,
} from '../../../src/core/index.ts';
import type { Dataset, Preview, Task, TrainTask } from '../../../src/pipelines/index.ts';
import { datasetOf, defineTask, predict } from '../../../src/pipelines/index.ts';
import type { Optimizer } from '../../../src/solvers/index.ts';
import { adamOptimizer, turns } from '../../../src/solvers/index.ts';
import { discriminator, generator } from './networks.ts';

const orThrow = <A>(result: E.Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left));
  return result.right;
};

/** What is made. */
const making = model('making', [1], sequential({ generator }));

/** Logits `[n, 1]` of what is made. */
const both = sequential({ generator, discriminator });

/** Logits `[n, 2]` of data and of what is made. */
const telling: Layer = leaf({
  kind: 'telling',
  label: 'data and what is made, judged',
  parameters: both.parameters,
  apply: (ops, params, _path, x, at) => {
    const judged = (numbers: typeof x) => discriminator.apply(ops, params, 'discriminator', numbers, at);
    const made = ops.stopGradient(generator.apply(ops, params, 'generator', x, at));
    return ops.concat([judged(x), judged(made)], 1);
  },
});

/** 1 for data, 0 for what is made. */
const toTell: Objective = { model: model('telling', [1], telling), loss: sigmoidCrossEntropy, targets: 'told' };

/** What is made is taken for data. */
const toFool: Objective = { model: model('fooling', [1], both), loss: sigmoidCrossEntropy, targets: 'fooled' };

const numbers = (name: string, seed: number, count: number): Dataset => {
  const { data } = normal(keyOf(seed), [count, 1], 'f64');
  return orThrow(
    datasetOf(name, {
      inputs: generate([count, 1], (i) => 2 + data[i] / 2),
      told: generate([count, 2], (i) => 1 - (i % 2)),
      fooled: generate([count, 1], () => 1),
    }),
  );
};

/** Numbers that are made, as a file. */
const made: Preview = {
  look: (backend, { params }, { test }) => {
    const paths = Object.keys(params).filter((path) => path.startsWith('generator.'));
    const { inputs } = test.batch(Int32Array.of(0, 1, 2, 3));
    return pipe(
      predict(backend, making, pickParams(params, paths), inputs),
      TE.map((outputs) => ({ outputs })),
    );
  },
  show: (looks) => [
    {
      kind: 'file',
      name: 'made.txt',
      content: looks
        .map(({ name, arrays: { outputs } }) => `${name}: ${Array.from(outputs.data).join(' ')}\n`)
        .join(''),
    },
  ],
};

/**
 * Two networks that play.
 *
 * @param making - the optimizer of the one that makes numbers
 */
export const game = (fooling: Optimizer = adamOptimizer({ learningRate: 0.05 })): Task & TrainTask =>
  defineTask({
    name: 'toy-game',
    description: 'numbers out of noise',
    networks: [toTell.model, toFool.model],
    step: (optimizer) =>
      turns([
        { name: 'discriminator', parameters: ['discriminator'], objective: toTell, optimizer },
        { name: 'generator', parameters: ['generator'], objective: toFool, optimizer: fooling },
      ]),
    // How far the mean of what is made is from that of the data, and whether they are told apart.
    judge: (ops, { params, held, running }, batch) => {
      const at = evaluating(batch, running);
      const { inputs } = batch;
      const outputs = outputsAt(ops, { model: making, params, held, at });
      const apart = ops.sub(ops.mean(inputs, [0, 1]), ops.mean(outputs, [0, 1]));
      const logits = outputsAt(ops, { model: toTell.model, params, held, at });
      return {
        distance: { sum: ops.abs(apart), weight: 1 },
        told: { sum: ops.sum(toTell.loss.value(ops, logits, batch['told']), [0]), weight: inputs.shape[0] },
      };
    },
    loss: { name: 'distance', metric: 'generator.loss', label: 'distance of the means' },
    preview: made,
    defaults: { steps: 40, batch: 16 },
    data: { train: numbers('numbers', 1, 64), test: numbers('others', 2, 32) },
  });
