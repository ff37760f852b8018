/**
 * Matrices by construction, and norms, for the tests of the portable factorisations.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import type { ReadonlyVector } from '../../../../src/core/tensor.ts';

/** Half the distance from 1 to the next f64. */
export const unitRoundoff = 2 ** -53;

/** The bound of a sum of t rounded terms, relative to the sum of their magnitudes. */
export const gamma = (t: number): number => (t * unitRoundoff) / (1 - t * unitRoundoff);

/** Repeatable entries in [-1, 1]. */
export const entries = (length: number, seed: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed));

/** op(A) op(B), shape [m, n]. */
export const multiply = (
  m: number,
  n: number,
  k: number,
  a: ReadonlyVector,
  b: ReadonlyVector,
  transposeB = false,
  transposeA = false,
): Float64Array => {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i += 1) {
    for (let j = 0; j < n; j += 1) {
      for (let p = 0; p < k; p += 1) {
        c[i * n + j] += a[transposeA ? p * m + i : i * k + p] * b[transposeB ? j * k + p : p * n + j];
      }
    }
  }
  return c;
};

/** The identity. */
export const identity = (n: number): Float64Array =>
  Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));

/** `B Bᵀ + I`: every eigenvalue is at least 1. */
export const positive = (n: number, seed: number): Float64Array => {
  const b = entries(n * n, seed);
  const m = multiply(n, n, n, b, b, true);
  for (let i = 0; i < n; i += 1) m[i * n + i] += 1;
  return m;
};

/** Frobenius norm. */
export const norm = (a: ReadonlyVector): number => Math.sqrt(Array.from(a).reduce((sum, x) => sum + x * x, 0));

/** Largest absolute difference. */
export const distance = (a: ReadonlyVector, b: ReadonlyVector): number =>
  a.length === b.length ? Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0) : Infinity;

/** Orders below, at and beyond multiples of four, from 0. */
export const order: fc.Arbitrary<number> = fc.integer({ min: 0, max: 13 });

/** Picks one of many matrices. */
export const seed: fc.Arbitrary<number> = fc.integer({ min: 0, max: 10_000 });

/** The value of a Right. */
export const right = <L, A>(either: E.Either<L, A>): A => {
  if (E.isRight(either)) return either.right;
  throw new Error(`expected a Right, got ${JSON.stringify(either.left)}`);
};
