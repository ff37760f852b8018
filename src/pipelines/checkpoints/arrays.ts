/**
 * The arrays of plain data and their names in a file: what is said of a state besides its arrays is text, and an array's name
 * is where it stands.
 *
 * An array that stands at several places is written once, under the name of the first. Words that say nothing to a reader of
 * the file are left out of names: `curvature/encoder.0/A`, not `curvature/averages/encoder.0/A`.
 *
 * @module
 */
import * as NEA from 'fp-ts/lib/NonEmptyArray.js';

import type { Params } from '../../core/params.ts';
import { arraysAt } from '../../core/pipeline/arraysIn.ts';
import type { Tensor } from '../../core/tensor.ts';

/** Plain data whose arrays are elsewhere, as JSON has it. */
export interface Described {
  /** The data, with `{ array: name }` in the place of each array. */
  readonly structure: unknown;
  /** The arrays by name. */
  readonly arrays: Params<Tensor>;
}

/** Fields that there is one of, or that are told by what they hold. */
const silent: ReadonlySet<string> = new Set([
  ...['state', 'solver', 'averages', 'blocks', 'operator', 'operators', 'matrix', 'watch'],
]);

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** The tilde numbers arrays of one name, so those of names are written in another way. */
const nameAt = (path: ReadonlyArray<string>): string => {
  const heard = path.filter((field) => !silent.has(field));
  return (heard.length === 0 ? path : heard).join('/').replaceAll('~', '~0');
};

/** A name for each array, that of the first place where it stands; those of one name are numbered: `name`, `name~2`, `name~3`. */
const namesOf = (value: unknown): ReadonlyMap<Tensor, string> => {
  // From the last place to the first, so that the first has the last word.
  const standing = arraysAt<Tensor>(value).map(([array, path]) => [array, nameAt(path)] as const);
  const places = [...new Map(standing.toReversed())].toReversed();
  const alike = NEA.groupBy(([, name]: readonly [Tensor, string]) => name)(places);
  return new Map(
    Object.entries(alike).flatMap(([name, of]) =>
      of.map(([array], i) => [array, i === 0 ? name : `${name}~${i + 1}`] as const),
    ),
  );
};

/** Numbers that JSON does not have, as text. */
const numberText = (value: number): number | string =>
  Number.isFinite(value) && !Object.is(value, -0) ? value : Object.is(value, -0) ? '-0' : String(value);

/** The same data with names in the places of arrays. */
const named = (value: unknown, names: ReadonlyMap<unknown, string>): unknown => {
  if (typeof value === 'number') return numberText(value);
  if (!isObject(value)) return value;
  const array = names.get(value);
  if (array !== undefined) return { array };
  return Array.isArray(value)
    ? value.map((part: unknown) => named(part, names))
    : Object.fromEntries(Object.entries(value).map(([field, part]) => [field, named(part, names)]));
};

/**
 * Plain data in two parts: what JSON holds, and arrays.
 *
 * @param value - records, lists, arrays, numbers and text, put together in any way
 */
export const describe = (value: unknown): Described => {
  const names = namesOf(value);
  return {
    structure: named(value, names),
    arrays: Object.fromEntries([...names].map(([array, name]) => [name, array])),
  };
};
