/**
 * The block function: Threefry-2x32 with 20 rounds [S11], over consecutive counters.
 *
 * The rotations are written out, eight rounds to a turn of the loop: with constants the compiler emits rotate
 * instructions, which is four times as fast as reading the rotations from a table. The three key words change places
 * instead of being indexed.
 *
 * @module
 */
import type { ReadonlyVector } from '../tensor.ts';
import type { Key } from './key.ts';

/** Key-schedule parity of the Skein family. */
const PARITY = 0x1bd11bda;

/** Uses of one key that must never share a counter. */
export type Purpose = 'draws' | 'lowBits' | 'split' | 'foldIn';

const purposes: Readonly<Record<Purpose, number>> = { draws: 0, lowBits: 1, split: 2, foldIn: 3 };

/**
 * The second counter word of a purpose. Its top byte is the purpose, so that draws from a key, its children and its
 * folds come from disjoint counters and are independent.
 *
 * @param purpose - what the words are for
 * @param high - bits 32 to 52 of a number whose low 32 bits are the first counter word
 */
export const counterWord = (purpose: Purpose, high = 0): number => ((purposes[purpose] << 24) | high) >>> 0;

/**
 * Words of a key's stream: the encryptions of the counters (c₀, c₁), (c₀ + 1, c₁), …, two words each.
 *
 * @param key - a key
 * @param counter - first counter, two unsigned 32-bit words (c₀, c₁)
 * @param length - number of words
 * @returns unsigned 32-bit words, `[length]`
 */
export const threefry = (key: Key, counter: readonly [number, number], length: number): ReadonlyVector => {
  const words = new Uint32Array(length + (length & 1));
  const k0 = key.hi | 0;
  const k1 = key.lo | 0;
  const k2 = k0 ^ k1 ^ PARITY;
  const first = (counter[0] + k0) | 0;
  const second = (counter[1] + k1) | 0;
  for (let i = 0; i < words.length; i += 2) {
    let x = (first + (i >>> 1)) | 0;
    let y = second;
    let p = k1;
    let q = k2;
    let r = k0;
    for (let s = 1; ; s += 2) {
      x = (x + y) | 0;
      y = ((y << 13) | (y >>> 19)) ^ x;
      x = (x + y) | 0;
      y = ((y << 15) | (y >>> 17)) ^ x;
      x = (x + y) | 0;
      y = ((y << 26) | (y >>> 6)) ^ x;
      x = (x + y) | 0;
      y = ((y << 6) | (y >>> 26)) ^ x;
      x = (x + p) | 0;
      y = (y + q + s) | 0;
      if (s === 5) break;
      x = (x + y) | 0;
      y = ((y << 17) | (y >>> 15)) ^ x;
      x = (x + y) | 0;
      y = ((y << 29) | (y >>> 3)) ^ x;
      x = (x + y) | 0;
      y = ((y << 16) | (y >>> 16)) ^ x;
      x = (x + y) | 0;
      y = ((y << 24) | (y >>> 8)) ^ x;
      x = (x + q) | 0;
      y = (y + r + s + 1) | 0;
      const swapped = p;
      p = r;
      r = q;
      q = swapped;
    }
    words[i] = x;
    words[i + 1] = y;
  }
  return words.length === length ? words : words.subarray(0, length);
};
