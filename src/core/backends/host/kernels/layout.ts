/**
 * Moves between the layouts that BLAS, LAPACK and row-major callers use: one triangle to both, rows to columns.
 *
 * Eight rows are read side by side, so that every cache line written is written once; it takes half the time of the
 * usual square blocks.
 *
 * @module
 */
import type { ReadonlyVector } from '../../../tensor.ts';

import type { Vector } from './precision.ts';

/**
 * Writes columns of a block of eight rows as rows: `target[c, at + r] = source[first + r, c]` for `0 <= r < 8` and
 * `0 <= c < columns`.
 */
const transposeEight = (
  target: Vector,
  targetStride: number,
  at: number,
  source: ReadonlyVector,
  sourceStride: number,
  first: number,
  columns: number,
): void => {
  const r0 = first * sourceStride;
  const r1 = r0 + sourceStride;
  const r2 = r1 + sourceStride;
  const r3 = r2 + sourceStride;
  const r4 = r3 + sourceStride;
  const r5 = r4 + sourceStride;
  const r6 = r5 + sourceStride;
  const r7 = r6 + sourceStride;
  let out = at;
  for (let c = 0; c < columns; c += 1) {
    target[out] = source[r0 + c];
    target[out + 1] = source[r1 + c];
    target[out + 2] = source[r2 + c];
    target[out + 3] = source[r3 + c];
    target[out + 4] = source[r4 + c];
    target[out + 5] = source[r5 + c];
    target[out + 6] = source[r6 + c];
    target[out + 7] = source[r7 + c];
    out += targetStride;
  }
};

/**
 * Copies the lower triangle onto the upper one, so that `a[c, r] = a[r, c]`.
 *
 * @param n - order
 * @param a - matrix, shape [n, stride], changed in place
 * @param stride - distance between the starts of two rows
 */
export const mirrorLower = (n: number, a: Vector, stride: number = n): void => {
  const blocks = n - (n % 8);
  for (let first = 0; first < blocks; first += 8) transposeEight(a, stride, first, a, stride, first, first);
  for (let r = 1; r < n; r += 1) {
    const from = r < blocks ? r - (r % 8) : 0;
    for (let c = from; c < r; c += 1) a[c * stride + r] = a[r * stride + c];
  }
};

/**
 * Sets everything above the diagonal to zero.
 *
 * @param n - order
 * @param a - matrix, shape [n, n], changed in place
 */
export const clearUpper = (n: number, a: Vector): void => {
  for (let r = 0; r < n; r += 1) a.fill(0, r * n + r + 1, (r + 1) * n);
};

/**
 * Writes the transpose of a matrix.
 *
 * @param rows - rows of the source
 * @param columns - columns of the source
 * @param source - matrix, shape [rows, columns]
 * @param target - receives the transpose, shape [columns, rows]
 */
export const transposeInto = (rows: number, columns: number, source: ReadonlyVector, target: Vector): void => {
  const blocks = rows - (rows % 8);
  for (let first = 0; first < blocks; first += 8) transposeEight(target, rows, first, source, columns, first, columns);
  for (let r = blocks; r < rows; r += 1) {
    for (let c = 0; c < columns; c += 1) target[c * rows + r] = source[r * columns + c];
  }
};
