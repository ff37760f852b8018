import fc from 'fast-check';

import { packPanels, panelsLength, unpackSymmetric, unpackTiles } from '../../../../src/core/backends/gpu/panels.ts';

import { entries } from './support.ts';

const extent = fc.integer({ min: 1, max: 11 });

describe('panels', () => {
  it('worked example: a matrix of three rows and five columns', () => {
    const source = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const target = new Float32Array(panelsLength(3, 5)).fill(NaN);
    packPanels(source, 3, 5, target);
    // prettier-ignore
    expect(Array.from(target)).toEqual([1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 5, 0, 0, 0, 10, 0, 0, 0, 15, 0, 0, 0]);
  });

  it('law: target[4 rows ⌊c / 4⌋ + 4 r + c mod 4] = source[r, c], zeros elsewhere', () => {
    fc.assert(
      fc.property(extent, extent, (rows, columns) => {
        const source = entries(rows * columns);
        const target = new Float32Array(panelsLength(rows, columns)).fill(NaN);
        packPanels(source, rows, columns, target);
        const expected = new Float32Array(target.length);
        for (let r = 0; r < rows; r += 1) {
          for (let c = 0; c < columns; c += 1)
            expected[4 * rows * (c >> 2) + 4 * r + (c & 3)] = source[r * columns + c];
        }
        expect(target).toEqual(expected);
      }),
    );
  });

  it('law: unpackTiles. target[4 y + r, x] = tiles[4 (y width + x) + r]', () => {
    fc.assert(
      fc.property(extent, extent, (m, n) => {
        const width = 4 * Math.ceil(n / 4);
        const tiles = entries(4 * width * Math.ceil(m / 4));
        const target = new Float32Array(m * n).fill(NaN);
        unpackTiles(tiles, width, m, n, target);
        for (let i = 0; i < m; i += 1) {
          for (let j = 0; j < n; j += 1) expect(target[i * n + j]).toBe(tiles[4 * ((i >> 2) * width + j) + (i & 3)]);
        }
      }),
    );
  });

  it('law: unpackSymmetric. target[i, j] = target[j, i] = tile (⌊i / 4⌋, ⌊j / 4⌋) for i <= j', () => {
    fc.assert(
      fc.property(extent, (d) => {
        const groups = Math.ceil(d / 4);
        const tiles = new Float32Array(16 * groups * groups);
        // A symmetric matrix, as the kernel leaves it: nothing useful below the diagonal tiles.
        const element = (i: number, j: number): number =>
          Math.fround(Math.sin(1 + Math.min(i, j) + 31 * Math.max(i, j)));
        for (let i = 0; i < 4 * groups; i += 1) {
          for (let j = 0; j < 4 * groups; j += 1) {
            tiles[16 * (i >> 2) * groups + 4 * j + (i & 3)] = j >> 2 >= i >> 2 ? element(i, j) : NaN;
          }
        }
        const target = new Float32Array(d * d);
        unpackSymmetric(tiles, d, target);
        for (let i = 0; i < d; i += 1) {
          for (let j = 0; j < d; j += 1) expect(target[i * d + j]).toBe(element(i, j));
        }
      }),
    );
  });
});
