/**
 * Typed arrays at the border to native code, where a wrong length is a crash and not an `undefined`.
 *
 * @module
 */
import { raise } from '../../../errors.ts';
import type { ReadonlyVector } from '../../../tensor.ts';

/** A buffer that native code writes to. It becomes a {@link ReadonlyVector} when it leaves the backend. */
export type Vector = Float32Array | Float64Array;

/** An array of any element type that an operation may still write to. */
export type Buffer = Vector | Int32Array;

/** What depends on the element type. */
export interface Precision {
  readonly dtype: 'f32' | 'f64';
  readonly bytes: number;
  /** A zero-filled array. */
  readonly zeros: (length: number) => Vector;
  /** A copy of the first elements. */
  readonly copy: (values: ReadonlyVector, length: number) => Vector;
  /** A part of an array, sharing its memory. */
  readonly part: (values: ReadonlyVector, start: number, length: number) => Vector;
}

/** 32-bit floats. */
export const f32: Precision = {
  dtype: 'f32',
  bytes: 4,
  zeros: (length) => new Float32Array(length),
  copy: (values, length) => new Float32Array(values.buffer, values.byteOffset, length).slice(),
  part: (values, start, length) => new Float32Array(values.buffer, values.byteOffset + 4 * start, length),
};

/** 64-bit floats. */
export const f64: Precision = {
  dtype: 'f64',
  bytes: 8,
  zeros: (length) => new Float64Array(length),
  copy: (values, length) => new Float64Array(values.buffer, values.byteOffset, length).slice(),
  part: (values, start, length) => new Float64Array(values.buffer, values.byteOffset + 8 * start, length),
};

/**
 * Leaves with a ShapeMismatch unless an array has the element type and covers a matrix.
 *
 * @param where - the operation
 * @param precision - element type that the routine takes
 * @param values - the array
 * @param rows - rows of the matrix
 * @param columns - columns of the matrix
 * @param stride - distance between the starts of two rows, at least `columns`
 */
export const requireMatrix = (
  where: string,
  precision: Precision,
  values: ReadonlyVector,
  rows: number,
  columns: number,
  stride: number = columns,
): void => {
  const needed = rows > 0 && columns > 0 ? (rows - 1) * stride + columns : 0;
  if (values.BYTES_PER_ELEMENT === precision.bytes && values.length >= needed && stride >= columns) return;
  raise({
    _tag: 'ShapeMismatch',
    where,
    expected: `${precision.dtype} matrix [${rows}, ${columns}] with row stride ${stride} (${needed} elements)`,
    actual: `${values.length} elements of ${values.BYTES_PER_ELEMENT} bytes`,
  });
};

/**
 * Position of the first NaN or infinity, -1 when there is none.
 *
 * @param values - the array
 */
export const firstNonFinite = (values: ReadonlyVector): number => {
  // x - x is 0 for every finite x and NaN otherwise; four sums keep the additions from waiting for each other.
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  const blocks = values.length - (values.length % 4);
  for (let i = 0; i < blocks; i += 4) {
    s0 += values[i] - values[i];
    s1 += values[i + 1] - values[i + 1];
    s2 += values[i + 2] - values[i + 2];
    s3 += values[i + 3] - values[i + 3];
  }
  const clean = s0 + s1 + s2 + s3 === 0 ? blocks : 0;
  for (let i = clean; i < values.length; i += 1) if (!Number.isFinite(values[i])) return i;
  return -1;
};
