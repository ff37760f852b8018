/**
 * Sparse weights [M10 §5]: each unit listens to few others, whatever the width of the layer, so that units
 * do not saturate and stay different from each other.
 *
 * @module
 */
import { normal } from '../../random/normal.ts';
import { split } from '../../random/split.ts';
import { uniform } from '../../random/uniform.ts';
import { allocate, sizeOf } from '../../tensor.ts';
import type { Initialiser } from './initialiser.ts';
import { extent, notNegative } from '../../settings.ts';

/**
 * In each row, min(count, in) weights at random places from N(0, deviation²), all others zero.
 *
 * @param count - non-zero incoming weights per unit, 15 unless given
 * @param deviation - standard deviation of these, 1 unless given
 * @example
 * ```ts
 * import { dense, sparse } from 'kfac-ts/core';
 *
 * const layer = dense({ in: 1000, out: 500, initialiser: sparse(15) });
 * ```
 */
export const sparse = (count = 15, deviation = 1): Initialiser => {
  extent('sparse.count', count);
  notNegative('sparse.deviation', deviation);
  return (key, shape, dtype) => {
    const [fanOut] = shape;
    const fanIn = sizeOf(shape.slice(1));
    const perRow = Math.min(count, fanIn);
    const [placeKey, valueKey] = split(key, 2);
    const places = uniform(placeKey, [fanOut, perRow], 'f64').data;
    const values = normal(valueKey, [fanOut, perRow], dtype).data;
    const data = allocate(dtype, fanOut * fanIn);
    // The first steps of a Fisher–Yates shuffle per row. Any order is as good a start as another, so rows share one.
    const inputs = Int32Array.from({ length: fanIn }, (_, input) => input);
    for (let row = 0; row < fanOut; row += 1) {
      for (let k = 0; k < perRow; k += 1) {
        const draw = row * perRow + k;
        const chosen = k + Math.floor(places[draw] * (fanIn - k));
        const input = inputs[chosen];
        inputs[chosen] = inputs[k];
        inputs[k] = input;
        data[row * fanIn + input] = deviation * values[draw];
      }
    }
    return { shape, dtype, data };
  };
};
