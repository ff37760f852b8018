/**
 * Settings to try: a preset's defaults first, then draws from the ranges that the preset says are worth tuning.
 *
 * @module
 */
import type { Key } from '../../core/random/key.ts';
import { foldIn, split } from '../../core/random/split.ts';
import { uniform } from '../../core/random/uniform.ts';
import type { SearchRange, Setting, SettingValue } from '../../solvers/settings/setting.ts';

/** Settings of an optimizer by name. */
export type Chosen = Readonly<Record<string, SettingValue>>;

/** Settings of a preset that are searched, by name: those that have a range for it and that nobody has set. */
export const searchedIn = (
  settings: Readonly<Record<string, Setting<unknown>>>,
  fixed: Chosen,
): Readonly<Record<string, SearchRange>> =>
  Object.fromEntries(
    Object.entries(settings).flatMap(([name, { search }]) =>
      search === undefined || Object.hasOwn(fixed, name) ? [] : [[name, search] as const],
    ),
  );

/** The point of a range at a part of the way, with three digits: more say nothing, and these can be typed. */
const pointAt = ({ low, high, scale }: SearchRange, part: number): number =>
  Number((scale === 'log' ? low * (high / low) ** part : low + part * (high - low)).toPrecision(3));

/**
 * Settings to try, those of everyone's included. The first of a seed are the same however many there are.
 *
 * @param key - decides what is drawn
 * @param searched - ranges by name
 * @param fixed - settings of every candidate
 * @param count - how many; the first has the preset's defaults
 */
export const candidatesOf = (
  key: Key,
  searched: Readonly<Record<string, SearchRange>>,
  fixed: Chosen,
  count: number,
): ReadonlyArray<Chosen> => {
  const names = Object.keys(searched);
  return Array.from({ length: count }, (_, trial) => {
    if (trial === 0) return fixed;
    const keys = split(foldIn(key, trial), names.length);
    const drawn = names.map((name, i) => [name, pointAt(searched[name], uniform(keys[i], [], 'f64').data[0])] as const);
    return { ...fixed, ...Object.fromEntries(drawn) };
  });
};
