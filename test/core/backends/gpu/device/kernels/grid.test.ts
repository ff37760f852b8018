import fc from 'fast-check';

import { gridOf, offsetText, unflatten } from '../../../../../../src/core/backends/gpu/device/kernels/grid.ts';
import { attempt } from '../../../../../../src/core/errors.ts';

describe('gridOf', () => {
  it('worked examples: the last axis runs along x, and axes beyond three share z', () => {
    expect(gridOf([7])).toEqual({ threads: [7], setup: '', index: ['this.thread.x'] });
    expect(gridOf([2, 3])).toEqual({ threads: [3, 2], setup: '', index: ['this.thread.y', 'this.thread.x'] });
    expect(gridOf([5, 2, 3]).threads).toEqual([3, 2, 5]);
    expect(gridOf([4, 5, 2, 3]).threads).toEqual([3, 2, 20]);
  });

  it('lays out in a row what has more groups along an axis than WebGPU launches', () => {
    expect(gridOf([600_000, 3]).threads).toEqual([1_800_000]);
    expect(gridOf([70_000, 2, 3]).threads).toEqual([420_000]);
  });

  it('refuses positions that floats do not hold', () => {
    expect(attempt(() => gridOf([600_000, 300]))).toMatchObject({ left: { _tag: 'DeviceFailed', where: 'gpu' } });
  });
});

/** Runs statements of a kernel as JavaScript, rounding as floats do. */
const coordinates = (value: number, extents: ReadonlyArray<number>): ReadonlyArray<number> => {
  const { setup, index } = unflatten('i', 'value', extents);
  const rounded = setup.replaceAll(/\((\w+) \+ 0\.5\) \/ (\d+)/g, 'Math.fround(Math.fround($1 + 0.5) / $2)');
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text is a kernel's, and this is what it means
  return (new Function('value', `${rounded} return [${index.join(', ')}];`) as (v: number) => Array<number>)(value);
};

describe('unflatten', () => {
  it('law: round trip. Coordinates of a position are those of the row-major order, up to 2²⁴', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 3 }).filter((e) => size(e) <= 2 ** 24),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (extents, u) => {
          const position = Math.floor(u * size(extents));
          const found = coordinates(position, extents);
          expect(found.every((c, axis) => Number.isInteger(c) && c >= 0 && c < extents[axis])).toBe(true);
          expect(found.reduce((sum, c, axis) => sum * extents[axis] + c, 0)).toBe(position);
        },
      ),
    );
  });
});

const size = (extents: ReadonlyArray<number>): number => extents.reduce((product, e) => product * e, 1);

describe('offsetText', () => {
  it('worked examples: terms that vanish are left out', () => {
    expect(offsetText(['y', 'x'], [3, 1])).toBe('y * 3 + x');
    expect(offsetText(['y', 'x'], [0, 2], 5)).toBe('x * 2 + 5');
    expect(offsetText(['x'], [0])).toBe('0');
  });
});
