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
    if (Object.is(actual[i], expected[i])) {
      if (Number.isFinite(expected[i])) size = Math.max(size, Math.abs(expected[i]));
      continue;
    }
    const gap = Math.abs(actual[i] - expected[i]);
    if (!Number.isFinite(gap)) return Infinity;
    difference = Math.max(difference, gap);
    size = Math.max(size, Math.abs(expected[i]));
  }
  return difference / (1 + size);
};
