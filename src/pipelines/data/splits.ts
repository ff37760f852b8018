/**
 * Parts of a data set: examples to train on, others to judge by.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { groupBy } from 'fp-ts/lib/NonEmptyArray.js';

import type { KfacError } from '../../core/errors.ts';
import { keyOf } from '../../core/random/key.ts';
import { permutation } from '../../core/random/permutation.ts';
import type { ReadonlyVector } from '../../core/tensor.ts';
import { range } from './batches.ts';
import { classesIn } from './classesIn.ts';
import type { Dataset, Splits } from './dataset.ts';
import { picked } from './derived.ts';

/** How a data set is split. */
export interface SplitOptions {
  /** Part of the examples that are for the test, above 0 and below 1; a fifth unless given. */
  readonly test?: number;
  /** Decides which ones, 1 unless given. */
  readonly seed?: number;
  /**
   * Whether those for the test are drawn at random, or the last ones, for examples that follow one another in time;
   * `random` unless given.
   */
  readonly order?: 'random' | 'given';
  /** Name of an array of classes, `targets` for example, of each of which both sides get their share; none unless given. */
  readonly stratify?: string;
}

/** The order that examples keep in both parts. */
const orderOf = (data: Dataset, { seed = 1, order = 'random' }: SplitOptions): ReadonlyArray<number> =>
  Array.from(order === 'given' ? range(0, data.size) : permutation(keyOf(seed), data.size).data);

/**
 * How many of each class are for the test: as close to its share as whole numbers come, and as many as are wanted in all.
 *
 * @param counts - examples of each class
 * @param held - wanted in all
 */
const sharesOf = (counts: ReadonlyArray<number>, held: number): ReadonlyArray<number> => {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const exact = counts.map((count) => (held * count) / total);
  const whole = exact.map(Math.floor);
  const missing = held - whole.reduce((sum, count) => sum + count, 0);
  const closest = exact.map((_, i) => i).toSorted((a, b) => whole[a] - exact[a] - (whole[b] - exact[b]));
  const raised = new Set(closest.slice(0, missing));
  return whole.map((count, i) => count + (raised.has(i) ? 1 : 0));
};

/** Which examples of an order are for the test: the first ones of each class. */
const heldOf = (order: ReadonlyArray<number>, classes: ReadonlyVector, held: number): ReadonlySet<number> => {
  const groups = Object.values(groupBy((position: number) => String(classes[position]))([...order]));
  const counts = groups.map(({ length }) => length);
  const shares = sharesOf(counts, held);
  return new Set(groups.flatMap((group, i) => group.slice(0, shares[i])));
};

/**
 * Splits a data set, at random unless told otherwise.
 *
 * @param data - at least two examples
 * @param options - how many are for the test, the seed, whether the last ones are, classes that are to be on both sides
 * @returns both parts; each example is in one of them
 * @example
 * ```ts
 * import { generate } from 'kfac-ts/core';
 * import { datasetOf, splitOf } from 'kfac-ts/pipelines';
 *
 * const x = generate([10, 1], (i) => i);
 * const data = datasetOf('numbers', x, x);
 * const splits = data._tag === 'Right' ? splitOf(data.right, { test: 0.3 }) : data;
 * splits._tag === 'Right' ? splits.right.test.size : 0; // => 3
 * ```
 */
export const splitOf = (data: Dataset, options: SplitOptions = {}): E.Either<KfacError, Splits> => {
  const { test = 0.2, stratify } = options;
  const held = Math.round(test * data.size);
  if (!(held >= 1 && held < data.size)) {
    return E.left({
      _tag: 'BadConfig',
      path: 'test',
      expected: `a part above 0 and below 1 that leaves some of the ${data.size} examples on both sides`,
      actual: String(test),
    });
  }
  return pipe(
    stratify === undefined ? E.right(new Int32Array(data.size)) : classesIn(data, stratify),
    E.map((classes) => {
      const order = orderOf(data, options);
      const isHeld = heldOf(options.order === 'given' ? order.toReversed() : order, classes, held);
      const part = (name: string, isTest: boolean): Dataset =>
        picked(
          data,
          Int32Array.from(order.filter((position) => isHeld.has(position) === isTest)),
          `${data.name}, ${name}`,
        );
      return { train: part('train', false), test: part('test', true) };
    }),
  );
};
