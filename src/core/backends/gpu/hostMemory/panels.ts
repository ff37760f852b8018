/**
 * Moves between row-major matrices and the layouts of kernels.
 *
 * A panel is a group of four neighbouring columns, stored row by row; a matrix in panels is read from front to back by
 * a product, where columns of a wide matrix would fall into the same few cache sets again and again. Packing costs
 * about a nanosecond for each element, once for each product. Panels that the matrix does not fill are filled with
 * zeros.
 *
 * @module
 */
import type { ReadonlyVector } from '../../../tensor.ts';

import type { Tiling } from './tiling.ts';

/**
 * Packs a row-major matrix into panels: `target[4 rows ⌊c / 4⌋ + 4 r + c mod 4] = source[r, c]`.
 *
 * @param source - matrix, shape [rows, columns]
 * @param rows - rows of the matrix
 * @param columns - columns of the matrix
 * @param target - receives the panels; their number is its length over `4 rows`
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
  target.fill(0, to);
  for (let r = 0; r < rows; r += 1) {
    for (let c = whole; c < columns; c += 1) target[to + c - whole] = source[r * columns + c];
    to += 4;
  }
};

/**
 * Packs the transpose of a row-major matrix into panels: `target[4 columns ⌊r / 4⌋ + 4 c + r mod 4] = source[r, c]`.
 *
 * @param source - matrix, shape [rows, columns]
 * @param rows - rows of the matrix
 * @param columns - columns of the matrix
 * @param target - receives the panels; their number is its length over `4 columns`
 */
export const packTransposed = (source: ReadonlyVector, rows: number, columns: number, target: Float32Array): void => {
  const whole = rows - (rows % 4);
  let to = 0;
  for (let r = 0; r < whole; r += 4) {
    const r0 = r * columns;
    const r1 = r0 + columns;
    const r2 = r1 + columns;
    const r3 = r2 + columns;
    for (let c = 0; c < columns; c += 1) {
      target[to] = source[r0 + c];
      target[to + 1] = source[r1 + c];
      target[to + 2] = source[r2 + c];
      target[to + 3] = source[r3 + c];
      to += 4;
    }
  }
  target.fill(0, to);
  for (let r = whole; r < rows; r += 1) {
    for (let c = 0; c < columns; c += 1) target[to + 4 * c + r - whole] = source[r * columns + c];
  }
};

/** Visits the tiles that hold something: row and column of the first element, and where the tile's 16 elements start. */
const forEachTile = (
  { rows, width, bands }: Tiling,
  n: number,
  visit: (row: number, column: number, at: number) => void,
): void => {
  for (let band = 0; band < bands; band += 1) {
    for (let i = 0; i < rows; i += 1) {
      const at = 16 * width * (i + rows * band);
      const first = band * width;
      const last = Math.min(first + width, Math.ceil(n / 4));
      for (let j = first; j < last; j += 1) visit(4 * i, 4 * j, at + 16 * (j - first));
    }
  }
};

/** Writes a whole tile: element (r, c) goes to `to + r strideRow + c strideColumn`. */
const placeTile = (
  tiles: ReadonlyVector,
  at: number,
  target: Float32Array,
  to: number,
  strideRow: number,
  strideColumn: number,
): void => {
  const [two, three] = [2 * strideColumn, 3 * strideColumn];
  const r1 = to + strideRow;
  const r2 = r1 + strideRow;
  const r3 = r2 + strideRow;
  target[to] = tiles[at];
  target[to + strideColumn] = tiles[at + 4];
  target[to + two] = tiles[at + 8];
  target[to + three] = tiles[at + 12];
  target[r1] = tiles[at + 1];
  target[r1 + strideColumn] = tiles[at + 5];
  target[r1 + two] = tiles[at + 9];
  target[r1 + three] = tiles[at + 13];
  target[r2] = tiles[at + 2];
  target[r2 + strideColumn] = tiles[at + 6];
  target[r2 + two] = tiles[at + 10];
  target[r2 + three] = tiles[at + 14];
  target[r3] = tiles[at + 3];
  target[r3 + strideColumn] = tiles[at + 7];
  target[r3 + two] = tiles[at + 11];
  target[r3 + three] = tiles[at + 15];
};

/** Writes the part of a tile that lies in a matrix, like {@link placeTile}. */
const placePart = (
  tiles: ReadonlyVector,
  at: number,
  rows: number,
  columns: number,
  target: Float32Array,
  to: number,
  strideRow: number,
  strideColumn: number,
): void => {
  if (rows >= 4 && columns >= 4) {
    placeTile(tiles, at, target, to, strideRow, strideColumn);
    return;
  }
  for (let c = 0; c < Math.min(4, columns); c += 1) {
    for (let r = 0; r < Math.min(4, rows); r += 1) {
      target[to + r * strideRow + c * strideColumn] = tiles[at + 4 * c + r];
    }
  }
};

/**
 * Reads the result of a product: `target[r strideRow + c strideColumn] = C[r, c]`, where tile (i, j) holds
 * C[4i + r, 4j + c] at its element `4 c + r`.
 *
 * @param tiles - result of a kernel of `matmulSource`
 * @param tiling - where tiles are
 * @param m - rows of C
 * @param n - columns of C
 * @param transposed - whether the target is to be Cᵀ
 * @param target - receives C, shape [m, n], or Cᵀ
 */
export const unpackTiles = (
  tiles: ReadonlyVector,
  tiling: Tiling,
  m: number,
  n: number,
  transposed: boolean,
  target: Float32Array,
): void => {
  const [strideRow, strideColumn] = transposed ? [1, m] : [n, 1];
  forEachTile(tiling, n, (row, column, at) =>
    placePart(tiles, at, m - row, n - column, target, row * strideRow + column * strideColumn, strideRow, strideColumn),
  );
};

/**
 * Reads the result of a symmetric product, of which the tiles on and above the diagonal are there, as a whole
 * row-major matrix that is symmetric bit for bit.
 *
 * @param tiles - result of a kernel of `symmetricSource`
 * @param tiling - where tiles are
 * @param d - order of the matrix
 * @param target - receives the matrix, shape [d, d]
 */
export const unpackSymmetric = (tiles: ReadonlyVector, tiling: Tiling, d: number, target: Float32Array): void => {
  forEachTile(tiling, d, (row, column, at) => {
    if (column < row) return;
    placePart(tiles, at, d - row, d - column, target, row * d + column, d, 1);
    if (column > row) placePart(tiles, at, d - row, d - column, target, column * d + row, 1, d);
  });
};
