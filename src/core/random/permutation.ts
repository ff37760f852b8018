/**
 * Random order, by the shuffle of Fisher and Yates as Durstenfeld gave it [D64].
 *
 * @module
 */
import type { Tensor } from '../tensor.ts';
import type { Key } from './key.ts';
import { uniform } from './uniform.ts';

/**
 * A random permutation of 0 … n − 1. Draws have 53 bits, so no order is off its 1 / n! by more than n² 2⁻⁵³ of it.
 *
 * @param key - a key
 * @param n - number of things to put in order
 * @returns `i32` numbers, `[n]`
 * @example
 * ```ts
 * import { keyOf, permutation } from 'kfac-ts/core';
 *
 * Array.from(permutation(keyOf(1), 4).data).sort(); // => [0, 1, 2, 3]
 * ```
 */
export const permutation = (key: Key, n: number): Tensor => {
  const draws = uniform(key, [n], 'f64').data;
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i -= 1) {
    const j = Math.floor(draws[i] * (i + 1));
    const moved = order[i];
    order[i] = order[j];
    order[j] = moved;
  }
  return { shape: [n], dtype: 'i32', data: order };
};
