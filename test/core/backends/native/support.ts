/**
 * What the tests of the native kernels share: both precisions as one table, matrices, and rounding-error bounds.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import type { Kernels, NativeKernels } from '../../../../src/core/backends/native/kernels.ts';
import { openNativeKernels } from '../../../../src/core/backends/native/kernels.ts';
import type { Precision, Vector } from '../../../../src/core/backends/host/kernels/precision.ts';
import { f32, f64 } from '../../../../src/core/backends/host/kernels/precision.ts';
import type { ReadonlyVector } from '../../../../src/core/tensor.ts';

/** A precision under test. */
export interface Subject {
  readonly native: NativeKernels;
  readonly kernels: Kernels;
  readonly precision: Precision;
  /** Distance from 1 to the next number. */
  readonly epsilon: number;
}

/**
 * Describes the native kernels in both precisions. On a machine without a BLAS the typed error is the behaviour, and
 * that is tested instead; where `KFAC_REQUIRE_BLAS` is set (continuous integration), its absence is a failure.
 */
export const describeNative = (name: string, body: (subject: Subject) => void): void => {
  const opened = openNativeKernels();
  if (E.isLeft(opened)) {
    describe(name, () => {
      it('has no BLAS on this machine, and says how to get one', () => {
        expect(process.env['KFAC_REQUIRE_BLAS']).toBeUndefined();
        expect(opened.left).toMatchObject({ _tag: 'BackendUnavailable', backend: 'native' });
        expect(opened.left.advice).toContain('KFAC_BLAS');
      });
    });
    return;
  }
  const native = opened.right;
  describe(`${name} f32`, () => {
    body({ native, kernels: native.f32, precision: f32, epsilon: 2 ** -23 });
  });
  describe(`${name} f64`, () => {
    body({ native, kernels: native.f64, precision: f64, epsilon: 2 ** -52 });
  });
};

/** Values in a precision. */
export const vector = (precision: Precision, values: ArrayLike<number>): Vector => {
  const out = precision.zeros(values.length);
  out.set(values);
  return out;
};

/** Vectors of a length with entries in [-1, 1] that have at least the magnitude 1e-6, or are 0. */
export const vectorOf = (precision: Precision, length: number): fc.Arbitrary<Vector> =>
  fc.array(fc.integer({ min: -1_000_000, max: 1_000_000 }), { minLength: length, maxLength: length }).map((xs) =>
    vector(
      precision,
      xs.map((x) => x / 1_000_000),
    ),
  );

/** Element of op(A), where A is row-major with a row stride. */
export const at = (a: ReadonlyVector, stride: number, transposed: boolean, row: number, column: number): number =>
  transposed ? a[column * stride + row] : a[row * stride + column];

/** `op(A) op(B)` in f64, by definition. */
export const multiply = (
  transA: boolean,
  transB: boolean,
  m: number,
  n: number,
  k: number,
  a: ReadonlyVector,
  lda: number,
  b: ReadonlyVector,
  ldb: number,
): Float64Array => {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i += 1) {
    for (let j = 0; j < n; j += 1) {
      for (let p = 0; p < k; p += 1) c[i * n + j] += at(a, lda, transA, i, p) * at(b, ldb, transB, p, j);
    }
  }
  return c;
};

/** `B Bᵀ + I`, shape [n, n], exactly symmetric: every eigenvalue is between 1 and 1 + n². */
export const positiveOf = (precision: Precision, n: number): fc.Arbitrary<Vector> =>
  vectorOf(precision, n * n).map((b) => {
    const m = multiply(false, true, n, n, n, b, n, b, n);
    for (let i = 0; i < n; i += 1) m[i * n + i] += 1;
    return vector(precision, m);
  });

/** `(B + Bᵀ) / 2`, shape [n, n]. */
export const symmetricOf = (precision: Precision, n: number): fc.Arbitrary<Vector> =>
  vectorOf(precision, n * n).map((b) =>
    vector(
      precision,
      b.map((x, i) => (x + b[(i % n) * n + Math.floor(i / n)]) / 2),
    ),
  );

/** Frobenius norm. */
export const norm = (a: ReadonlyVector): number => Math.sqrt(Array.from(a).reduce((sum, x) => sum + x * x, 0));

/** Largest absolute difference. */
export const distance = (a: ReadonlyVector, b: ReadonlyVector): number =>
  a.length === b.length ? Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0) : Infinity;

/** The identity of order n. */
export const identity = (n: number): Float64Array =>
  Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));

/** The value of a Right. */
export const right = <L, A>(either: E.Either<L, A>): A => {
  if (E.isRight(either)) return either.right;
  throw new Error(`expected a Right, got ${JSON.stringify(either.left)}`);
};
