import fc from 'fast-check';

import { partitionOf } from '../../src/curvature/statistics/partition.ts';

describe('partitions', () => {
  const n = fc.integer({ min: 1, max: 50 });
  const k = fc.integer({ min: 1, max: 60 });

  it('law: runs follow each other and cover all rows', () => {
    fc.assert(
      fc.property(n, k, fc.boolean(), (rows, value, bySize) => {
        const runs = partitionOf(rows, bySize ? { size: value } : { count: value });
        let at = 0;
        for (const { begin, size } of runs) {
          expect(begin).toBe(at);
          expect(size).toBeGreaterThanOrEqual(1);
          at += size;
        }
        expect(at).toBe(rows);
      }),
    );
  });

  it('law: by count, there are min(count, n) parts and sizes differ by at most one', () => {
    fc.assert(
      fc.property(n, k, (rows, count) => {
        const sizes = partitionOf(rows, { count }).map(({ size }) => size);
        expect(sizes.length).toBe(Math.min(rows, count));
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('law: by groups, there are min(groups, n) parts of one size, and the last has what is left over', () => {
    fc.assert(
      fc.property(n, k, (rows, groups) => {
        const runs = partitionOf(rows, { groups });
        expect(runs.length).toBe(Math.min(rows, groups));
        expect(new Set(runs.slice(0, -1).map(({ size }) => size)).size).toBeLessThanOrEqual(1);
        expect(runs[runs.length - 1].size).toBeGreaterThanOrEqual(runs[0].size);
        expect(runs.map(({ begin }) => begin)).toEqual(runs.map((_, i) => i * runs[0].size));
        expect(runs.reduce((sum, { size }) => sum + size, 0)).toBe(rows);
      }),
    );
  });

  it('worked example: 7 rows by size 3 are 3 + 3 + 1', () => {
    expect(partitionOf(7, { size: 3 })).toEqual([
      { begin: 0, size: 3 },
      { begin: 3, size: 3 },
      { begin: 6, size: 1 },
    ]);
  });
});
