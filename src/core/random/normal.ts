/**
 * Normal draws by the transform of Box and Muller [BM58].
 *
 * Exact and without rejection, so element i depends on the key and i alone. Two words make two numbers; `f32` uses 32
 * bits of each (|z| ≤ 6.8), `f64` continues them to 53 (|z| ≤ 8.7), so both precisions draw the same numbers up to rounding.
 *
 * @module
 */
import type { Shape, Tensor } from '../tensor.ts';
import { allocate, checkShape, sizeOf } from '../tensor.ts';
import type { Key } from './key.ts';
import type { FloatType } from './uniform.ts';
import { bits, lowBits } from './uniform.ts';

/**
 * Draws from N(0, 1): z₂ⱼ = √(−2 ln u) cos 2πv, z₂ⱼ₊₁ = √(−2 ln u) sin 2πv with u in (0, 1], v in [0, 1).
 *
 * @param key - a key
 * @param shape - shape of the draw
 * @param dtype - element type
 * @example
 * ```ts
 * import { keyOf, normal } from 'kfac-ts/core';
 *
 * const noise = normal(keyOf(1), [100, 784], 'f32');
 * ```
 */
export const normal = (key: Key, shape: Shape, dtype: FloatType): Tensor => {
  const size = sizeOf(checkShape('normal', shape));
  const words = bits(key, size + (size & 1));
  const low = dtype === 'f64' ? lowBits(key, words.length) : null;
  const data = allocate(dtype, size);
  for (let i = 0; i < size; i += 2) {
    const u = low === null ? (words[i] + 0.5) * 2 ** -32 : (words[i] * 2 ** 21 + (low[i] >>> 11) + 0.5) * 2 ** -53;
    const v = low === null ? words[i + 1] * 2 ** -32 : (words[i + 1] * 2 ** 21 + (low[i + 1] >>> 11)) * 2 ** -53;
    const radius = Math.sqrt(-2 * Math.log(u));
    const angle = 2 * Math.PI * v;
    data[i] = radius * Math.cos(angle);
    // The write past the end of an odd-sized draw is ignored, as for every typed array.
    data[i + 1] = radius * Math.sin(angle);
  }
  return { shape, dtype, data };
};
