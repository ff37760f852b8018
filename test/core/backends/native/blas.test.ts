import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import { attempt } from '../../../../src/core/errors.ts';

import { at, describeNative, distance, identity, multiply, right, vector, vectorOf } from './support.ts';

const extent = fc.integer({ min: 0, max: 19 });
const scale = fc.constantFrom(0, 1, -0.5, 2);

describeNative('blas', ({ kernels, precision, epsilon }) => {
  /** Sum of absolute terms times the number of roundings: the classical bound on the error of a dot product. */
  const bound = (terms: number, magnitude: number): number => (terms + 4) * epsilon * magnitude + 1e-30;

  it('worked example: [[1, 2], [3, 4]] [[5, 6], [7, 8]] = [[19, 22], [43, 50]]', () => {
    const c = precision.zeros(4);
    kernels.gemm(
      false,
      false,
      2,
      2,
      2,
      1,
      vector(precision, [1, 2, 3, 4]),
      2,
      vector(precision, [5, 6, 7, 8]),
      2,
      0,
      c,
      2,
    );
    expect(Array.from(c)).toEqual([19, 22, 43, 50]);
  });

  it('law: gemm. C = alpha op(A) op(B) + beta C, every transpose, every row stride, within the rounding bound', () => {
    const problem = fc
      .record({
        m: extent,
        n: extent,
        k: extent,
        transA: fc.boolean(),
        transB: fc.boolean(),
        pad: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2)),
        alpha: scale,
        beta: scale,
      })
      .chain((p) => {
        const lda = (p.transA ? p.m : p.k) + p.pad[0];
        const ldb = (p.transB ? p.k : p.n) + p.pad[1];
        const ldc = p.n + p.pad[2];
        return fc.record({
          p: fc.constant({ ...p, lda, ldb, ldc }),
          a: vectorOf(precision, (p.transA ? p.k : p.m) * lda),
          b: vectorOf(precision, (p.transB ? p.n : p.k) * ldb),
          c: vectorOf(precision, p.m * ldc),
        });
      });
    fc.assert(
      fc.property(problem, ({ p, a, b, c }) => {
        const before = [a.slice(), b.slice()];
        const out = c.slice();
        kernels.gemm(p.transA, p.transB, p.m, p.n, p.k, p.alpha, a, p.lda, b, p.ldb, p.beta, out, p.ldc);
        expect([a, b]).toEqual(before);
        for (let i = 0; i < p.m; i += 1) {
          for (let j = 0; j < p.ldc; j += 1) {
            const old = c[i * p.ldc + j];
            let sum = 0;
            let magnitude = Math.abs(p.beta * old);
            for (let q = 0; q < p.k; q += 1) {
              const term = p.alpha * at(a, p.lda, p.transA, i, q) * at(b, p.ldb, p.transB, q, j);
              sum += term;
              magnitude += Math.abs(term);
            }
            const expected = j < p.n ? sum + p.beta * old : old; // the padding is not ours to write
            expect(Math.abs(out[i * p.ldc + j] - expected)).toBeLessThanOrEqual(j < p.n ? bound(p.k, magnitude) : 0);
          }
        }
      }),
    );
  });

  it('law: matrix-vector. Large products with one row or column agree with the definition', () => {
    const wide = 512;
    const tall = 65;
    const a = vector(
      precision,
      Array.from({ length: wide * tall }, (_, i) => Math.sin(i)),
    );
    const x = vector(
      precision,
      Array.from({ length: wide * 3 }, (_, i) => Math.cos(i)),
    );
    // prettier-ignore
    for (const [transA, transB, m, n, k, left, lda, rightHand, ldb] of [
      [false, false, tall, 1, wide, a, wide, x, 3], // A x, x a column of a wider matrix
      [true, true, wide, 1, tall, a, wide, x, tall], // Aᵀ x, x a row
      [false, false, 1, wide, tall, x, tall, a, wide], // xᵀ A
      [true, true, 1, tall, wide, x, 3, a, wide], // xᵀ Aᵀ, x a column of a wider matrix
    ] as const) {
      const c = precision.zeros(m * n).fill(NaN); // beta 0 does not read C
      kernels.gemm(transA, transB, m, n, k, 1, left, lda, rightHand, ldb, 0, c, n);
      expect(distance(c, multiply(transA, transB, m, n, k, left, lda, rightHand, ldb))).toBeLessThan(bound(k, k));
    }
  });

  it('law: beta = 0 forgets C, whatever it held', () => {
    const c = precision.zeros(1).fill(NaN);
    kernels.gemm(false, false, 1, 1, 1, 1, vector(precision, [2]), 1, vector(precision, [3]), 1, 0, c, 1);
    expect(c[0]).toBe(6);
    const s = precision.zeros(4).fill(NaN);
    kernels.syrk(true, 2, 1, 1, vector(precision, [1, 2]), 2, 0, s, 2);
    expect(Array.from(s)).toEqual([1, 2, 2, 4]);
  });

  it('law: batched. gemmBatched is gemm on every part, shared operands included', () => {
    const problem = fc
      .record({
        batch: fc.nat(4),
        m: extent,
        n: extent,
        k: extent,
        transA: fc.boolean(),
        transB: fc.boolean(),
        shareA: fc.boolean(),
        shareB: fc.boolean(),
        beta: scale,
      })
      .chain((p) =>
        fc.record({
          p: fc.constant(p),
          a: vectorOf(precision, (p.shareA ? 1 : p.batch) * p.m * p.k),
          b: vectorOf(precision, (p.shareB ? 1 : p.batch) * p.k * p.n),
          c: vectorOf(precision, p.batch * p.m * p.n),
        }),
      );
    fc.assert(
      fc.property(problem, ({ p, a, b, c }) => {
        const { batch, m, n, k, transA, transB, beta } = p;
        const stepA = p.shareA ? 0 : m * k;
        const stepB = p.shareB ? 0 : k * n;
        const out = c.slice();
        kernels.gemmBatched(batch, transA, transB, m, n, k, 1, a, stepA, b, stepB, beta, out);
        for (let i = 0; i < batch; i += 1) {
          const ai = a.subarray(i * stepA, i * stepA + m * k);
          const bi = b.subarray(i * stepB, i * stepB + k * n);
          const product = multiply(transA, transB, m, n, k, ai, transA ? m : k, bi, transB ? k : n);
          const expected = product.map((x, e) => x + beta * c[i * m * n + e]);
          expect(distance(out.subarray(i * m * n, (i + 1) * m * n), expected)).toBeLessThan(bound(k, k + 2));
        }
      }),
    );
  });

  it('law: syrk. C = alpha AᵀA + beta C or alpha AAᵀ + beta C, equal to its transpose bit for bit', () => {
    const problem = fc
      .record({ n: extent, k: extent, transposed: fc.boolean(), alpha: scale, beta: scale, pad: fc.nat(2) })
      .chain((p) =>
        fc.record({
          p: fc.constant(p),
          a: vectorOf(precision, (p.transposed ? p.k : p.n) * ((p.transposed ? p.n : p.k) + p.pad)),
          c: vectorOf(precision, p.n * p.n),
        }),
      );
    fc.assert(
      fc.property(problem, ({ p, a, c }) => {
        const { n, k, transposed, alpha, beta } = p;
        const lda = (transposed ? n : k) + p.pad;
        const out = c.slice();
        kernels.syrk(transposed, n, k, alpha, a, lda, beta, out, n);
        const product = multiply(transposed, !transposed, n, n, k, a, lda, a, lda);
        for (let i = 0; i < n; i += 1) {
          for (let j = 0; j <= i; j += 1) {
            expect(Math.abs(out[i * n + j] - alpha * product[i * n + j] - beta * c[i * n + j])).toBeLessThan(
              bound(k, 2 * k + 2),
            );
            expect(Object.is(out[i * n + j], out[j * n + i])).toBe(true);
          }
        }
      }),
    );
  });

  it('law: trsm. L (L⁻¹ B) = B and Lᵀ (L⁻ᵀ B) = B', () => {
    const problem = fc
      .record({ n: extent, columns: extent, transposed: fc.boolean() })
      .chain((p) =>
        fc.record({ p: fc.constant(p), l: vectorOf(precision, p.n * p.n), b: vectorOf(precision, p.n * p.columns) }),
      );
    fc.assert(
      fc.property(problem, ({ p, l, b }) => {
        const { n, columns, transposed } = p;
        // Small below the diagonal, 1 on it, and NaN above it, where trsm must not look.
        const factor = l.map((x, i) => (i % n > Math.floor(i / n) ? NaN : i % (n + 1) === 0 ? 1 : x / n));
        const x = b.slice();
        kernels.trsm(transposed, n, columns, factor, x);
        const full = factor.map((y) => (Number.isNaN(y) ? 0 : y));
        const back = multiply(transposed, false, n, columns, n, full, n, x, columns);
        expect(distance(back, b)).toBeLessThan(bound(n, 10 * n));
      }),
    );
  });

  it('adds to C only what it is told to: gemm with k = 0 is C = beta C', () => {
    const c = vector(precision, [1, 2]);
    kernels.gemm(false, false, 1, 2, 0, 1, precision.zeros(0), 0, precision.zeros(0), 2, 0.5, c, 2);
    expect(Array.from(c)).toEqual([0.5, 1]);
  });

  it('refuses arrays that are too short or of another element type', () => {
    const ok = vector(precision, identity(2));
    const wrong = precision.dtype === 'f32' ? new Float64Array(4) : new Float32Array(4);
    for (const run of [
      () => {
        kernels.gemm(false, false, 2, 2, 2, 1, precision.zeros(3), 2, ok, 2, 0, ok, 2);
      },
      () => {
        kernels.gemm(false, false, 2, 2, 2, 1, ok, 2, wrong, 2, 0, ok, 2);
      },
      () => {
        kernels.gemm(false, false, 2, 2, 2, 1, ok, 1, ok, 2, 0, ok, 2);
      },
      () => {
        kernels.gemmBatched(2, false, false, 2, 2, 2, 1, ok, 4, ok, 0, 0, ok);
      },
      () => {
        kernels.gemmBatched(2, true, false, 2, 2, 2, 1, ok, 4, ok, 4, 0, ok);
      },
      () => {
        kernels.syrk(true, 2, 3, 1, ok, 2, 0, ok, 2);
      },
      () => {
        kernels.trsm(false, 3, 1, ok, ok);
      },
    ]) {
      expect(attempt(run)).toMatchObject({ _tag: 'Left', left: { _tag: 'ShapeMismatch' } });
    }
    expect(
      E.isRight(
        attempt(() => {
          kernels.trsm(false, 2, 2, ok, ok);
        }),
      ),
    ).toBe(true);
    expect(right(E.right(Array.from(ok)))).toEqual([1, 0, 0, 1]);
  });
});
