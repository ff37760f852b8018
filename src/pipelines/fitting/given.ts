/**
 * Examples as people have them: arrays, a data set, or something that gives one example or one batch after another.
 *
 * What comes one after another is waited for and kept, so that there can be epochs, each in an order of its own; a stream that
 * does not fit into memory, or has no end, is for `training`.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import type { Layer } from '../../core/nn/layers/layer.ts';
import type { Loss } from '../../core/nn/losses/loss.ts';
import { model } from '../../core/nn/model.ts';
import type { Source } from '../../core/scan.ts';
import { gathered } from '../../core/scan.ts';
import { shown } from '../../core/shown.ts';
import { showShape } from '../../core/tensor.ts';
import type { Dataset } from '../data/dataset.ts';
import { dataset } from '../data/dataset.ts';
import { messageOf } from '../files/thrown.ts';
import { outputsOf } from '../tasks/supervised.ts';
import type { Filled, Nested, Numbers } from './numbers.ts';
import { below, filled, inputRows, targetRows } from './numbers.ts';

/** Inputs and targets of all examples, or of some. */
export interface Arrays {
  readonly inputs: Numbers;
  readonly targets: Numbers;
}

/** Inputs and targets of one example. */
export interface Example {
  readonly inputs: Nested | number;
  readonly targets: Nested | number;
}

/** Examples: what goes into a network and what should come out. */
export type Given =
  | Dataset
  /** One row for each example. */
  | Arrays
  /** One after another: a list, a generator, an async generator, anything that `for await` goes through. */
  | { readonly examples: Source<Example> }
  /** Some after others, likewise. */
  | { readonly batches: Source<Arrays> };

const isPair = (item: unknown): item is Example =>
  typeof item === 'object' && item !== null && 'inputs' in item && 'targets' in item;

/** All that a source gives. */
const allOf = <A>(source: Source<A>, what: string): TE.TaskEither<KfacError, ReadonlyArray<A>> =>
  pipe(
    gathered(source, ({ thrown, before }): KfacError => ({
      _tag: 'BadData',
      source: `${what} ${before}`,
      expected: 'inputs and targets',
      actual: `the error “${messageOf(thrown)}”`,
      advice: 'It comes from the source of the examples.',
      row: before,
    })),
    TE.chainEitherK((items): E.Either<KfacError, ReadonlyArray<A>> => {
      const at = items.findIndex((item) => !isPair(item));
      return at < 0
        ? E.right(items)
        : E.left({
            _tag: 'BadData',
            source: `${what} ${at}`,
            expected: 'a record of inputs and targets',
            actual: shown(items[at]),
            advice: 'Give { inputs, targets }.',
            row: at,
          });
    }),
  );

/** Inputs and targets as arrays. */
interface Both {
  readonly inputs: Filled;
  readonly targets: Filled;
}

const arraysOf = (name: string, { inputs, targets }: Arrays): E.Either<KfacError, Both> =>
  pipe(E.Do, E.apS('inputs', filled(`${name}inputs`, inputs)), E.apS('targets', filled(`${name}targets`, targets)));

const none = (what: string): E.Either<KfacError, never> =>
  E.left({
    _tag: 'BadData',
    source: what,
    expected: 'at least one',
    actual: 'none',
    advice: 'A source that was read once may have nothing left to give.',
  });

/** Batches one below the other, each with as many inputs as targets and rows like those of the first. */
const belowEachOther = (batches: ReadonlyArray<Both>): E.Either<KfacError, Both> => {
  const rowsLike = ({ shape }: Filled): string => showShape(shape.slice(1));
  const odd = batches.findIndex(
    ({ inputs, targets }) =>
      inputs.shape[0] !== targets.shape[0] ||
      rowsLike(inputs) !== rowsLike(batches[0].inputs) ||
      rowsLike(targets) !== rowsLike(batches[0].targets),
  );
  if (odd >= 0) {
    const [{ inputs, targets }] = batches;
    return E.left({
      _tag: 'BadData',
      source: `batch ${odd}`,
      expected: `as many inputs ${rowsLike(inputs)} as targets ${rowsLike(targets)}, as the first batch has`,
      actual: `inputs ${showShape(batches[odd].inputs.shape)} and targets ${showShape(batches[odd].targets.shape)}`,
      advice: 'The first axis of each counts examples.',
      row: odd,
    });
  }
  return pipe(
    E.Do,
    E.apS('inputs', below(batches.map(({ inputs }) => inputs))),
    E.apS('targets', below(batches.map(({ targets }) => targets))),
  );
};

/** What was given as arrays, once all of it is there. */
const gatheredArrays = (given: Exclude<Given, Dataset>): TE.TaskEither<KfacError, Both> => {
  if ('examples' in given) {
    return pipe(
      allOf(given.examples, 'example'),
      TE.chainEitherK((examples) =>
        examples.length === 0
          ? none('examples')
          : arraysOf('', {
              inputs: examples.map(({ inputs }) => inputs),
              targets: examples.map(({ targets }) => targets),
            }),
      ),
    );
  }
  if ('batches' in given) {
    return pipe(
      allOf(given.batches, 'batch'),
      TE.chainEitherK(E.traverseArrayWithIndex((i, batch) => arraysOf(`batch ${i}, `, batch))),
      TE.chainEitherK((batches) => (batches.length === 0 ? none('batches') : belowEachOther(batches))),
    );
  }
  return TE.fromEither(arraysOf('', given));
};

const isDataset = (data: Given): data is Dataset => 'batch' in data;

/**
 * Examples as a data set.
 *
 * @param layer - the network that they are for, which decides what inputs are
 * @param loss - what they are for, which decides what targets are
 * @param given - examples
 */
export const datasetFor = (layer: Layer, loss: Loss, given: Given): TE.TaskEither<KfacError, Dataset> =>
  isDataset(given)
    ? TE.right(given)
    : pipe(
        gatheredArrays(given),
        TE.chainEitherK(({ inputs, targets }) =>
          attempt(() => {
            const { shape } = inputs;
            const described = model('network', shape.slice(1), layer);
            const outputs = outputsOf(described, shape[0]) ?? [shape[0]];
            return { inputs: inputRows(inputs, described), targets: targetRows(targets, loss, outputs) };
          }),
        ),
        TE.chainEitherK(({ inputs, targets }) => dataset('examples', inputs, targets)),
      );
