/**
 * Splittable counter-based randomness: Threefry-2x32 with 20 rounds [S11].
 *
 * A key is two 32-bit words. Nothing is hidden and nothing advances: equal keys give equal draws, and fresh draws need
 * a fresh key from {@link split} or {@link foldIn}. Two integers in a checkpoint restore all randomness.
 *
 * @module
 */

/** A key: two unsigned 32-bit words. */
export interface Key {
  readonly hi: number;
  readonly lo: number;
}

/**
 * The key of a seed. Seeds differ in their low 53 bits.
 *
 * @example
 * ```ts
 * import { keyOf, uniform } from 'kfac-ts/core';
 *
 * const [first, again] = [uniform(keyOf(7), [3], 'f64'), uniform(keyOf(7), [3], 'f64')];
 * first.data[0] === again.data[0]; // => true
 * ```
 */
export const keyOf = (seed: number): Key => ({ hi: Math.floor(seed / 2 ** 32) >>> 0, lo: seed >>> 0 });
