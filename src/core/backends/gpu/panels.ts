/**
 * Moves between row-major matrices and the layouts of kernels.
 *
 * A panel is a group of four neighbouring columns, stored row by row; a matrix in panels is read from front to back by
 * a product, where columns of a wide matrix would fall into the same few cache sets again and again. Packing costs
 * about a nanosecond for each element, once for each product. A width that is no multiple of four is filled with zeros.
 *
 * @module
 */
import type { ReadonlyVector } from '../../tensor.ts';

/** Elements of a matrix [rows, columns] in panels. */
export const panelsLength = (rows: number, columns: number): number => 4 * Math.ceil(columns / 4) * rows;

/**
 * Packs a row-major matrix into panels: `target[4 rows ⌊c / 4⌋ + 4 r + c mod 4] = source[r, c]`.
 *
 * @param source - matrix, shape [rows, columns]
 * @param rows - rows of the matrix
 * @param columns - columns of the matrix
 * @param target - receives `panelsLength(rows, columns)` elements
 */
export const packPanels = (source: ReadonlyVector, rows: number, columns: number, target: Float32Array): void => {
  const whole = columns - (columns % 4);
  let to = 0;
  for (let c = 0; c < whole; c += 4) {
    let from = c;
    for (let r = 0; r < rows; r += 1) {
      target[to] = source[from];
      target[to + 1] = source[from + 1];
      target[to + 2] = source[from + 2];
      target[to + 3] = source[from + 3];
      to += 4;
      from += columns;
    }
  }
  if (whole === columns) return;
  for (let r = 0; r < rows; r += 1) {
    for (let c = 0; c < 4; c += 1) target[to + c] = whole + c < columns ? source[r * columns + whole + c] : 0;
    to += 4;
  }
};

/**
 * Reads the result of a product, four rows to a thread, as a row-major matrix:
 * `target[4 y + r, x] = tiles[4 (y width + x) + r]`.
 *
 * @param tiles - result of a kernel of `matmulSource`
 * @param width - threads along x
 * @param m - rows of the matrix
 * @param n - columns of the matrix, at most `width`
 * @param target - receives the matrix, shape [m, n]
 */
export const unpackTiles = (tiles: ReadonlyVector, width: number, m: number, n: number, target: Float32Array): void => {
  const whole = m - (m % 4);
  for (let row = 0; row < whole; row += 4) {
    const r0 = row * n;
    const r1 = r0 + n;
    const r2 = r1 + n;
    const r3 = r2 + n;
    let from = row * width;
    for (let x = 0; x < n; x += 1) {
      target[r0 + x] = tiles[from];
      target[r1 + x] = tiles[from + 1];
      target[r2 + x] = tiles[from + 2];
      target[r3 + x] = tiles[from + 3];
      from += 4;
    }
  }
  for (let row = whole; row < m; row += 1) {
    const from = whole * width + row - whole;
    for (let x = 0; x < n; x += 1) target[row * n + x] = tiles[from + 4 * x];
  }
};

/**
 * Reads the result of a symmetric product, of which the tiles on and above the diagonal are there, as a whole
 * row-major matrix that is symmetric bit for bit.
 *
 * @param tiles - result of a kernel of `symmetricSource`
 * @param d - order of the matrix
 * @param target - receives the matrix, shape [d, d]
 */
export const unpackSymmetric = (tiles: ReadonlyVector, d: number, target: Float32Array): void => {
  const width = 4 * Math.ceil(d / 4);
  const whole = d - (d % 4);
  for (let row = 0; row < whole; row += 4) {
    const r0 = row * d;
    const r1 = r0 + d;
    const r2 = r1 + d;
    const r3 = r2 + d;
    for (let column = row; column < d; column += 1) {
      const from = row * width + 4 * column;
      const mirrored = column * d + row;
      target[r0 + column] = target[mirrored] = tiles[from];
      target[r1 + column] = target[mirrored + 1] = tiles[from + 1];
      target[r2 + column] = target[mirrored + 2] = tiles[from + 2];
      target[r3 + column] = target[mirrored + 3] = tiles[from + 3];
    }
  }
  for (let row = whole; row < d; row += 1) {
    for (let column = whole; column < d; column += 1) {
      target[row * d + column] = tiles[whole * width + 4 * column + row - whole];
    }
  }
};
