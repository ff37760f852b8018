import fc from 'fast-check';

import {
  packPanels,
  packTransposed,
  unpackSymmetric,
  unpackTiles,
} from '../../../../../src/core/backends/gpu/hostMemory/panels.ts';
import type { Tiling } from '../../../../../src/core/backends/gpu/hostMemory/tiling.ts';

import { entries } from '../support.ts';

const extent = fc.integer({ min: 1, max: 11 });
const bands = fc.integer({ min: 1, max: 3 });

/** Room for the panels of some columns, and for `extra` more. */
const panels = (rows: number, columns: number, extra = 0): Float32Array =>
  new Float32Array(4 * rows * (Math.ceil(columns / 4) + extra)).fill(NaN);

/** A tiling with the given number of bands, which need not fill the last of them. */
const tilingWith = (m: number, n: number, count: number): Tiling => ({
  rows: Math.ceil(m / 4),
  width: Math.ceil(Math.ceil(n / 4) / count),
  bands: count,
});

/** Where C[i, j] is in the result of a kernel. */
const placeOf = ({ rows, width }: Tiling, i: number, j: number): number => {
  const [row, column] = [i >> 2, j >> 2];
  const tile = (column % width) + width * (row + rows * Math.floor(column / width));
  return 16 * tile + 4 * (j & 3) + (i & 3);
};

const sizeOf = ({ rows, width, bands: count }: Tiling): number => 16 * rows * width * count;

describe('panels', () => {
  it('worked example: a matrix of three rows and five columns', () => {
    const source = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const target = panels(3, 5);
    packPanels(source, 3, 5, target);
    // prettier-ignore
    expect(Array.from(target)).toEqual([1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 5, 0, 0, 0, 10, 0, 0, 0, 15, 0, 0, 0]);
  });

  it('law: packPanels. target[4 rows ⌊c / 4⌋ + 4 r + c mod 4] = source[r, c], zeros elsewhere', () => {
    fc.assert(
      fc.property(extent, extent, fc.integer({ min: 0, max: 2 }), (rows, columns, extra) => {
        const source = entries(rows * columns);
        const target = panels(rows, columns, extra);
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

  it('law: packTransposed(M) = packPanels(Mᵀ)', () => {
    fc.assert(
      fc.property(extent, extent, (rows, columns) => {
        const source = entries(rows * columns);
        const transposed = source.map((_, at) => source[(at % rows) * columns + Math.floor(at / rows)]);
        const [actual, expected] = [panels(columns, rows, 1), panels(columns, rows, 1)];
        packTransposed(source, rows, columns, actual);
        packPanels(transposed, columns, rows, expected);
        expect(actual).toEqual(expected);
      }),
    );
  });

  it('law: unpackTiles. target[i, j] = C[i, j], or C[j, i] when transposed', () => {
    fc.assert(
      fc.property(extent, extent, bands, fc.boolean(), (m, n, count, transposed) => {
        const tiling = tilingWith(m, n, count);
        const tiles = entries(sizeOf(tiling));
        const target = new Float32Array(m * n).fill(NaN);
        unpackTiles(tiles, tiling, m, n, transposed, target);
        for (let i = 0; i < m; i += 1) {
          for (let j = 0; j < n; j += 1) {
            expect(target[transposed ? j * m + i : i * n + j]).toBe(tiles[placeOf(tiling, i, j)]);
          }
        }
      }),
    );
  });

  it('law: unpackSymmetric. target[i, j] = target[j, i] = C[i, j] for tiles on and above the diagonal', () => {
    fc.assert(
      fc.property(extent, bands, (d, count) => {
        const tiling = tilingWith(d, d, count);
        // A symmetric matrix, as the kernel leaves it: nothing useful in tiles below the diagonal.
        const element = (i: number, j: number): number =>
          Math.fround(Math.sin(1 + Math.min(i, j) + 31 * Math.max(i, j)));
        const tiles = new Float32Array(sizeOf(tiling)).fill(NaN);
        for (let i = 0; i < d; i += 1) {
          for (let j = 4 * (i >> 2); j < d; j += 1) tiles[placeOf(tiling, i, j)] = element(i, j);
        }
        const target = new Float32Array(d * d);
        unpackSymmetric(tiles, tiling, d, target);
        for (let i = 0; i < d; i += 1) {
          for (let j = 0; j < d; j += 1) expect(target[i * d + j]).toBe(element(i, j));
        }
      }),
    );
  });
});
