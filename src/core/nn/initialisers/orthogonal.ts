/**
 * Orthogonal weights [SMG14].
 *
 * Modified Gram–Schmidt, twice: its triangular factor has a positive diagonal, which is what makes the result uniform
 * over orthogonal matrices [M07], and a second pass brings orthogonality to rounding error.
 *
 * @module
 */
import { normal } from '../../random/normal.ts';
import { generate, sizeOf } from '../../tensor.ts';
import type { Initialiser } from './initialiser.ts';
import { positive } from '../../settings.ts';

/** Makes `count` vectors of `length` numbers, one after another in `rows`, orthonormal in place. */
const orthonormalise = (rows: Float64Array, count: number, length: number): void => {
  for (let i = 0; i < count; i += 1) {
    const row = i * length;
    for (let pass = 0; pass < 2; pass += 1) {
      for (let other = 0; other < row; other += length) {
        let product = 0;
        for (let k = 0; k < length; k += 1) product += rows[other + k] * rows[row + k];
        for (let k = 0; k < length; k += 1) rows[row + k] -= product * rows[other + k];
      }
    }
    let squared = 0;
    for (let k = 0; k < length; k += 1) squared += rows[row + k] * rows[row + k];
    const factor = 1 / Math.sqrt(squared);
    for (let k = 0; k < length; k += 1) rows[row + k] *= factor;
  }
};

/**
 * gain · Q with Q uniform over matrices with orthonormal rows (orthonormal columns where there are more outputs than
 * inputs).
 *
 * @param gain - factor, 1 unless given; √2 for relu
 * @example
 * ```ts
 * import { dense, orthogonal } from 'kfac-ts/core';
 *
 * const layer = dense({ in: 100, out: 100, initialiser: orthogonal(Math.SQRT2) });
 * ```
 */
export const orthogonal = (gain = 1): Initialiser => {
  positive('orthogonal.gain', gain);
  return (key, shape, dtype) => {
    const [fanOut] = shape;
    const fanIn = sizeOf(shape.slice(1));
    const wide = fanOut <= fanIn;
    const [count, length] = wide ? [fanOut, fanIn] : [fanIn, fanOut];
    const rows = Float64Array.from(normal(key, [count, length], 'f64').data);
    orthonormalise(rows, count, length);
    return generate(
      shape,
      wide
        ? (position) => gain * rows[position]
        : (position) => gain * rows[(position % fanIn) * fanOut + Math.floor(position / fanIn)],
      dtype,
    );
  };
};
