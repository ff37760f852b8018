/**
 * How numbers are spread, as TensorBoard counts them: in intervals that grow with the distance from 0.
 *
 * @module
 */
import * as NEA from 'fp-ts/lib/NonEmptyArray.js';

/** Counts of numbers. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** Upper ends of the intervals, from low to high; the lower end of each is the upper end of the one before. */
  readonly limits: ReadonlyArray<number>;
  /** How many numbers are in each. */
  readonly counts: ReadonlyArray<number>;
}

/** Each interval above the first, which ends at 1e-12, is a tenth wider than the one nearer to 0; the same below 0. */
const growth = Math.log(1.1);
const least = Math.log(1e-12);

/** Number of the interval above 0 that a size is in, from 0 on. */
const intervalOf = (size: number): number => Math.max(0, Math.ceil((Math.log(size) - least) / growth - 1e-9));

/** Signed number of an interval; those below 0 are counted downwards from -1. */
const signed = (value: number): number => (value < 0 ? -1 - intervalOf(-value) : intervalOf(value));

const endOf = (interval: number): number => Math.min(Number.MAX_VALUE, Math.exp(least + growth * interval));

/** Upper end of an interval. */
const upperEnd = (interval: number): number =>
  interval >= 0 ? endOf(interval) : interval === -1 ? 0 : -endOf(-2 - interval);

/**
 * Counts numbers; those that are not finite are left out.
 *
 * @param values - any numbers
 * @returns `null` where there is none
 */
export const histogramOf = (values: ReadonlyArray<number>): Histogram | null => {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return null;
  const counted: Readonly<Record<string, ReadonlyArray<number>>> = NEA.groupBy((value: number) =>
    String(signed(value)),
  )(finite);
  const intervals = Object.keys(counted).map(Number);
  // An empty one before each says where it begins, which else were the end of the last that there is.
  const ends = [...new Set(intervals.flatMap((interval) => [interval - 1, interval]))].toSorted((a, b) => a - b);
  return {
    min: finite.reduce((a, b) => Math.min(a, b)),
    max: finite.reduce((a, b) => Math.max(a, b)),
    count: finite.length,
    sum: finite.reduce((a, b) => a + b, 0),
    sumOfSquares: finite.reduce((a, b) => a + b * b, 0),
    limits: ends.map(upperEnd),
    counts: ends.map((interval) => (Object.hasOwn(counted, interval) ? counted[interval].length : 0)),
  };
};
