/**
 * General linear systems by Gaussian elimination with partial pivoting, in f64.
 *
 * The right-hand sides are eliminated along with the matrix, so that neither pivots nor factors are kept. Columns are
 * eliminated four at a time, so that the rest of a row is read and written once for four updates.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { NonFinite } from '../../errors.ts';
import type { ReadonlyVector } from '../../tensor.ts';

const failed = (what: string): NonFinite => ({
  _tag: 'NonFinite',
  where: 'solve',
  what,
  advice: 'Look for what made it so in the input, or raise the damping.',
});

/** `w[row, from..to) -= Σ_p w[row, p] w[p, from..to)` over pivots `first <= p < last`, at most four. */
const eliminate = (
  w: Float64Array,
  stride: number,
  row: number,
  first: number,
  last: number,
  from: number,
  to: number,
): void => {
  const at = row * stride;
  if (last - first === 4) {
    const f0 = w[at + first];
    const f1 = w[at + first + 1];
    const f2 = w[at + first + 2];
    const f3 = w[at + first + 3];
    const p0 = first * stride;
    const p1 = p0 + stride;
    const p2 = p1 + stride;
    const p3 = p2 + stride;
    for (let j = from; j < to; j += 1) {
      w[at + j] -= f0 * w[p0 + j] + f1 * w[p1 + j] + f2 * w[p2 + j] + f3 * w[p3 + j];
    }
    return;
  }
  for (let p = first; p < last; p += 1) {
    const f = w[at + p];
    for (let j = from; j < to; j += 1) w[at + j] -= f * w[p * stride + j];
  }
};

const swapRows = (w: Float64Array, stride: number, a: number, b: number): void => {
  if (a === b) return;
  const held = w.slice(a * stride, (a + 1) * stride);
  w.copyWithin(a * stride, b * stride, (b + 1) * stride);
  w.set(held, b * stride);
};

/** Row of the largest entry of a column, on or below the diagonal. */
const pivotRow = (w: Float64Array, stride: number, n: number, column: number): number => {
  let best = column;
  for (let i = column + 1; i < n; i += 1) {
    if (Math.abs(w[i * stride + column]) > Math.abs(w[best * stride + column])) best = i;
  }
  return best;
};

/**
 * The solution of many systems: `M X = B`.
 *
 * @param n - order
 * @param columns - number of right-hand sides
 * @param m - M, shape [n, n]
 * @param b - B, shape [n, columns]
 * @returns X, shape [n, columns]; or why there is none, for a singular matrix or entries that are not finite
 */
export const solve = (
  n: number,
  columns: number,
  m: ReadonlyVector,
  b: ReadonlyVector,
): E.Either<NonFinite, Float64Array> => {
  const stride = n + columns;
  const w = new Float64Array(n * stride);
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < n; j += 1) w[i * stride + j] = m[i * n + j];
    for (let c = 0; c < columns; c += 1) w[i * stride + n + c] = b[i * columns + c];
  }
  if (!w.every(Number.isFinite)) return E.left(failed('the matrix or the right-hand side'));
  for (let first = 0; first < n; first += 4) {
    const last = Math.min(first + 4, n);
    for (let p = first; p < last; p += 1) {
      swapRows(w, stride, p, pivotRow(w, stride, n, p));
      const pivot = w[p * stride + p];
      if (pivot === 0) return E.left(failed(`the solution of a singular system (pivot ${p + 1})`));
      for (let i = p + 1; i < n; i += 1) {
        w[i * stride + p] /= pivot;
        eliminate(w, stride, i, p, p + 1, p + 1, last);
      }
    }
    for (let p = first + 1; p < last; p += 1) eliminate(w, stride, p, first, p, last, stride);
    for (let i = last; i < n; i += 1) eliminate(w, stride, i, first, last, last, stride);
  }
  const x = new Float64Array(n * columns);
  for (let i = n - 1; i >= 0; i -= 1) {
    const at = i * columns;
    for (let c = 0; c < columns; c += 1) x[at + c] = w[i * stride + n + c];
    for (let j = i + 1; j < n; j += 1) {
      const f = w[i * stride + j];
      for (let c = 0; c < columns; c += 1) x[at + c] -= f * x[j * columns + c];
    }
    for (let c = 0; c < columns; c += 1) x[at + c] /= w[i * stride + i];
  }
  return x.every(Number.isFinite) ? E.right(x) : E.left(failed('the solution'));
};
