/**
 * Loops over the rows of host data: what a data set needs and `Ops` does not offer on raw bytes.
 *
 * @module
 */
import { raise } from './errors.ts';
import { shown } from './shown.ts';
import type { ReadonlyVector, Shape, Tensor } from './tensor.ts';
import { allocate, showShape, sizeOf } from './tensor.ts';

/** The largest number of each precision. */
export const largestFloat: Readonly<Record<'f32' | 'f64', number>> = {
  f32: 2 ** 128 - 2 ** 104,
  f64: Number.MAX_VALUE,
};

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

const noRow = (index: number, at: number, count: number): never =>
  raise({
    _tag: 'BadData',
    source: 'positions of examples',
    expected: `whole numbers from 0 to ${count - 1}`,
    actual: `${shown(index)} at position ${at}`,
    advice: 'A data set of n examples has positions from 0 to n − 1.',
  });

/**
 * The rows at some positions, scaled.
 *
 * @param rows - where to take them from
 * @param indices - positions of rows, `[n]`
 * @returns a new tensor, `[n, …shape]`; a position where there is no row raises `BadData`
 */
export const gatherRows = (rows: Rows, indices: ReadonlyVector): Tensor => {
  const { shape, data, scale, dtype } = rows;
  const width = sizeOf(shape);
  const out = allocate(dtype, indices.length * width);
  const count = width === 0 ? Infinity : data.length / width;
  for (let row = 0; row < indices.length; row += 1) {
    if (!(Number.isInteger(indices[row]) && indices[row] >= 0 && indices[row] < count)) {
      return noRow(indices[row], row, count);
    }
    const from = indices[row] * width;
    const to = row * width;
    for (let j = 0; j < width; j += 1) out[to + j] = scale * data[from + j];
  }
  return { shape: [indices.length, ...shape], dtype, data: out };
};

/**
 * Tensors of equal rows, one below the other.
 *
 * @param parts - at least one, each `[nᵢ, …shape]` of one type
 * @returns a new tensor, `[Σ nᵢ, …shape]`; rows of different shapes raise `ShapeMismatch`
 */
export const stackRows = (parts: ReadonlyArray<Tensor>): Tensor => {
  const [{ dtype, shape }] = parts;
  const rest = shape.slice(1);
  const odd = parts.find((part) => part.shape.length === 0 || part.shape.slice(1).join() !== rest.join());
  if (odd !== undefined) {
    const expected = `a row of shape ${showShape(rest)} for each example`;
    return raise({ _tag: 'ShapeMismatch', where: 'outputs', expected, actual: showShape(odd.shape) });
  }
  const out = allocate(
    dtype,
    parts.reduce((sum, { data }) => sum + data.length, 0),
  );
  let at = 0;
  for (const { data } of parts) {
    for (let i = 0; i < data.length; i += 1) out[at + i] = data[i];
    at += data.length;
  }
  return { shape: [parts.reduce((sum, part) => sum + part.shape[0], 0), ...rest], dtype, data: out };
};

/** The least and the largest number, 0 where there are none; NaN where one is. */
export const extremes = (data: ReadonlyVector): readonly [number, number] => {
  if (data.length === 0) return [0, 0];
  let [least] = data;
  let most = least;
  for (let i = 1; i < data.length; i += 1) {
    const x = data[i];
    if (x < least) least = x;
    else if (x > most) most = x;
    else if (x !== x) return [NaN, NaN];
  }
  return [least, most];
};

/** The largest magnitude among numbers, 0 where there are none; infinite or NaN exactly if one of them is. */
export const largestMagnitude = (data: ReadonlyVector): number => {
  let largest = 0;
  for (let i = 0; i < data.length; i += 1) {
    const magnitude = Math.abs(data[i]);
    if (!(magnitude <= largest)) {
      largest = magnitude;
      if (!(magnitude < Infinity)) return magnitude;
    }
  }
  return largest;
};

/**
 * Position of the first number that is no whole number of 32 bits after scaling.
 *
 * @param data - numbers
 * @param scale - factor
 * @returns a position, or −1
 */
export const firstFraction = (data: ReadonlyVector, scale: number): number => {
  for (let i = 0; i < data.length; i += 1) {
    const value = scale * data[i];
    if ((value | 0) !== value) return i;
  }
  return -1;
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
