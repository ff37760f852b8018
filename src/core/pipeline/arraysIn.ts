/**
 * Every array in a value, so that a scope can keep what outlives it and hand back the rest.
 *
 * Found by walking the value as the plain data it is, so a new kind of operator or memory needs no change here.
 *
 * @module
 */
import type { Shaped } from '../tensor.ts';
import type { Prepared } from './prepared.ts';
import type { Memory, TrainState } from './trainState.ts';

/** Only arrays have a shape, and the arrays of a value are all of one type. */
export const isArray = <T extends Shaped>(value: object): value is T => 'shape' in value && Array.isArray(value.shape);

const walk = <T extends Shaped>(value: unknown, found: Set<T>): Set<T> => {
  if (typeof value !== 'object' || value === null) return found;
  if (isArray<T>(value)) found.add(value);
  else for (const part of Object.values(value)) walk(part, found);
  return found;
};

/** The arrays of any value that is plain data, each once. */
export const arraysWithin = <T extends Shaped>(value: object): ReadonlySet<T> => walk(value, new Set<T>());

/**
 * The arrays of any value that is plain data with the fields that lead to each, in the order in which they stand; one that
 * stands at several places is found at each.
 *
 * @param value - records, lists, arrays
 * @param path - fields that lead to the value
 */
export const arraysAt = <T extends Shaped>(
  value: unknown,
  path: ReadonlyArray<string> = [],
): ReadonlyArray<readonly [array: T, path: ReadonlyArray<string>]> => {
  if (typeof value !== 'object' || value === null) return [];
  if (isArray<T>(value)) return [[value, path]];
  return Object.entries(value).flatMap(([field, part]) => arraysAt<T>(part, [...path, field]));
};

/**
 * The arrays of a value, each once.
 *
 * @param value - a state, or what a solver prepared
 * @example
 * ```ts
 * import { arraysIn, initialState, keyOf, tensor } from 'kfac-ts/core';
 *
 * // What outlives a step, for a scope that takes back the rest.
 * const state = initialState({ weight: tensor([1, 2], [2]) }, keyOf(1));
 * arraysIn(state).size; // => 1
 * ```
 */
export const arraysIn = <T extends Shaped>(value: TrainState<T> | Prepared<T>): ReadonlySet<T> =>
  walk(value, new Set<T>());

/**
 * What optimizers have factorised, as it stands in their memory.
 *
 * @param memory - of an optimizer, or of several that have parameters of their own
 */
export const inversesIn = <T extends Shaped>({ solver, groups }: Memory<T>): ReadonlyArray<T> => [
  ...(solver.prepared === null ? [] : arraysWithin<T>(solver.prepared)),
  ...Object.values(groups).flatMap(inversesIn),
];
