/**
 * Distances in standard errors. A fixed seed makes each of them one fixed number, so a test with one of these fails only
 * when the code changes; the bound of {@link MOST} says how surprising a correct generator would have to be.
 *
 * @module
 */
import type { ReadonlyVector } from '../../../src/core/tensor.ts';

/** Five standard errors: a correct sampler exceeds it once in 1.7 million comparisons. */
export const MOST = 5;

/** (mean of xs − expected mean) in standard errors, for a known variance of one x. */
export const meanScore = (xs: ReadonlyVector | ReadonlyArray<number>, mean: number, variance: number): number => {
  const values = Array.from(xs);
  const observed = values.reduce((sum, x) => sum + x, 0) / values.length;
  return (observed - mean) / Math.sqrt(variance / values.length);
};

/** (χ² − degrees of freedom) / √(2 · degrees of freedom) for counts of equally likely outcomes. */
export const chiSquareScore = (counts: ReadonlyArray<number>): number => {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  return (chiSquare - (counts.length - 1)) / Math.sqrt(2 * (counts.length - 1));
};

/** How often each of the numbers 0 … outcomes − 1 occurs. */
export const countsOf = (xs: Iterable<number>, outcomes: number): ReadonlyArray<number> => {
  const counts = new Array<number>(outcomes).fill(0);
  for (const x of xs) counts[x] += 1;
  return counts;
};

/** Products x_i y_i. */
export const productsOf = (xs: ReadonlyVector, ys: ReadonlyVector): ReadonlyArray<number> =>
  Array.from(xs, (x, i) => x * ys[i]);
