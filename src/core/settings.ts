/**
 * Settings of layers and initialisers, checked where the layer is made.
 *
 * A layer is a plain value and not an `Either`, so that models read as what they are; a wrong setting is a mistake in the
 * program, and {@link raise} shows the line.
 *
 * @module
 */
import { raise } from './errors.ts';
import { shown } from './shown.ts';

const check = (path: string, expected: string, value: unknown, holds: boolean): void => {
  if (!holds) raise({ _tag: 'BadConfig', path, expected, actual: shown(value) });
};

/**
 * An extent: a whole number of at least 1.
 *
 * @param path - the setting, for example `dense.in`
 * @param value - what was given
 */
export const extent = (path: string, value: number): number => {
  check(path, 'a whole number of at least 1', value, Number.isSafeInteger(value) && value >= 1);
  return value;
};

/**
 * A finite number of at least 0.
 *
 * @param path - the setting
 * @param value - what was given
 */
export const notNegative = (path: string, value: number): number => {
  check(path, 'a number of at least 0', value, Number.isFinite(value) && value >= 0);
  return value;
};

/**
 * A number from 0 to below 1.
 *
 * @param path - the setting
 * @param value - what was given
 */
export const belowOne = (path: string, value: number): number => {
  check(path, 'a number from 0 to below 1', value, value >= 0 && value < 1);
  return value;
};

/**
 * A finite number above 0.
 *
 * @param path - the setting
 * @param value - what was given
 */
export const positive = (path: string, value: number): number => {
  check(path, 'a number above 0', value, Number.isFinite(value) && value > 0);
  return value;
};

/**
 * A number up to a bound.
 *
 * @param path - the setting
 * @param bound - the largest that is allowed
 * @param value - what was given
 */
export const atMost = (path: string, bound: number, value: number): number => {
  check(path, `at most ${bound}`, value, value <= bound);
  return value;
};

/**
 * One of some words.
 *
 * @param path - the setting
 * @param words - what there is
 * @param value - what was given
 */
export const word = <Word extends string>(path: string, words: ReadonlyArray<Word>, value: Word): Word => {
  check(path, `one of ${words.join(', ')}`, value, words.includes(value));
  return value;
};
