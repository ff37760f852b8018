/**
 * Settings as data: range, default and meaning in one place, by name.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { BadConfig } from '../../core/errors.ts';
import { shown } from '../../core/shown.ts';
import type { Range } from './range.ts';

/** Where a better value of a number is looked for: between two bounds, evenly, or evenly in its logarithm. */
export interface SearchRange {
  readonly low: number;
  readonly high: number;
  readonly scale: 'linear' | 'log';
}

/** One setting. */
export interface Setting<A> {
  readonly range: Range<A>;
  readonly standard: A;
  /** What it is for, with its symbol and unit. */
  readonly meaning: string;
  /** Where it is worth tuning; what has none stays at its default unless someone sets it. */
  readonly search?: SearchRange;
}

/** Every setting of a record of options, by name. */
export type Settings<Options> = { readonly [Name in keyof Options]-?: Setting<NonNullable<Options[Name]>> };

/** A setting as it comes from a file or a command line. */
export type SettingValue = number | string | boolean;

/**
 * A setting.
 *
 * @param range - which values there may be
 * @param standard - its default
 * @param meaning - what it is for
 */
export const setting = <A>(range: Range<A>, standard: A, meaning: string): Setting<A> => ({ range, standard, meaning });

/** A setting with another default, and other words where they are given. */
export const withStandard = <A>(of: Setting<A>, standard: A, meaning: string = of.meaning): Setting<A> => ({
  ...of,
  standard,
  meaning,
});

/**
 * A number that is worth tuning.
 *
 * @param of - the setting
 * @param bounds - the least and the greatest value that are tried
 * @param scale - `log` where values differ by factors
 * @example
 * ```ts
 * import { adamOptimizer, tunable } from 'kfac-ts/solvers';
 *
 * // Adam's rate, looked for in another range.
 * const { learningRate } = adamOptimizer.settings;
 * tunable(learningRate, [1e-5, 1e-3], 'log').search?.low; // => 1e-5
 * ```
 */
export const tunable = (
  of: Setting<number>,
  [low, high]: readonly [low: number, high: number],
  scale: SearchRange['scale'],
): Setting<number> => ({ ...of, search: { low, high, scale } });

/**
 * What is wrong with settings that were given, or `null`: an unknown name, or a value out of its range.
 *
 * @param owner - whose settings, for the path
 * @param known - settings that there are
 * @param given - by name
 */
export const settingsError = (
  owner: string,
  known: Readonly<Record<string, Setting<unknown>>>,
  given: Readonly<Record<string, unknown>>,
): BadConfig | null => {
  const wrong = Object.entries(given).find(
    ([name, value]) => !Object.hasOwn(known, name) || !known[name].range.holds(value),
  );
  if (wrong === undefined) return null;
  const [name, value] = wrong;
  const isKnown = Object.hasOwn(known, name);
  return {
    _tag: 'BadConfig',
    path: `${owner}.${name}`,
    expected: isKnown ? known[name].range.words : `one of ${Object.keys(known).join(', ')}`,
    actual: isKnown ? shown(value) : 'an unknown setting',
  };
};

/** The defaults of settings, by name. */
export const standardsOf = <A>(known: Readonly<Record<string, Setting<A>>>): Readonly<Record<string, A>> =>
  Object.fromEntries(Object.entries(known).map(([name, { standard }]) => [name, standard]));

const holdsAll = <Options>(known: Settings<Options>, values: object): values is Required<Options> =>
  Object.entries<Setting<unknown>>(known).every(
    ([name, { range }]) => name in values && range.holds(Object.getOwnPropertyDescriptor(values, name)?.value),
  );

/**
 * Options with a default for each that was not given, or what is wrong with one of them.
 *
 * @param owner - whose settings, for the path
 * @param known - every setting
 * @param given - options
 */
export const settled = <Options>(
  owner: string,
  known: Settings<Options>,
  given: Readonly<Record<string, unknown>>,
): E.Either<BadConfig, Required<Options>> => {
  const error = settingsError(owner, known, given);
  const all = { ...standardsOf<unknown>(known), ...given };
  if (error === null && holdsAll(known, all)) return E.right(all);
  return E.left(error ?? { _tag: 'BadConfig', path: owner, expected: 'defaults in their ranges', actual: 'others' });
};
