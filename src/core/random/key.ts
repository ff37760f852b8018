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

/** The key of a seed. Seeds differ in their low 53 bits. */
export const keyOf = (seed: number): Key => ({ hi: Math.floor(seed / 2 ** 32) >>> 0, lo: seed >>> 0 });
