import fc from 'fast-check';

import { eigh } from '../../../src/core/linearAlgebra/eigh.ts';

import { distance, entries, identity, multiply, norm, order, right, seed, unitRoundoff } from './support.ts';

/** `(B + Bᵀ) / 2`. */
const symmetric = (n: number, s: number): Float64Array => {
  const b = entries(n * n, s);
  return b.map((x, at) => (x + b[(at % n) * n + Math.floor(at / n)]) / 2);
};

const scaledColumns = (n: number, u: Float64Array, values: Float64Array): Float64Array =>
  u.map((x, at) => x * values[at % n]);

describe('eigh', () => {
  it('worked example: [2 1; 1 2] has eigenvalues 1 and 3, eigenvectors along [1; -1] and [1; 1]', () => {
    const { values, vectors } = right(eigh(2, Float64Array.of(2, 1, 1, 2)));
    expect(distance(values, Float64Array.of(1, 3))).toBeLessThan(1e-15);
    expect(Math.abs(vectors[0] + vectors[2])).toBeLessThan(1e-15);
    expect(Math.abs(vectors[1] - vectors[3])).toBeLessThan(1e-15);
  });

  it('law: M = U diag(w) Uᵀ, UᵀU = I, w ascending', () => {
    const check = (n: number, s: number): void => {
      const m = symmetric(n, s);
      const { values, vectors } = right(eigh(n, m));
      const scale = 32 * (n + 1) * unitRoundoff;
      const rebuilt = multiply(n, n, n, scaledColumns(n, vectors, values), vectors, true);
      expect(distance(rebuilt, m)).toBeLessThanOrEqual(scale * norm(m));
      expect(distance(multiply(n, n, n, vectors, vectors, false, true), identity(n))).toBeLessThanOrEqual(scale);
      for (let i = 1; i < n; i += 1) expect(values[i]).toBeGreaterThanOrEqual(values[i - 1]);
    };
    fc.assert(fc.property(order, seed, check));
    check(65, 1);
  });

  it('law: repeated eigenvalues have orthonormal eigenvectors all the same', () => {
    const { values, vectors } = right(eigh(5, identity(5)));
    expect(values).toEqual(new Float64Array(5).fill(1));
    expect(distance(multiply(5, 5, 5, vectors, vectors, false, true), identity(5))).toBeLessThanOrEqual(
      8 * unitRoundoff,
    );
  });

  it('reads the lower triangle only, and leaves its input bit for bit as it was', () => {
    const n = 6;
    const half = symmetric(n, 1).map((x, at) => (at % n > Math.floor(at / n) ? NaN : x));
    const kept = half.slice();
    expect(eigh(n, half)).toEqual(eigh(n, symmetric(n, 1)));
    expect(half).toEqual(kept);
  });

  it.each([NaN, Infinity])('reports %p in the matrix', (bad) => {
    const m = symmetric(4, 1);
    m[2 * 4 + 1] = bad;
    expect(eigh(4, m)).toMatchObject({
      left: { _tag: 'NonFinite', where: 'eigh', what: 'entry (2, 1) of the matrix' },
    });
  });
});
