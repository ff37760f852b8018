/**
 * How far two arrays are apart, on a scale that does not depend on their size.
 *
 * @module
 */
import type { ReadonlyVector } from '../../src/core/tensor.ts';

/** What can be compared: typed arrays and plain ones. */
export type Values = ReadonlyVector | ReadonlyArray<number>;

/**
 * Largest absolute difference over `1 + max |expected|`.
 *
 * Infinity when the lengths differ, or where only one side is NaN or infinite: nothing malformed passes as close.
 */
export const scaledError = (actual: Values, expected: Values): number => {
  if (actual.length !== expected.length) return Infinity;
  let difference = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i += 1) {
    const [value, wanted] = [actual[i], expected[i]];
    const magnitude = Math.abs(wanted);
    if (magnitude < Infinity) {
      const gap = Math.abs(value - wanted);
      if (!(gap < Infinity)) return Infinity;
      if (gap > difference) difference = gap;
      if (magnitude > size) size = magnitude;
    } else if (!Object.is(value, wanted)) {
      return Infinity;
    }
  }
  return difference / (1 + size);
};

/**
 * Expects each entry's mean over draws to lie within 5 standard errors of what it should be.
 *
 * @param draws - independent draws of one array
 * @param expected - the mean of their distribution
 */
export const expectUnbiased = (
  draws: ReadonlyArray<{ readonly data: ReadonlyVector }>,
  expected: { readonly data: ReadonlyVector },
): void => {
  for (let i = 0; i < expected.data.length; i += 1) {
    const mean = draws.reduce((sum, d) => sum + d.data[i], 0) / draws.length;
    const variance = draws.reduce((sum, d) => sum + (d.data[i] - mean) ** 2, 0) / (draws.length - 1);
    expect(Math.abs(mean - expected.data[i])).toBeLessThan(5 * Math.sqrt(variance / draws.length) + 1e-12);
  }
};
