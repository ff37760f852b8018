import fc from 'fast-check';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

import { eigenLoops } from '../../../../src/core/backends/portable/eigen/simdLoops.ts';
import type { EigenLoops } from '../../../../src/core/backends/portable/eigen/loops.ts';
import { plainLoops } from '../../../../src/core/backends/portable/eigen/loops.ts';
import type { Eigen } from '../../../../src/core/backends/portable/eigh.ts';
import { eigh, eighOn } from '../../../../src/core/backends/portable/eigh.ts';

import { distance, entries, identity, multiply, norm, order, right, seed, unitRoundoff } from './support.ts';

/** A symmetric matrix from its lower triangle. */
const symmetricOf = (n: number, element: (i: number, j: number) => number): Float64Array =>
  Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return element(Math.max(i, j), Math.min(i, j));
  });

/** `(B + Bᵀ) / 2`. */
const symmetric = (n: number, s: number): Float64Array => {
  const b = entries(n * n, s);
  return b.map((x, at) => (x + b[(at % n) * n + Math.floor(at / n)]) / 2);
};

/** `H diag(values) H` with H = I − 2 u uᵀ, a matrix with these eigenvalues. */
const withEigenvalues = (values: ReadonlyArray<number>, s: number): Float64Array => {
  const n = values.length;
  const u = entries(n, s);
  const length = norm(u);
  const h = symmetricOf(n, (i, j) => (i === j ? 1 : 0) - (2 * u[i] * u[j]) / (length * length));
  const m = multiply(n, n, n, scaledColumns(n, h, Float64Array.from(values)), h);
  return symmetricOf(n, (i, j) => m[i * n + j]);
};

const scaledColumns = (n: number, u: Float64Array, values: Float64Array): Float64Array =>
  u.map((x, at) => x * values[at % n]);

const sine = (i: number, j: number): number => Math.sin(1 + 7 * i + 3 * j);
const range = <A>(n: number, f: (i: number) => A): ReadonlyArray<A> => Array.from({ length: n }, (_, i) => f(i));

/** Matrices that are hard in one way each. */
const hard: ReadonlyArray<readonly [string, (n: number, s: number) => Float64Array]> = [
  ['zero', (n) => new Float64Array(n * n)],
  ['the identity', identity],
  ['a diagonal out of order', (n) => symmetricOf(n, (i, j) => (i === j ? sine(i, 0) : 0))],
  ['tridiagonal, with blocks', (n) => symmetricOf(n, (i, j) => (i - j > 1 || j % 3 === 2 ? 0 : sine(i, j)))],
  ['of rank one', (n, s) => symmetricOf(n, (i, j) => entries(n, s)[i] * entries(n, s)[j])],
  ['ill-conditioned', (n, s) => withEigenvalues(range(n, (i) => 10 ** -i), s)], // prettier-ignore
  ['with repeated eigenvalues', (n, s) => withEigenvalues(range(n, (i) => i % 2), s)], // prettier-ignore
  ['with a cluster of eigenvalues', (n, s) => withEigenvalues(range(n, (i) => 1 + i * 1e-15), s)], // prettier-ignore
  ['of both signs, in pairs', (n, s) => withEigenvalues(range(n, (i) => (i % 2 === 0 ? i + 1 : -i)), s)], // prettier-ignore
  ['graded down', (n) => symmetricOf(n, (i, j) => sine(i, j) * 10 ** (-2 * (i + j)))],
  ['graded up', (n) => symmetricOf(n, (i, j) => sine(i, j) * 10 ** (2 * (i + j - 2 * n)))],
  ['huge', (n, s) => symmetric(n, s).map((x) => x * 1e300)],
  ['tiny', (n, s) => symmetric(n, s).map((x) => x * 1e-300)],
  ['with entries that vanish beside others', (n) => symmetricOf(n, (i, j) => sine(i, j) * 10 ** (-40 * (i + j)))],
];

