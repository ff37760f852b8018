/**
 * Householder's reduction of a symmetric matrix to a tridiagonal one, T = Qᵀ M Q.
 *
 * Reflections take the last row first, so that what remains is the beginning of every row. Each step goes over the
 * matrix once: the update by the last reflection and the product with the next one are done together, row by row, which
 * halves the traffic of a matrix that does not fit into the caches.
 *
 * @module
 */
import type { EigenLoops } from './loops.ts';
import { places } from './loops.ts';

/** A tridiagonal matrix, and the reflections that led to it. */
export interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** Entry i is (i + 1, i); the last is 0. */
  readonly below: Float64Array;
  /** β of the reflections I − β u uᵀ; u of reflection i is the beginning of row i. */
  readonly betas: Float64Array;
}

const even = (n: number): number => n + (n % 2);

const clearVectors = (data: Float64Array, n: number): void => {
  for (const place of [places.v, places.w, places.u, places.p]) data.fill(0, place, place + even(n) + 2);
};

/**
 * The reflection that maps the beginning of a row, x of length m, to a multiple of the last unit vector. x becomes u,
 * which is about 1 in size: small entries would make β overflow.
 *
 * @returns β, 0 when there is nothing to do; and what the last element becomes
 */
const reflection = (data: Float64Array, row: number, m: number): readonly [number, number] => {
  const last = row + m - 1;
  let most = 0;
  for (let at = row; at < last; at += 1) most = Math.max(most, Math.abs(data[at]));
  if (most === 0) return [0, data[last]];
  const size = Math.max(most, Math.abs(data[last]));
  let square = 0;
  for (let at = row; at <= last; at += 1) {
    data[at] /= size;
    square += data[at] * data[at];
  }
  const alpha = data[last];
  const length = Math.sqrt(square);
  const mapped = alpha > 0 ? -length : length;
  data[last] = alpha - mapped;
  return [1 / (length * (length + Math.abs(alpha))), mapped * size];
};

/**
 * Reduces the matrix in the array, of which the lower triangle is read and overwritten.
 *
 * @param loops - the array; entries are at most about 1 in size
 * @param n - order
 * @param stride - elements between the starts of two rows, even
 */
export const tridiagonalise = (loops: EigenLoops, n: number, stride: number): Tridiagonal => {
  const { data } = loops;
  const { v, w, u, p, matrix } = places;
  const diagonal = new Float64Array(n);
  const below = new Float64Array(n);
  const betas = new Float64Array(n);
  clearVectors(data, n);
  for (let m = n - 1; m > 0; m -= 1) {
    const row = matrix + m * stride;
    for (let j = 0; j <= m; j += 1) data[row + j] -= data[v + m] * data[w + j] + data[w + m] * data[v + j];
    diagonal[m] = data[row + m];
    const [beta, mapped] = reflection(data, row, m);
    betas[m] = beta;
    below[m - 1] = mapped;
    data.copyWithin(u, row, row + m);
    data.fill(0, u + m, u + even(m) + 2);
    data.fill(0, p, p + even(m) + 2);
    for (let i = 0; i < m; i += 1) {
      const at = matrix + i * stride;
      const pairs = i - (i % 2);
      const vi = data[v + i];
      const wi = data[w + i];
      const ui = data[u + i];
      let sum = pairs === 0 ? 0 : loops.reflect(at, pairs, vi, wi, ui);
      for (let j = pairs; j <= i; j += 1) {
        const a = data[at + j] - vi * data[w + j] - wi * data[v + j];
        data[at + j] = a;
        sum += a * data[u + j];
        if (j < i) data[p + j] += ui * a;
      }
      data[p + i] += sum;
    }
    // w = β p − (β² / 2)(uᵀp) u, so that (I − β u uᵀ) M (I − β u uᵀ) = M − u wᵀ − w uᵀ.
    let product = 0;
    for (let j = 0; j < m; j += 1) product += data[p + j] * data[u + j];
    const along = (beta * beta * product) / 2; // β is between 1 / 2 m and 1
    for (let j = 0; j < m; j += 1) data[w + j] = beta * data[p + j] - along * data[u + j];
    data.copyWithin(v, u, u + m);
    data.fill(0, v + m, v + even(m) + 2);
    data.fill(0, w + m, w + even(m) + 2);
  }
  diagonal[0] = data[matrix] - 2 * data[v] * data[w];
  return { diagonal, below, betas };
};

/**
 * Replaces the reflections in the array by their product Q, row by row.
 *
 * Q grows from its first row and column; reflection m mixes its first m rows. As above, an update and the next product
 * share one pass.
 *
 * @param loops - the array as {@link tridiagonalise} left it
 * @param n - order
 * @param stride - elements between the starts of two rows, even
 * @param betas - of the reflections
 */
export const formOrthogonal = (loops: EigenLoops, n: number, stride: number, betas: Float64Array): void => {
  const { data } = loops;
  const { v, w, u, matrix } = places;
  clearVectors(data, n);
  // Q of one row, and its product with the first reflection, which has one element.
  data[v] = n > 1 ? data[matrix + stride] : 0;
  data.fill(0, matrix, matrix + stride);
  data[matrix] = 1;
  // In the pass of m, rows below m are Q so far; v holds uᵀQ of reflection m, and w gathers that of reflection m + 1.
  for (let m = 1; m < n; m += 1) {
    const row = matrix + m * stride;
    const next = row + stride;
    data.copyWithin(u, row, row + m); // reflection m, before the row becomes one of Q
    const columns = even(m);
    data.fill(0, w, w + columns + 2);
    for (let i = 0; i < m; i += 1) {
      loops.accumulate(matrix + i * stride, columns, betas[m] * data[u + i], m + 1 < n ? data[next + i] : 0);
    }
    data.fill(0, row, row + stride);
    data[row + m] = 1;
    if (m + 1 < n) data[w + m] = data[next + m];
    data.copyWithin(v, w, w + columns + 2);
  }
};
