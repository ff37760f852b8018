import fc from 'fast-check';

import { vectorTiles } from '../../../../../src/core/backends/portable/tiles/simd.ts';
import type { TileUnit } from '../../../../../src/core/backends/portable/tiles/unit.ts';
import { tilesFor, tilesOn } from '../../../../../src/core/backends/portable/tiles/tiles.ts';
import { plainUnit } from '../../../../../src/core/backends/portable/tiles/unit.ts';

import { entries, gamma, seed } from '../support.ts';

const vectors = (length: number): TileUnit => {
  const unit = vectorTiles(length);
  if (unit === null) throw new Error('no WebAssembly here');
  unit.data.fill(NaN); // contents are arbitrary
  return unit;
};

const units: ReadonlyArray<readonly [string, (length: number) => TileUnit]> = [
  ['JavaScript', plainUnit],
  ['WebAssembly', vectors],
];

const four = fc.integer({ min: 0, max: 5 }).map((n) => 4 * n);

describe.each(units)('products of rows in %s', (_, unitOf) => {
  it('law: sums[4 r + c] = Σ_k A[i + r, k] B[j + c, k] within γ of its length', () => {
    fc.assert(
      fc.property(four, four, seed, (from, count, s) => {
        const columns = from + count + 4;
        const tiles = tilesOn(unitOf(2 * 8 * (columns + 8)));
        const [a, b] = [tiles.blocked(8, columns), tiles.blocked(8, columns)];
        a.data.set(entries(a.data.length, s));
        b.data.set(entries(b.data.length, s + 1));
        tiles.multiply(a, 4, b, 0, from, from + count);
        for (let r = 0; r < 4; r += 1) {
          for (let c = 0; c < 4; c += 1) {
            let sum = 0;
            let size = 0;
            for (let k = from; k < from + count; k += 1) {
              const term = a.data[(4 + r) * a.stride + k] * b.data[c * b.stride + k];
              sum += term;
              size += Math.abs(term);
            }
            expect(Math.abs(tiles.sums[4 * r + c] - sum)).toBeLessThanOrEqual(2 * gamma(count) * size);
          }
        }
      }),
    );
  });

  it('gives matrices of zeros that do not overlap, whatever was there before', () => {
    const tiles = tilesOn(unitOf(1000));
    const [a, b] = [tiles.blocked(5, 6), tiles.blocked(3, 9)];
    expect(a).toMatchObject({ rows: 8, columns: 8, stride: 8, start: 0 });
    expect(b).toMatchObject({ rows: 4, columns: 12, stride: 12, start: 64 });
    a.data.fill(1);
    expect(b.data).toEqual(new Float64Array(48));
  });
});

describe('tiles', () => {
  it('have room for the matrices that were announced', () => {
    const tiles = tilesFor([512, 512], [3, 1000]);
    expect(tiles.blocked(512, 512)).toMatchObject({ stride: 520 }); // not all rows in the same cache sets
    expect(tiles.blocked(3, 1000).data).toHaveLength(4000);
  });
});
