/**
 * Exponential draws by inversion.
 *
 * @module
 */
import type { Shape, Tensor } from '../tensor.ts';
import { allocate } from '../tensor.ts';
import type { Key } from './key.ts';
import type { FloatType } from './uniform.ts';
import { uniform } from './uniform.ts';

/**
 * Draws from the exponential distribution of mean 1: −log(1 − u) with u in (0, 1) of 53 bits, in both precisions the same
 * up to rounding. Small draws keep their digits, and none is 0.
 *
 * @param key - a key
 * @param shape - shape of the draw
 * @param dtype - element type
 */
export const exponential = (key: Key, shape: Shape, dtype: FloatType): Tensor => {
  const draws = uniform(key, shape, 'f64').data;
  const data = allocate(dtype, draws.length);
  for (let i = 0; i < data.length; i += 1) data[i] = -Math.log1p(-draws[i] - 2 ** -54);
  return { shape, dtype, data };
};
