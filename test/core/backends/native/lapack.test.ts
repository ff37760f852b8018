import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import fc from 'fast-check';

import type { Job } from '../../../../src/core/backends/native/job.ts';
import type { Eigen } from '../../../../src/core/backends/native/lapack.ts';
import type { Vector } from '../../../../src/core/backends/host/kernels/precision.ts';
import { attempt } from '../../../../src/core/errors.ts';

import {
  describeNative,
  distance,
  identity,
  multiply,
  norm,
  positiveOf,
  right,
  symmetricOf,
  vector,
  vectorOf,
} from './support.ts';

const order = fc.integer({ min: 0, max: 20 });
const columns = fc.integer({ min: 0, max: 5 });

describeNative('lapack', ({ native, kernels, precision, epsilon }) => {
  const run = <A>(job: Job<A>): A => right(native.runNow(job));
  const product = (n: number, a: Vector, b: Vector): Float64Array => multiply(false, false, n, n, n, a, n, b, n);
  /** Backward stability: residuals are a small multiple of n epsilon times the sizes of what was multiplied. */
  const bound = (n: number, ...sizes: ReadonlyArray<number>): number =>
    10 * (n + 1) * epsilon * sizes.reduce((p, s) => p * s, 1) + 1e-30;

  const positive = order.chain((n) => fc.record({ n: fc.constant(n), m: positiveOf(precision, n) }));
  /** Diagonally dominant with its rows in reverse order: regular by construction, and not without pivoting. */
  const regular = order.chain((n) =>
    fc.record({ n: fc.constant(n), m: vectorOf(precision, n * n) }).map(({ m }) => ({
      n,
      m: m.map((x, i) => ((i % n) + Math.floor(i / n) === n - 1 ? x + 2 * n : x)),
    })),
  );

  it('worked example: the Cholesky factor of [[4, 2], [2, 5]] is [[2, 0], [1, 2]]', () => {
    expect(Array.from(run(kernels.cholesky(2, vector(precision, [4, 2, 2, 5]))))).toEqual([2, 0, 1, 2]);
  });

  it('worked example: the inverse of [[2, 0], [0, 4]] is [[0.5, 0], [0, 0.25]], by either route', () => {
    const m = vector(precision, [2, 0, 0, 4]);
    const inverse = vector(precision, [0.5, 0, 0, 0.25]);
    expect(distance(run(kernels.inverse(2, m)), inverse)).toBeLessThan(2 * epsilon);
    expect(distance(run(kernels.inverseGeneral(2, m)), inverse)).toBeLessThan(2 * epsilon);
  });

  it('worked example: [[0, 2], [1, 1]] x = [4, 5] has the solution [3, 2], and needs a pivot', () => {
    expect(Array.from(run(kernels.solve(2, 1, vector(precision, [0, 2, 1, 1]), vector(precision, [4, 5]))))).toEqual([
      3, 2,
    ]);
  });

  it('worked example: [[2, 1], [1, 2]] has eigenvalues 1 and 3', () => {
    const { values, vectors } = run(kernels.eigh(2, vector(precision, [2, 1, 1, 2])));
    expect(distance(values, vector(precision, [1, 3]))).toBeLessThan(4 * epsilon);
    expect(vectors[0] * vectors[2]).toBeCloseTo(-0.5, 5); // (1, -1) / sqrt(2)
    expect(vectors[1] * vectors[3]).toBeCloseTo(0.5, 5); // (1, 1) / sqrt(2)
  });

  it('law: Cholesky. L Lᵀ = M, L lower triangular with zeros above', () => {
    fc.assert(
      fc.property(positive, ({ n, m }) => {
        const l = run(kernels.cholesky(n, m));
        expect(distance(multiply(false, true, n, n, n, l, n, l, n), m)).toBeLessThan(bound(n, norm(m)));
        for (let i = 0; i < n; i += 1) for (let j = i + 1; j < n; j += 1) expect(l[i * n + j]).toBe(0);
      }),
    );
  });

  it('law: inverse. M M⁻¹ = I, from M or from its Cholesky factor, equal to its transpose bit for bit', () => {
    fc.assert(
      fc.property(positive, ({ n, m }) => {
        const l = run(kernels.cholesky(n, m));
        for (const inverse of [run(kernels.inverse(n, m)), run(kernels.choleskyInverse(n, l))]) {
          expect(distance(product(n, m, inverse), identity(n))).toBeLessThan(bound(n, norm(m), norm(inverse)));
          for (let i = 0; i < n; i += 1) {
            for (let j = 0; j < i; j += 1) expect(Object.is(inverse[i * n + j], inverse[j * n + i])).toBe(true);
          }
        }
      }),
    );
  });

  it('law: Cholesky solve. M X = B with M = L Lᵀ', () => {
    fc.assert(
      fc.property(
        fc
          .tuple(positive, columns)
          .chain(([p, k]) => fc.record({ p: fc.constant(p), k: fc.constant(k), b: vectorOf(precision, p.n * k) })),
        ({ p: { n, m }, k, b }) => {
          const x = run(kernels.choleskySolve(n, k, run(kernels.cholesky(n, m)), b));
          expect(distance(multiply(false, false, n, k, n, m, n, x, k), b)).toBeLessThan(bound(n, norm(m), norm(x)));
        },
      ),
    );
  });

  it('law: general inverse. M M⁻¹ = I', () => {
    fc.assert(
      fc.property(regular, ({ n, m }) => {
        const inverse = run(kernels.inverseGeneral(n, m));
        expect(distance(product(n, m, inverse), identity(n))).toBeLessThan(bound(n, norm(m), norm(inverse)));
      }),
    );
  });

  it('law: general solve. M X = B', () => {
    fc.assert(
      fc.property(
        fc
          .tuple(regular, columns)
          .chain(([p, k]) => fc.record({ p: fc.constant(p), k: fc.constant(k), b: vectorOf(precision, p.n * k) })),
        ({ p: { n, m }, k, b }) => {
          const x = run(kernels.solve(n, k, m, b));
          expect(distance(multiply(false, false, n, k, n, m, n, x, k), b)).toBeLessThan(bound(n, norm(m), norm(x)));
        },
      ),
    );
  });

  it('law: eigendecomposition. U diag(w) Uᵀ = M, UᵀU = I, w ascending', () => {
    fc.assert(
      fc.property(
        order.chain((n) => fc.record({ n: fc.constant(n), m: symmetricOf(precision, n) })),
        ({ n, m }) => {
          const { values, vectors } = run(kernels.eigh(n, m));
          const scaled = vectors.map((u, i) => u * values[i % n]);
          expect(distance(multiply(false, true, n, n, n, scaled, n, vectors, n), m)).toBeLessThan(bound(n, norm(m), 1));
          expect(distance(multiply(true, false, n, n, n, vectors, n, vectors, n), identity(n))).toBeLessThan(
            bound(n, 1),
          );
          for (let i = 1; i < n; i += 1) expect(values[i]).toBeGreaterThanOrEqual(values[i - 1]);
        },
      ),
    );
  });

  const vectorsOf =
    (job: Job<Eigen>): Job<Vector> =>
    () =>
      pipe(
        job(),
        E.map(({ calls, result }) => ({ calls, result: () => result().vectors })),
      );
  const jobs = (n: number, m: Vector): ReadonlyArray<readonly [string, Job<Vector>]> => [
    ['cholesky', kernels.cholesky(n, m)],
    ['choleskySolve', kernels.choleskySolve(n, n, m, m)],
    ['choleskyInverse', kernels.choleskyInverse(n, m)],
    ['inverse', kernels.inverse(n, m)],
    ['inverseGeneral', kernels.inverseGeneral(n, m)],
    ['solve', kernels.solve(n, n, m, m)],
    ['eigh', vectorsOf(kernels.eigh(n, m))],
  ];

  it('law: purity. Inputs are bit-identical after every job, and a job runs any number of times', () => {
    fc.assert(
      fc.property(positive, ({ n, m }) => {
        const before = m.slice();
        for (const [, job] of jobs(n, m)) {
          const first = run(job);
          expect(distance(run(job), first)).toBeLessThanOrEqual(bound(n, 1 + norm(first)));
          expect(m).toEqual(before);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('law: overlap. Jobs in the background, all at once and beside products, give what they give alone', async () => {
    const n = 90;
    const a = vector(
      precision,
      Array.from({ length: n * n }, (_, i) => Math.sin(i * i)),
    );
    const m = precision.zeros(n * n);
    kernels.syrk(true, n, n, 1, a, n, 0, m, n);
    for (let i = 0; i < n; i += 1) m[i * n + i] += 1;
    const input = m.slice();
    const alone = jobs(n, m).map(([, job]) => run(job));
    const together = [...jobs(n, input), ...jobs(n, input)].map(([, job]) => native.run(job)());
    input.fill(NaN); // a job copied its input when it started
    const c = precision.zeros(n * n);
    for (let i = 0; i < 20; i += 1) kernels.gemm(false, true, n, n, n, 1, a, n, a, n, 0, c, n);
    const results = await Promise.all(together);
    results.forEach((result, i) => {
      const expected = alone[i % alone.length];
      expect(distance(right(result), expected)).toBeLessThan(bound(n, n, 1 + norm(expected)));
    });
    expect(distance(c, multiply(false, true, n, n, n, a, n, a, n))).toBeLessThan(bound(n, n));
  });

  it('reports a matrix that is not positive definite, with the order of the minor', async () => {
    const m = vector(precision, [1, 2, 2, 1]);
    const expected = { _tag: 'Left', left: { _tag: 'NotPositiveDefinite', order: 2 } };
    expect(native.runNow(kernels.cholesky(2, m))).toMatchObject(expected);
    expect(native.runNow(kernels.inverse(2, m))).toMatchObject(expected);
    expect(await native.run(kernels.inverse(2, m))()).toMatchObject(expected);
    expect(native.runNow(kernels.cholesky(1, vector(precision, [0])))).toMatchObject({ left: { order: 1 } });
    expect(native.runNow(kernels.choleskyInverse(2, vector(precision, [1, 0, 1, 0])))).toMatchObject(expected);
  });

  it('reports a NaN or an infinity instead of handing it on', async () => {
    const expected = { _tag: 'Left', left: { _tag: 'NonFinite' } };
    for (const bad of [NaN, Infinity]) {
      const m = vector(precision, [4, 0, 0, 0, 4, 0, 0, 0, bad]);
      for (const [name, job] of jobs(3, m)) {
        if (name.startsWith('cholesky') && name !== 'cholesky') continue; // these two take a factor, already checked
        if (name.startsWith('inverse') && bad === Infinity) continue; // 1 / Infinity is finite
        expect([name, native.runNow(job)]).toMatchObject([name, expected]);
      }
      expect(await native.run(kernels.eigh(3, m))()).toMatchObject(expected);
    }
  });

  it('reports a singular matrix', () => {
    const m = vector(precision, [1, 2, 2, 4]);
    const expected = { _tag: 'Left', left: { _tag: 'NonFinite' } };
    expect(native.runNow(kernels.inverseGeneral(2, m))).toMatchObject(expected);
    expect(native.runNow(kernels.solve(2, 1, m, vector(precision, [1, 1])))).toMatchObject(expected);
  });

  it('refuses arrays that are too short, before anything runs', () => {
    for (const [, job] of jobs(3, precision.zeros(8))) {
      expect(attempt(() => native.runNow(job))).toMatchObject({ _tag: 'Left', left: { _tag: 'ShapeMismatch' } });
      expect(attempt(() => native.run(job)())).toMatchObject({ _tag: 'Left', left: { _tag: 'ShapeMismatch' } });
    }
  });
});
