/**
 * Means and deviations of the columns of host data, and the map that takes them to 0 and 1.
 *
 * Sums of squares are about the mean of the part that they are of, never about 0, so that numbers far from 0 lose nothing;
 * moments of parts add up, so that data which do not fit into memory can be gone through part by part.
 *
 * @module
 */
import type { DType, ReadonlyVector, Tensor } from './tensor.ts';
import { allocate } from './tensor.ts';

/** What there is to say of the columns of some rows. */
export interface Moments {
  /** Number of rows. */
  readonly count: number;
  /** Of each column, `[width]`. */
  readonly mean: ReadonlyVector;
  /** Sum of squares about the mean of each column, `[width]`. */
  readonly squares: ReadonlyVector;
}

/**
 * Moments of rows.
 *
 * @param data - numbers, row after row
 * @param width - columns
 */
export const momentsOfColumns = (data: ReadonlyVector, width: number): Moments => {
  const count = width === 0 ? 0 : data.length / width;
  const mean = new Float64Array(width);
  const squares = new Float64Array(width);
  for (let at = 0; at < data.length; at += width) {
    for (let j = 0; j < width; j += 1) mean[j] += data[at + j];
  }
  for (let j = 0; j < width; j += 1) mean[j] /= Math.max(1, count);
  for (let at = 0; at < data.length; at += width) {
    for (let j = 0; j < width; j += 1) {
      const distance = data[at + j] - mean[j];
      squares[j] += distance * distance;
    }
  }
  return { count, mean, squares };
};

/**
 * Moments of the rows of both.
 *
 * @param a - moments
 * @param b - moments of as many columns
 */
export const mergedMoments = (a: Moments, b: Moments): Moments => {
  const count = a.count + b.count;
  if (a.count === 0 || b.count === 0) return a.count === 0 ? b : a;
  const width = a.mean.length;
  const mean = new Float64Array(width);
  const squares = new Float64Array(width);
  for (let j = 0; j < width; j += 1) {
    const distance = b.mean[j] - a.mean[j];
    mean[j] = a.mean[j] + (distance * b.count) / count;
    squares[j] = a.squares[j] + b.squares[j] + (distance * distance * a.count * b.count) / count;
  }
  return { count, mean, squares };
};

/** The type that numbers have between whole ones. */
const fractional = (dtype: DType): DType => (dtype === 'i32' ? 'f64' : dtype);

/**
 * (x − mean) / deviation, column by column.
 *
 * @param x - rows of as many columns as there are means, on the last axis
 * @param mean - of each column
 * @param deviation - of each column, not 0
 */
export const standardisedColumns = (
  { shape, dtype, data }: Tensor,
  mean: ReadonlyVector,
  deviation: ReadonlyVector,
): Tensor => {
  const width = mean.length;
  const out = allocate(fractional(dtype), data.length);
  for (let at = 0; at < data.length; at += width) {
    for (let j = 0; j < width; j += 1) out[at + j] = (data[at + j] - mean[j]) / deviation[j];
  }
  return { shape, dtype: fractional(dtype), data: out };
};

/**
 * x · deviation + mean, column by column: the inverse of {@link standardisedColumns}, in double precision, since what numbers
 * vary by may be far smaller than they are.
 *
 * @param x - rows of as many columns as there are means, on the last axis
 * @param mean - of each column
 * @param deviation - of each column
 */
export const restoredColumns = ({ shape, data }: Tensor, mean: ReadonlyVector, deviation: ReadonlyVector): Tensor => {
  const width = mean.length;
  const out = allocate('f64', data.length);
  for (let at = 0; at < data.length; at += width) {
    for (let j = 0; j < width; j += 1) out[at + j] = data[at + j] * deviation[j] + mean[j];
  }
  return { shape, dtype: 'f64', data: out };
};
