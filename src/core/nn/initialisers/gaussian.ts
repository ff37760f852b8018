/**
 * Normal draws of a fixed deviation, for tables whose extents say nothing about how their values are summed.
 *
 * @module
 */
import { normal } from '../../random/normal.ts';
import { generate } from '../../tensor.ts';
import type { Initialiser } from './initialiser.ts';
import { notNegative } from '../../settings.ts';

/**
 * N(0, deviation²).
 *
 * @param deviation - standard deviation, at least 0
 * @example
 * ```ts
 * import { dense, gaussian } from 'kfac-ts/core';
 *
 * const layer = dense({ in: 100, out: 10, initialiser: gaussian(0.02) });
 * ```
 */
export const gaussian = (deviation: number): Initialiser => {
  notNegative('gaussian.deviation', deviation);
  return (key, shape, dtype) => {
    const { data } = normal(key, shape, dtype);
    return generate(shape, (i) => deviation * data[i], dtype);
  };
};
