/**
 * Arrays that several ranks have together, and the four ways in which they do.
 *
 * Nobody but this folder sees where an array is: it is one value with one shape, as in one process. What looks at all of it makes
 * it whole, which needs a message, and it stays so: a place of an array changes only from a sum to shards, and from any of them to
 * whole, and its value never.
 *
 * @module
 */
import type { IORef } from 'fp-ts/lib/IORef.js';

import type { DType, Shape, Shaped, Tensor } from '../../tensor.ts';
import { bytesOf, sizeOf } from '../../tensor.ts';
import type { Rows } from './rows.ts';
import { rowOf } from './rows.ts';

/** A rank's own array of an operation; `null` where it has nothing: an empty run, or zeros. */
export type Part = Tensor | null;

/** Where an array is. Parts are those of the ranks that are here, or of their runs, in order. */
export type Place =
  /** Every rank could make it from numbers that all have: nothing is placed before somebody needs it. */
  | { readonly kind: 'given'; readonly value: Tensor | number }
  /** Every rank has all of it. */
  | { readonly kind: 'whole'; readonly whole: Tensor; readonly isSymmetric?: boolean }
  /** Run r goes from `bounds[r]` to `bounds[r + 1]` along an axis; each rank has one, or one for each part of its examples. */
  | {
      readonly kind: 'shards';
      readonly axis: number;
      readonly bounds: ReadonlyArray<number>;
      readonly parts: ReadonlyArray<Part>;
    }
  /** It is the sum of what the ranks have. */
  | { readonly kind: 'sum'; readonly parts: ReadonlyArray<Part>; readonly isSymmetric: boolean }
  /** The ranks of one row have all of it, the others nothing. */
  | { readonly kind: 'owned'; readonly row: number; readonly whole: Part };

/** A message that takes an array to another place. */
export interface Coming {
  /** What it is read from and written to. */
  readonly arrays: ReadonlyArray<Tensor>;
  /** Waits for it. */
  readonly arrive: () => Place;
}

/** What there is of an array: where it is, and what is left of places before, which goes back to memory when the array does. */
export interface Holding {
  readonly place: Place;
  readonly former: ReadonlyArray<Tensor>;
  /** Under way; whoever asks for the place waits for it. */
  readonly coming: Coming | null;
}

/** An array that ranks have together. */
export interface Spread extends Shaped {
  readonly shape: Shape;
  /** Of its elements: a rank that has none of them has to know it too. */
  readonly dtype: DType;
  /** Changes when the array is added up, or made whole. */
  readonly held: IORef<Holding>;
  /** The scope in which it was made. */
  readonly born: object;
}

/** Arrays of this process in a place before. */
const partsOf = (place: Place): ReadonlyArray<Tensor> =>
  place.kind === 'shards' || place.kind === 'sum' ? place.parts.filter((part) => part !== null) : [];

/** Writes down that an array is in another place, and what else is left of the way. */
export const movesTo = ({ held }: Spread, to: Place, left: ReadonlyArray<Tensor> = []): void => {
  const { place, former } = held.read();
  held.write({ place: to, former: [...former, ...partsOf(place), ...left], coming: null })();
};

/** Waits for what takes an array to another place, if anything does. */
export const settle = (x: Spread): void => {
  const { coming } = x.held.read();
  if (coming !== null) movesTo(x, coming.arrive(), coming.arrays);
};

/** Where an array is by now. */
export const placeOf = (x: Spread): Place => {
  settle(x);
  return x.held.read().place;
};

const arraysAt = (place: Place): ReadonlyArray<Part> => {
  switch (place.kind) {
    case 'given':
      return [];
    case 'whole':
    case 'owned':
      return [place.whole];
    case 'shards':
    case 'sum':
      return place.parts;
  }
};

/** All arrays in the memory of this process that an array is made of. */
export const arraysOf = ({ held }: Spread): ReadonlyArray<Tensor> => {
  const { place, former, coming } = held.read();
  return [...arraysAt(place).filter((part) => part !== null), ...former, ...(coming?.arrays ?? [])];
};

/** The shape with another extent along an axis. */
export const withExtent = (shape: Shape, axis: number, extent: number): Shape =>
  shape.map((own, i) => (i === axis ? extent : own));

/** Elements of an array that a rank has, in the run of one part. */
const elementsOn = (rows: Rows, rank: number, { shape, held }: Spread): number => {
  const { place } = held.read();
  switch (place.kind) {
    case 'given':
      return 0;
    case 'whole':
    case 'sum':
      return sizeOf(shape);
    case 'owned':
      return rowOf(rows, rank) === place.row ? sizeOf(shape) : 0;
    case 'shards': {
      const { axis, bounds } = place;
      return sizeOf(withExtent(shape, axis, bounds[rank + 1] - bounds[rank]));
    }
  }
};

/**
 * Bytes of arrays in the memory of a rank. What is only given takes none yet.
 *
 * @param rows - which ranks have what belongs to some
 * @param rank - one of them
 * @param arrays - any
 */
export const bytesOn = (rows: Rows, rank: number, arrays: Iterable<Spread>): number =>
  [...arrays].reduce((sum, x) => sum + bytesOf(x.dtype) * elementsOn(rows, rank, x), 0);

/** The memory of those arrays that every rank has, and that are the same on all as long as nothing goes wrong. */
export const wholesAmong = (arrays: ReadonlyArray<Spread>): ReadonlyArray<Tensor['data']> =>
  arrays.flatMap((x) => {
    const place = placeOf(x);
    return place.kind === 'whole' ? [place.whole.data] : [];
  });

/** Elements before an axis and behind it: of all axes to its left, and to its right. */
export const aroundAxis = (shape: Shape, axis: number): readonly [before: number, behind: number] => [
  shape.slice(0, axis).reduce((size, extent) => size * extent, 1),
  shape.slice(axis + 1).reduce((size, extent) => size * extent, 1),
];

/** Whether two lists of numbers are the same. */
export const sameBounds = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean =>
  a === b || (a.length === b.length && a.every((bound, i) => bound === b[i]));
