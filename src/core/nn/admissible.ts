/**
 * Which numbers an array of a batch may hold: indices of rows that a table has, classes that a model tells apart.
 *
 * An interpreter cannot say so: a device gives NaN for a row that is not there. In host memory the values can be looked at,
 * so this is where the first wrong one is named.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../errors.ts';
import type { ReadonlyVector, Tensor } from '../tensor.ts';
import { sizeOf } from '../tensor.ts';

/** Numbers from `least` to `most`. */
export interface Range {
  readonly least: number;
  readonly most: number;
  /** Whether they are whole. */
  readonly isWhole: boolean;
}

/** Numbers that an array may hold, and how to say so. */
export interface Admissible extends Range {
  /** One number outside of the range that it may hold, too. */
  readonly except?: number;
  /** What they are: `classes from 0 to 9`. */
  readonly expected: string;
  /** What to do about others. */
  readonly advice: string;
}

/** How {@link checkAdmissible} reads an array. */
export interface Reading {
  /** Weights of the examples, or of their positions, `[n, …]`: what has a weight of 0 may be anything. */
  readonly weights?: Tensor;
  /** What the example at a place along the first axis is called. */
  readonly exampleAt?: (row: number) => number;
}

/** Whether all numbers of a range are admissible. */
export const isWithin = (range: Range, { least, most, isWhole }: Range): boolean =>
  range.least >= least && range.most <= most && (range.isWhole || !isWhole);

/** Position of the first number outside a range, of those whose group of neighbours has a weight; −1 where there is none. */
const firstOutside = (
  data: ReadonlyVector,
  { least, most, isWhole, except }: Admissible,
  weights: ReadonlyVector | null,
  group: number,
): number => {
  for (let i = 0; i < data.length; i += 1) {
    const x = data[i];
    if ((x >= least && x <= most && (!isWhole || Number.isInteger(x))) || x === except) continue;
    if (weights?.[Math.floor(i / group)] !== 0) return i;
  }
  return -1;
};

/**
 * Numbers of an array, if all are admissible.
 *
 * @param source - where they come from
 * @param x - `[n, …]`
 * @param admissible - which ones are
 * @param reading - weights, and names of examples
 * @returns the array, or its first number that is not admissible, with its example and its position there
 */
export const checkAdmissible = (
  source: string,
  x: Tensor,
  admissible: Admissible,
  { weights, exampleAt = (row) => row }: Reading = {},
): E.Either<KfacError, Tensor> => {
  const group = weights === undefined ? 1 : x.data.length / weights.data.length;
  const at = firstOutside(x.data, admissible, weights?.data ?? null, Math.max(1, group));
  if (at < 0) return E.right(x);
  const perExample = sizeOf(x.shape.slice(1));
  const position = perExample === 1 ? '' : `, at position ${at % perExample}`;
  return E.left({
    _tag: 'BadData',
    source,
    expected: admissible.expected,
    actual: `${x.data[at]} in example ${exampleAt(Math.floor(at / perExample))}${position}`,
    advice: admissible.advice,
  });
};
