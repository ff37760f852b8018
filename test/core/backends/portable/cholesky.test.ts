import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import { cholesky, choleskySolve, inverse } from '../../../../src/core/backends/portable/cholesky.ts';

import {
  distance,
  entries,
  gamma,
  identity,
  multiply,
  norm,
  order,
  positive,
  right,
  seed,
  unitRoundoff,
} from './support.ts';

const large: ReadonlyArray<number> = [31, 64, 129];

/** Runs a law for small orders by the hundred, and for a few that span many tiles. */
const forOrders = (law: (n: number, s: number) => void): void => {
  fc.assert(fc.property(order, seed, law));
  large.forEach((n) => law(n, n));
};

describe('cholesky', () => {
  it('worked example: [4 2; 2 10] = L Lᵀ with L = [2 0; 1 3]', () => {
    const m = [4, 2, 2, 10];
    const l = right(cholesky(2, Float64Array.from(m)));
    expect(Array.from(l)).toEqual([2, 0, 1, 3]);
    // L Lᵀ x = [8, 22]: L y = [8, 22] gives y = [4, 6], Lᵀ x = y gives x = [1, 2]
    expect(Array.from(choleskySolve(2, 1, l, Float64Array.of(8, 22)))).toEqual([1, 2]);
    // det = 36: the inverse is [10 -2; -2 4] / 36
    expect(
      distance(right(inverse(2, Float64Array.from(m))), Float64Array.of(10 / 36, -2 / 36, -2 / 36, 4 / 36)),
    ).toBeLessThan(1e-16);
  });

  it('law: factor. |M - L Lᵀ| <= γ_(n+1) |L| |L|ᵀ element by element, L lower triangular (Higham 2002, theorem 10.3)', () => {
    forOrders((n, s) => {
      const m = positive(n, s);
      const l = right(cholesky(n, m));
      const product = multiply(n, n, n, l, l, true);
      const sizes = l.map(Math.abs);
      const bound = multiply(n, n, n, sizes, sizes, true);
      for (let i = 0; i < n; i += 1) {
        for (let j = 0; j < n; j += 1) {
          const at = i * n + j;
          // The check itself rounds as much as the factorisation does.
          expect(Math.abs(m[at] - product[at])).toBeLessThanOrEqual(2 * gamma(n + 1) * bound[at]);
          if (j > i) expect(l[at]).toBe(0);
          if (j === i) expect(l[at]).toBeGreaterThan(0);
        }
      }
    });
  });

  it('law: residual. L Lᵀ (choleskySolve L B) = B for any number of columns', () => {
    const check = (n: number, columns: number, s: number): void => {
      const m = positive(n, s);
      const b = entries(n * columns, s + 1);
      const x = choleskySolve(n, columns, right(cholesky(n, m)), b);
      const residual = distance(multiply(n, columns, n, m, x), b);
      expect(residual).toBeLessThanOrEqual(gamma(4 * n + 4) * (n + 1) * norm(m) * norm(x) + gamma(1));
    };
    fc.assert(fc.property(order, fc.integer({ min: 0, max: 9 }), seed, check));
    check(129, 67, 1);
  });

  it('law: inverse. M M⁻¹ = I, symmetric bit for bit', () => {
    forOrders((n, s) => {
      const m = positive(n, s);
      const x = right(inverse(n, m));
      expect(distance(multiply(n, n, n, m, x), identity(n))).toBeLessThanOrEqual(
        gamma(4 * n + 4) * (n + 1) * norm(m) * norm(x),
      );
      for (let i = 0; i < n; i += 1) for (let j = 0; j < i; j += 1) expect(x[i * n + j]).toBe(x[j * n + i]);
    });
  });

  it('law: scale. cholesky(c² M) = c L bit for bit, for c a power of two', () => {
    fc.assert(
      fc.property(order, seed, fc.integer({ min: -40, max: 40 }), (n, s, e) => {
        const m = positive(n, s);
        const scaled = right(
          cholesky(
            n,
            m.map((x) => x * 4 ** e),
          ),
        );
        expect(scaled).toEqual(right(cholesky(n, m)).map((x) => x * 2 ** e));
      }),
    );
  });

  it('reads the lower triangle only, and leaves its input bit for bit as it was', () => {
    const n = 7;
    const m = positive(n, 1);
    const half = m.map((x, at) => (at % n > Math.floor(at / n) ? NaN : x));
    const kept = half.slice();
    expect(cholesky(n, half)).toEqual(cholesky(n, m));
    expect(inverse(n, half)).toEqual(inverse(n, m));
    expect(half).toEqual(kept);
  });

  it('law: a matrix whose first p - 1 pivots are positive and whose p-th is not fails at order p', () => {
    const size = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(size, fc.nat(), fc.constantFrom(0, -1, -100), seed, (n, where, pivot, s) => {
        const at = where % n;
        // M = L D Lᵀ in small integers, so that M and its pivots are exact; L is bidiagonal, so that they stay so.
        const l = identity(n);
        for (let i = 1; i < n; i += 1) l[i * n + i - 1] = ((s + i) % 3) - 1;
        const ld = l.map((x, position) => x * (position % n === at ? pivot : 1));
        const m = multiply(n, n, n, ld, l, true);
        const expected = { _tag: 'NotPositiveDefinite', order: at + 1 };
        expect(cholesky(n, m)).toMatchObject(E.left({ ...expected, where: 'cholesky' }));
        expect(inverse(n, m)).toMatchObject(E.left({ ...expected, where: 'inverse' }));
      }),
    );
  });

  it.each([NaN, Infinity, -Infinity])('reports %p in the matrix, wherever it is', (bad) => {
    const n = 6;
    for (let i = 0; i < n; i += 1) {
      for (let j = 0; j <= i; j += 1) {
        const m = positive(n, 1);
        m[i * n + j] = bad;
        expect(cholesky(n, m)).toMatchObject({ left: { _tag: 'NonFinite', where: 'cholesky' } });
        expect(inverse(n, m)).toMatchObject({ left: { _tag: 'NonFinite', where: 'inverse' } });
      }
    }
  });

  it('reports an inverse that overflows', () => {
    expect(inverse(1, Float64Array.of(1e-310))).toMatchObject({ left: { _tag: 'NonFinite', where: 'inverse' } });
  });

  it('stays accurate where the matrix is nearly singular', () => {
    // The Hilbert matrix of order 8 has condition number 1.5e10: a residual of 1e-6 is what f64 can give.
    const n = 8;
    const hilbert = Float64Array.from({ length: n * n }, (_, at) => 1 / (1 + (at % n) + Math.floor(at / n)));
    const x = right(inverse(n, hilbert));
    const residual = distance(multiply(n, n, n, hilbert, x), identity(n));
    expect(residual).toBeLessThanOrEqual(8 * n * unitRoundoff * norm(hilbert) * norm(x));
  });
});
