/**
 * Cholesky factor, solve and inverse of symmetric positive definite matrices, in f64.
 *
 * Matrices are padded to multiples of four with the identity, which changes nothing in the rest of the factor or of
 * the inverse, and spares every loop its edges.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { NonFinite, NotPositiveDefinite } from '../../errors.ts';
import type { ReadonlyVector } from '../../tensor.ts';

import { substituteBackward, substituteForward } from './substitution.ts';
import type { Blocked, Tiles } from './tiles/tiles.ts';
import { tilesFor } from './tiles/tiles.ts';

/** Why a matrix has no Cholesky factor. */
export type CholeskyError = NotPositiveDefinite | NonFinite;

const advice = 'Look for what made it so in the input, or raise the damping.';

/** The lower triangle of a matrix [n, n], zero above, the identity in the padding. */
const lowerOf = (tiles: Tiles, n: number, m: ReadonlyVector): Blocked => {
  const l = tiles.blocked(n, n);
  for (let i = 0; i < n; i += 1) {
    const to = i * l.stride;
    const from = i * n;
    for (let j = 0; j <= i; j += 1) l.data[to + j] = m[from + j];
  }
  for (let i = n; i < l.rows; i += 1) l.data[i * l.stride + i] = 1;
  return l;
};

/** The transpose of a lower triangle. */
const transposed = (tiles: Tiles, l: Blocked): Blocked => {
  const u = tiles.blocked(l.rows, l.rows);
  for (let i = 0; i < l.rows; i += 1) {
    for (let j = 0; j <= i; j += 1) u.data[j * u.stride + i] = l.data[i * l.stride + j];
  }
  return u;
};

/** The first n rows and columns. */
const trimmed = (b: Blocked, rows: number, columns: number): Float64Array => {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i += 1) out.set(b.data.subarray(i * b.stride, i * b.stride + columns), i * columns);
  return out;
};

/** Factorises in place. Returns the order of the first pivot that is not a positive number, 0 when all are. */
const factorise = (tiles: Tiles, l: Blocked): number => {
  const { data, stride, rows } = l;
  const { sums } = tiles;
  for (let i = 0; i < rows; i += 4) {
    substituteForward(l, l, i, 0, i, tiles);
    tiles.multiply(l, i, l, i, 0, i);
    for (let r = 0; r < 4; r += 1) {
      const at = (i + r) * stride + i;
      for (let c = 0; c <= r; c += 1) {
        const cr = (i + c) * stride + i;
        let s = data[at + c] - sums[4 * r + c];
        for (let e = 0; e < c; e += 1) s -= data[at + e] * data[cr + e];
        if (c < r) {
          data[at + c] = s / data[cr + c];
        } else {
          if (!(s > 0 && s < Infinity)) {
            data[at + c] = s;
            return i + r + 1;
          }
          data[at + c] = Math.sqrt(s);
        }
      }
    }
  }
  return 0;
};

const factorOf = (where: string, tiles: Tiles, n: number, m: ReadonlyVector): E.Either<CholeskyError, Blocked> => {
  const l = lowerOf(tiles, n, m);
  const order = factorise(tiles, l);
  if (order === 0) return E.right(l);
  const pivot = l.data[(order - 1) * (l.stride + 1)];
  return E.left(
    Number.isFinite(pivot)
      ? { _tag: 'NotPositiveDefinite', where, order }
      : { _tag: 'NonFinite', where, what: `the Cholesky factor at order ${order}`, advice },
  );
};

/** M⁻¹ = VVᵀ with V = L⁻ᵀ, whose rows are the columns of L⁻¹. */
const inverseFromFactor = (tiles: Tiles, n: number, l: Blocked): Float64Array => {
  const { sums } = tiles;
  const v = tiles.blocked(n, n);
  for (let i = 0; i < v.rows; i += 1) v.data[i * v.stride + i] = 1;
  for (let i = 0; i < v.rows; i += 4) substituteForward(l, v, i, i, v.rows, tiles);
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i += 4) {
    for (let j = 0; j <= i; j += 4) {
      tiles.multiply(v, i, v, j, i, v.rows);
      for (let r = 0; r < 4 && i + r < n; r += 1) {
        for (let c = 0; c < 4 && j + c <= i + r; c += 1) {
          out[(i + r) * n + j + c] = sums[4 * r + c];
          out[(j + c) * n + i + r] = sums[4 * r + c];
        }
      }
    }
  }
  return out;
};

/**
 * The Cholesky factor: `L Lᵀ = M`.
 *
 * @param n - order
 * @param m - symmetric positive definite M, shape [n, n]; its lower triangle is read
 * @returns L, shape [n, n], zero above the diagonal; or the order at which M turned out not to be positive definite
 */
export const cholesky = (n: number, m: ReadonlyVector): E.Either<CholeskyError, Float64Array> =>
  pipe(
    factorOf('cholesky', tilesFor([n, n]), n, m),
    E.map((l) => trimmed(l, n, n)),
  );

/**
 * The solution of many systems with one factor: `L Lᵀ X = B`.
 *
 * @param n - order
 * @param columns - number of right-hand sides
 * @param l - L from {@link cholesky}, shape [n, n]
 * @param b - B, shape [n, columns]
 * @returns X, shape [n, columns]
 */
export const choleskySolve = (n: number, columns: number, l: ReadonlyVector, b: ReadonlyVector): Float64Array => {
  const tiles = tilesFor([n, n], [n, n], [columns, n]);
  const factor = lowerOf(tiles, n, l);
  const upper = transposed(tiles, factor);
  const y = tiles.blocked(columns, n);
  for (let i = 0; i < n; i += 1) {
    for (let c = 0; c < columns; c += 1) y.data[c * y.stride + i] = b[i * columns + c];
  }
  for (let row = 0; row < y.rows; row += 4) {
    substituteForward(factor, y, row, 0, factor.rows, tiles);
    substituteBackward(upper, y, row, tiles);
  }
  const x = new Float64Array(n * columns);
  for (let i = 0; i < n; i += 1) {
    for (let c = 0; c < columns; c += 1) x[i * columns + c] = y.data[c * y.stride + i];
  }
  return x;
};

/**
 * The inverse of a symmetric positive definite matrix.
 *
 * @param n - order
 * @param m - M, shape [n, n]; its lower triangle is read
 * @returns M⁻¹, shape [n, n], symmetric bit for bit; or the order at which M turned out not to be positive definite
 */
export const inverse = (n: number, m: ReadonlyVector): E.Either<CholeskyError, Float64Array> => {
  const tiles = tilesFor([n, n], [n, n]);
  return pipe(
    factorOf('inverse', tiles, n, m),
    E.map((l) => inverseFromFactor(tiles, n, l)),
    E.filterOrElse(
      (x) => x.every(Number.isFinite), // the inverse of something tiny overflows
      (): CholeskyError => ({ _tag: 'NonFinite', where: 'inverse', what: 'the inverse', advice }),
    ),
  );
};
