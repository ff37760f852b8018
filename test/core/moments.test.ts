import fc from 'fast-check';

import { mergedMoments, momentsOfColumns, restoredColumns, standardisedColumns } from '../../src/core/moments.ts';
import { tensor } from '../../src/core/tensor.ts';

const numbers = fc.double({ min: -1e3, max: 1e3, noNaN: true });
const rows = fc
  .integer({ min: 1, max: 4 })
  .chain((width) =>
    fc.array(fc.array(numbers, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 20 }),
  );

const close = (actual: Iterable<number>, expected: Iterable<number>, size = 1e3): void => {
  const others = [...expected];
  [...actual].forEach((x, i) => expect(Math.abs(x - others[i])).toBeLessThan(1e-11 * size));
};

describe('moments of columns', () => {
  it('example: means, and sums of squares about them', () => {
    // 1, 3 about 2; 10, 16 about 13.
    const { count, mean, squares } = momentsOfColumns(Float64Array.of(1, 10, 3, 16), 2);
    expect([count, [...mean], [...squares]]).toEqual([2, [2, 13], [2, 18]]);
  });

  it('law: moments of parts add up to those of the whole, wherever it is cut', () => {
    fc.assert(
      fc.property(rows, fc.nat(20), (given, at) => {
        const [width] = given.map(({ length }) => length);
        const of = (part: ReadonlyArray<ReadonlyArray<number>>) =>
          momentsOfColumns(Float64Array.from(part.flat()), width);
        const merged = mergedMoments(of(given.slice(0, at)), of(given.slice(at)));
        const whole = of(given);
        expect(merged.count).toBe(whole.count);
        close(merged.mean, whole.mean);
        close(merged.squares, whole.squares, 1e7);
      }),
    );
  });

  it('law: restored ∘ standardised = identity, and whole numbers become fractions', () => {
    fc.assert(
      fc.property(rows, (given) => {
        const [width] = given.map(({ length }) => length);
        const x = tensor(given.flat(), [given.length, width]);
        const { count, mean, squares } = momentsOfColumns(x.data, width);
        const deviation = squares.length === 0 ? squares : Float64Array.from(squares, (s) => Math.sqrt(s / count) || 1);
        const standard = standardisedColumns(x, mean, deviation);
        close(restoredColumns(standard, mean, deviation).data, x.data);
      }),
    );
    const whole = standardisedColumns(tensor([1, 2], [2], 'i32'), Float64Array.of(0), Float64Array.of(4));
    expect([whole.dtype, [...whole.data]]).toEqual(['f64', [0.25, 0.5]]);
  });

  it('loses nothing of numbers that are far from 0', () => {
    const far = Float64Array.from([0, 1, 2], (x) => 1e12 + x);
    expect([...momentsOfColumns(far, 1).squares]).toEqual([2]);
    const parts = mergedMoments(momentsOfColumns(far.subarray(0, 1), 1), momentsOfColumns(far.subarray(1), 1));
    expect([...parts.squares]).toEqual([2]);
  });
});
