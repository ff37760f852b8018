import fc from 'fast-check';

import { solve } from '../../../../src/core/backends/portable/lu.ts';

import { distance, entries, gamma, multiply, norm, order, right, seed } from './support.ts';

/** Rows of a diagonally dominant matrix in another order: well conditioned, but no pivot is where it should be. */
const general = (n: number, s: number): Float64Array => {
  const m = entries(n * n, s);
  for (let i = 0; i < n; i += 1) m[i * n + ((i + 1 + s) % n)] += n;
  return m;
};

describe('solve', () => {
  it('worked example: a zero in the first pivot. [0 2; 3 1] x = [4; 5] has x = [1; 2]', () => {
    expect(Array.from(right(solve(2, 1, Float64Array.of(0, 2, 3, 1), Float64Array.of(4, 5))))).toEqual([1, 2]);
  });

  it('law: residual. M (solve M B) = B for any number of columns', () => {
    const check = (n: number, columns: number, s: number): void => {
      const m = general(n, s);
      const b = entries(n * columns, s + 1);
      const x = right(solve(n, columns, m, b));
      const residual = distance(multiply(n, columns, n, m, x), b);
      expect(residual).toBeLessThanOrEqual(gamma(3 * n + 3) * (n + 1) * norm(m) * norm(x) + gamma(1));
    };
    fc.assert(fc.property(order, fc.integer({ min: 0, max: 9 }), seed, check));
    check(101, 3, 5);
    check(64, 1, 6);
  });

  it('leaves its input bit for bit as it was', () => {
    const m = general(9, 1);
    const b = entries(18, 2);
    right(solve(9, 2, m, b));
    expect(m).toEqual(general(9, 1));
    expect(b).toEqual(entries(18, 2));
  });

  it('law: a matrix with a row or a column of zeros has no solution', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(), fc.boolean(), seed, (n, where, row, s) => {
        const at = where % n;
        const m = general(n, s).map((x, position) => ((row ? Math.floor(position / n) : position % n) === at ? 0 : x));
        expect(solve(n, 1, m, entries(n, s))).toMatchObject({ left: { _tag: 'NonFinite', where: 'solve' } });
      }),
    );
    expect(solve(2, 1, Float64Array.of(1, 2, 1, 2), Float64Array.of(1, 1))).toMatchObject({
      left: { _tag: 'NonFinite', where: 'solve', what: 'the solution of a singular system (pivot 2)' },
    });
  });

  it.each([NaN, Infinity])('reports %p, in the matrix and on the right', (bad) => {
    for (let at = 0; at < 25; at += 1) {
      const m = general(5, 1);
      m[at] = bad;
      expect(solve(5, 1, m, entries(5, 1))).toMatchObject({ left: { _tag: 'NonFinite', where: 'solve' } });
    }
    expect(solve(5, 1, general(5, 1), Float64Array.of(1, 2, bad, 4, 5))).toMatchObject({ left: { _tag: 'NonFinite' } });
  });

  it('reports a solution that overflows', () => {
    expect(solve(1, 1, Float64Array.of(1e-300), Float64Array.of(1e300))).toMatchObject({
      left: { _tag: 'NonFinite', what: 'the solution' },
    });
  });
});
