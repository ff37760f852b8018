/**
 * Triangular solves for many right-hand sides at once, in place.
 *
 * Right-hand sides are rows: row y of Y becomes the solution of L x = y or Lᵀ x = y. Four of them are solved together
 * against four rows of the triangle, see `tile.ts`.
 *
 * @module
 */
import type { Blocked, Tiles } from './tiles/tiles.ts';

/**
 * Four rows of Y, from column `from` up to column `to`, become the solutions of L x = y.
 *
 * @param l - lower triangular L
 * @param y - right-hand sides as rows; zero before column `from`
 * @param row - first of the four rows
 * @param from - first column that is not zero, a multiple of four
 * @param to - end of the columns to solve for, a multiple of four
 * @param tiles - where both matrices are
 */
export const substituteForward = (
  l: Blocked,
  y: Blocked,
  row: number,
  from: number,
  to: number,
  tiles: Tiles,
): void => {
  const { data: ld, stride: ls } = l;
  const { data: yd, stride: ys } = y;
  const { sums } = tiles;
  for (let j = from; j < to; j += 4) {
    tiles.multiply(y, row, l, j, from, j);
    for (let r = 0; r < 4; r += 1) {
      const at = (row + r) * ys + j;
      for (let c = 0; c < 4; c += 1) {
        const lr = (j + c) * ls + j;
        let s = yd[at + c] - sums[4 * r + c];
        for (let e = 0; e < c; e += 1) s -= yd[at + e] * ld[lr + e];
        yd[at + c] = s / ld[lr + c];
      }
    }
  }
};

/**
 * Four rows of Y become the solutions of U x = y.
 *
 * @param u - upper triangular U
 * @param y - right-hand sides as rows
 * @param row - first of the four rows
 * @param tiles - where both matrices are
 */
export const substituteBackward = (u: Blocked, y: Blocked, row: number, tiles: Tiles): void => {
  const { data: ud, stride: us, rows: n } = u;
  const { data: yd, stride: ys } = y;
  const { sums } = tiles;
  for (let j = n - 4; j >= 0; j -= 4) {
    tiles.multiply(y, row, u, j, j + 4, n);
    for (let r = 0; r < 4; r += 1) {
      const at = (row + r) * ys + j;
      for (let c = 3; c >= 0; c -= 1) {
        const ur = (j + c) * us + j;
        let s = yd[at + c] - sums[4 * r + c];
        for (let e = c + 1; e < 4; e += 1) s -= yd[at + e] * ud[ur + e];
        yd[at + c] = s / ud[ur + c];
      }
    }
  }
};