const expectDecomposition = (n: number, m: Float64Array, { values, vectors }: Eigen): void => {
  const scale = 32 * (n + 1) * unitRoundoff;
  const size = Math.max(...m.map(Math.abs), 2 ** -1000); // norms of huge matrices overflow
  const rebuilt = multiply(n, n, n, scaledColumns(n, vectors, values.map((w) => w / size)), vectors, true); // prettier-ignore
  const target = m.map((x) => x / size);
  expect(distance(rebuilt, target)).toBeLessThanOrEqual(scale * norm(target));
  expect(distance(multiply(n, n, n, vectors, vectors, false, true), identity(n))).toBeLessThanOrEqual(scale);
  for (let i = 1; i < n; i += 1) expect(values[i]).toBeGreaterThanOrEqual(values[i - 1]);
};

describe('eigh', () => {
  it('worked example: [2 1; 1 2] has eigenvalues 1 and 3, eigenvectors along [1; -1] and [1; 1]', () => {
    const { values, vectors } = right(eigh(2, Float64Array.of(2, 1, 1, 2)));
    expect(distance(values, Float64Array.of(1, 3))).toBeLessThan(1e-15);
    expect(Math.abs(vectors[0] + vectors[2])).toBeLessThan(1e-15);
    expect(Math.abs(vectors[1] - vectors[3])).toBeLessThan(1e-15);
  });

  it('worked example: [5] and the empty matrix', () => {
    expect(right(eigh(1, Float64Array.of(5)))).toEqual({ values: Float64Array.of(5), vectors: Float64Array.of(1) });
    expect(right(eigh(0, new Float64Array(0)))).toEqual({ values: new Float64Array(0), vectors: new Float64Array(0) });
  });

  it('law: M = U diag(w) Uᵀ, UᵀU = I, w ascending', () => {
    const check = (n: number, s: number): void => {
      const m = symmetric(n, s);
      expectDecomposition(n, m, right(eigh(n, m)));
    };
    fc.assert(fc.property(order, seed, check));
    check(65, 1);
    check(130, 2); // rotations are applied several times
  });

  it.each(hard)('the law holds for a matrix that is %s', (_, matrix) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 17 }), seed, (n, s) => {
        const m = matrix(n, s);
        expectDecomposition(n, m, right(eigh(n, m)));
      }),
      { numRuns: 20 },
    );
  });

  it('law: shift. eigenvalues of M + c I are those of M, plus c', () => {
    fc.assert(
      fc.property(order, seed, fc.double({ min: -10, max: 10, noNaN: true }), (n, s, c) => {
        const m = symmetric(n, s);
        const shifted = m.map((x, at) => x + (at % (n + 1) === 0 ? c : 0));
        const expected = right(eigh(n, m)).values.map((w) => w + c);
        const bound = 32 * (n + 1) * unitRoundoff * (norm(shifted) + norm(m));
        expect(distance(right(eigh(n, shifted)).values, expected)).toBeLessThanOrEqual(bound);
      }),
    );
  });

  it('has the eigenvalues that another library finds', () => {
    const n = 40;
    const m = symmetric(n, 3);
    const rows = range(n, (i) => Array.from(m.subarray(i * n, i * n + n)));
    const { realEigenvalues } = new EigenvalueDecomposition(new Matrix(rows), {
      assumeSymmetric: true,
    });
    const bound = 64 * n * unitRoundoff * norm(m);
    expect(distance(right(eigh(n, m)).values, Float64Array.from(realEigenvalues))).toBeLessThanOrEqual(bound);
  });

  it('law: loops in WebAssembly and in JavaScript agree bit for bit', () => {
    const onVectors = (length: number): EigenLoops => {
      const loops = eigenLoops(length);
      if (loops === null) throw new Error('no WebAssembly here');
      loops.data.fill(NaN); // contents are arbitrary
      return loops;
    };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 24 }), seed, (n, s) => {
        const m = symmetric(n, s);
        expect(right(eighOn(n, m, 1, onVectors))).toEqual(right(eighOn(n, m, 1, plainLoops)));
      }),
      { numRuns: 30 },
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

  it('refuses an order for which it has no room', () => {
    expect(eigh(8193, new Float64Array(0))).toMatchObject({
      left: { _tag: 'ShapeMismatch', where: 'eigh', expected: 'an order of at most 8192', actual: '8193' },
    });
  });
});
