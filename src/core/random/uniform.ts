/**
 * Random bits and uniform numbers.
 *
 * Element i of an f64 draw has element i of the f32 draw as its leading 24 bits: a seed then gives the same network in
 * either precision, up to rounding, and results can be compared across backends.
 *
 * @module
 */
import type { DType, ReadonlyVector, Shape, Tensor } from '../tensor.ts';
import { checkShape, sizeOf } from '../tensor.ts';
import type { Key } from './key.ts';
import { counterWord, threefry } from './threefry.ts';

/** Element types that random reals come in. */
export type FloatType = Exclude<DType, 'i32'>;

/**
 * Random words.
 *
 * @param key - a key
 * @param length - number of words
 * @returns uniform unsigned 32-bit words, `[length]`
 */
export const bits = (key: Key, length: number): ReadonlyVector => threefry(key, [0, counterWord('draws')], length);

/**
 * Words that continue those of {@link bits} to 64 bits, where 32 are too few.
 *
 * @param key - a key
 * @param length - number of words
 */
export const lowBits = (key: Key, length: number): ReadonlyVector => threefry(key, [0, counterWord('lowBits')], length);

/** The word that continues word i of {@link bits}. */
const lowWord = (key: Key, i: number): number => threefry(key, [i >>> 1, counterWord('lowBits')], 2)[i & 1];

/** A word without what a 32-bit float, which has 24 bits, does not hold of it. */
const leadingBits = (word: number): number => (word & (-1 << Math.max(0, 8 - Math.clz32(word)))) >>> 0;

/**
 * Uniform draws from [0, 1) of 56 bits, rounded down to 32-bit floats. Near 0 they are as dense as floats are, so that a
 * draw is below a float p with probability p, be that 10⁻¹², and all precisions draw the same.
 *
 * @param key - a key
 * @param shape - shape of the draw
 */
export const uniformDown = (key: Key, shape: Shape): Tensor => {
  const size = sizeOf(shape);
  const words = bits(key, size);
  const data = new Float32Array(size);
  for (let i = 0; i < size; i += 1) {
    const word = words[i];
    if (word >= 2 ** 24) {
      data[i] = leadingBits(word) * 2 ** -32;
    } else {
      // The first word has too few bits; the second one gives the rest of the 24.
      const rest = (lowWord(key, i) >>> 8) & (-1 << (32 - Math.clz32(word)));
      data[i] = word * 2 ** -32 + rest * 2 ** -56;
    }
  }
  return { shape, dtype: 'f32', data };
};

/**
 * Uniform draws from [0, 1): multiples of 2⁻²⁴ in `f32`, of 2⁻⁵³ in `f64`, all equally likely.
 *
 * @param key - a key
 * @param shape - shape of the draw
 * @param dtype - element type
 * @example
 * ```ts
 * import { keyOf, uniform } from 'kfac-ts/core';
 *
 * Array.from(uniform(keyOf(1), [1000], 'f32').data).every((u) => u >= 0 && u < 1); // => true
 * ```
 */
export const uniform = (key: Key, shape: Shape, dtype: FloatType): Tensor => {
  const size = sizeOf(checkShape('uniform', shape));
  const words = bits(key, size);
  if (dtype === 'f32') {
    const data = new Float32Array(size);
    for (let i = 0; i < size; i += 1) data[i] = (words[i] >>> 8) * 2 ** -24;
    return { shape, dtype, data };
  }
  const low = lowBits(key, size);
  const data = new Float64Array(size);
  for (let i = 0; i < size; i += 1) data[i] = (words[i] * 2 ** 21 + (low[i] >>> 11)) * 2 ** -53;
  return { shape, dtype, data };
};
