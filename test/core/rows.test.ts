import fc from 'fast-check';

import { firstOutside, gatherRows } from '../../src/core/rows.ts';

describe('gatherRows', () => {
  it('worked example: scaled rows of bytes', () => {
    const rows = { shape: [2], data: Uint8Array.of(1, 2, 3, 4, 5, 6), scale: 0.5, dtype: 'f32' } as const;
    const { shape, dtype, data } = gatherRows(rows, Int32Array.of(2, 0));
    expect(shape).toEqual([2, 2]);
    expect(dtype).toBe('f32');
    expect(data).toEqual(Float32Array.of(2.5, 3, 0.5, 1));
  });

  it('law: all rows in order are the data itself', () => {
    fc.assert(
      fc.property(fc.nat({ max: 5 }), fc.nat({ max: 5 }), (n, width) => {
        const data = Float64Array.from({ length: n * width }, (_, i) => i);
        const indices = Int32Array.from({ length: n }, (_, i) => i);
        expect(gatherRows({ shape: [width], data, scale: 1, dtype: 'f64' }, indices).data).toEqual(data);
      }),
    );
  });

  it('rows may be numbers', () => {
    const rows = { shape: [], data: Int32Array.of(7, 8, 9), scale: 1, dtype: 'i32' } as const;
    expect(gatherRows(rows, Int32Array.of(1, 1))).toEqual({ shape: [2], dtype: 'i32', data: Int32Array.of(8, 8) });
  });
});

describe('firstOutside', () => {
  it('finds the first number outside, NaN included', () => {
    expect(firstOutside(Float64Array.of(0, 0.5, 1), 0, 1)).toBe(-1);
    expect(firstOutside(Float64Array.of(0, 1.5, -1), 0, 1)).toBe(1);
    expect(firstOutside(Float64Array.of(0, 1, NaN), 0, 1)).toBe(2);
  });
});
