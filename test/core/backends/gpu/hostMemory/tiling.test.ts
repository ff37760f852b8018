import fc from 'fast-check';

import { integers } from '../../../../../src/core/backends/gpu/gpujs/kernelText.ts';
import {
  paddedColumns,
  threadsOf,
  tileSource,
  tilingOf,
} from '../../../../../src/core/backends/gpu/hostMemory/tiling.ts';

import { openOrThrow } from '../support.ts';

const webasm = openOrThrow('webasm');
const extent = fc.integer({ min: 1, max: 5000 });

describe('tilings', () => {
  it('worked example: 10 by 20 over 7 terms is 3 by 5 tiles; over 8192 terms, bands of one', () => {
    expect(tilingOf(10, 20, 7, true)).toEqual({ rows: 3, width: 5, bands: 1 });
    expect(threadsOf({ rows: 3, width: 5, bands: 1 })).toEqual([4, 5, 3]);
    expect(tilingOf(10, 20, 8192, true)).toEqual({ rows: 3, width: 1, bands: 5 });
    expect(threadsOf({ rows: 3, width: 1, bands: 5 })).toEqual([4, 1, 15]);
    expect(tilingOf(10, 20, 8192, false)).toEqual({ rows: 3, width: 5, bands: 1 });
  });

  it('law: tiles cover the result, and less than a band of them is beyond it', () => {
    fc.assert(
      fc.property(extent, extent, extent, (m, n, k) => {
        const tiling = tilingOf(m, n, k, true);
        expect(4 * tiling.rows).toBe(m + ((4 - (m % 4)) % 4));
        expect(paddedColumns(tiling)).toBeGreaterThanOrEqual(n);
        expect(paddedColumns(tiling) - n).toBeLessThan(4 * (tiling.width + tiling.bands));
      }),
    );
  });

  it('law: threads (y, z) reach every tile (i, j) once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), (m, n) => {
        const tiling = tilingOf(m, n, 4096, true);
        const source = `function(a) { ${integers(['i', 'j'])} ${tileSource(tiling)} return [i, j, a[0], a[0]]; }`;
        const kernel = webasm.createKernel(source, { size: threadsOf(tiling), components: 4 });
        const cells = kernel.run(new Float32Array(1));
        const seen = new Set(
          Array.from({ length: cells.length / 16 }, (_, t) => `${cells[16 * t]} ${cells[16 * t + 1]}`),
        );
        expect(seen.size).toBe(tiling.rows * tiling.width * tiling.bands);
        expect(Math.max(...cells)).toBeLessThan(Math.max(tiling.rows, tiling.width * tiling.bands));
        kernel.destroy();
      }),
      { numRuns: 30 },
    );
  });
});
