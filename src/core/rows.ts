/**
 * Loops over the rows of host data: what a data set needs and `Ops` does not offer on raw bytes.
 *
 * @module
 */
import type { ReadonlyVector, Shape, Tensor } from './tensor.ts';
import { allocate, sizeOf } from './tensor.ts';

/** Rows of equal shape, one after another; elements of any type, for example the bytes of images. */
export interface Rows {
  /** Shape of one row. */
  readonly shape: Shape;
  readonly data: ReadonlyVector;
  /** Factor that takes the stored numbers to the ones to compute with. */
  readonly scale: number;
  /** Element type to compute with. */
  readonly dtype: 'f32' | 'f64' | 'i32';
}

/**
 * The rows at some positions, scaled.
 *
 * @param rows - where to take them from
 * @param indices - positions of rows, `[n]`
 * @returns a new tensor, `[n, …shape]`
 */
export const gatherRows = (rows: Rows, indices: ReadonlyVector): Tensor => {
  const { shape, data, scale, dtype } = rows;
  const width = sizeOf(shape);
  const out = allocate(dtype, indices.length * width);
  for (let row = 0; row < indices.length; row += 1) {
    const from = indices[row] * width;
    const to = row * width;
    for (let j = 0; j < width; j += 1) out[to + j] = scale * data[from + j];
  }
  return { shape: [indices.length, ...shape], dtype, data: out };
};

/**
 * Position of the first number outside an interval; NaN is outside every interval.
 *
 * @param data - numbers
 * @param low - smallest number allowed
 * @param high - largest number allowed
 * @returns a position, or −1
 */
export const firstOutside = (data: ReadonlyVector, low: number, high: number): number => {
  for (let i = 0; i < data.length; i += 1) {
    if (!(data[i] >= low && data[i] <= high)) return i;
  }
  return -1;
};
