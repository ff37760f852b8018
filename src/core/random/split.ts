/**
 * New keys from a key.
 *
 * A child is the encryption of its number, and encryption is one to one: the children of a key never coincide, and
 * neither do its folds. `split(key, m)` is a prefix of `split(key, n)` for m ≤ n, so asking for more keys later leaves
 * the earlier ones as they were.
 *
 * @module
 */
import type { Key } from './key.ts';
import { counterWord, threefry } from './threefry.ts';

/**
 * Independent keys.
 *
 * @param key - the parent; not to be used for anything else afterwards
 * @param count - number of keys
 * @returns `count` keys, all different
 * @example
 * ```ts
 * import { keyOf, normal, split } from 'kfac-ts/core';
 *
 * const [forWeights, forData] = split(keyOf(1), 2);
 * const weights = normal(forWeights, [2, 3], 'f32');
 * const inputs = normal(forData, [10, 3], 'f32');
 * ```
 */
export const split = (key: Key, count: number): ReadonlyArray<Key> => {
  const words = threefry(key, [0, counterWord('split')], 2 * count);
  return Array.from({ length: count }, (_, i) => ({ hi: words[2 * i], lo: words[2 * i + 1] }));
};

/**
 * The key of a numbered thing (a step, an epoch, a rank) below a key.
 *
 * @param key - the parent
 * @param data - a whole number from 0 to 2⁵³ − 1; different numbers give different keys
 * @example
 * ```ts
 * import { foldIn, keyOf, permutation } from 'kfac-ts/core';
 *
 * // Another order in each epoch, the same in each run.
 * const orderOf = (epoch: number) => permutation(foldIn(keyOf(1), epoch), 1000);
 * ```
 */
export const foldIn = (key: Key, data: number): Key => {
  const [hi, lo] = threefry(key, [data >>> 0, counterWord('foldIn', Math.floor(data / 2 ** 32))], 2);
  return { hi, lo };
};
