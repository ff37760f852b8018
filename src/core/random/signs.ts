/**
 * Random signs.
 *
 * @module
 */
import type { Shape, Tensor } from '../tensor.ts';
import { checkShape, generate, sizeOf } from '../tensor.ts';
import type { Key } from './key.ts';
import type { FloatType } from './uniform.ts';
import { bits } from './uniform.ts';

/**
 * +1 or −1, equally likely and independent (Rademacher draws).
 *
 * @param key - a key
 * @param shape - shape of the draw
 * @param dtype - element type
 * @example
 * ```ts
 * import { keyOf, signs } from 'kfac-ts/core';
 *
 * Array.from(signs(keyOf(1), [100], 'f64').data).every((sign) => sign ** 2 === 1); // => true
 * ```
 */
export const signs = (key: Key, shape: Shape, dtype: FloatType): Tensor => {
  const words = bits(key, sizeOf(checkShape('signs', shape)));
  return generate(shape, (i) => (words[i] >>> 31 === 0 ? 1 : -1), dtype);
};
