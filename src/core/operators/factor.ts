/**
 * Factors: symmetric or general matrices as data, full or low rank plus a multiple of the identity.
 *
 * A low-rank factor is the memory-saving form of a Kronecker factor, or of a whole block. ρ is an array, not a number,
 * so that it can be estimated where the rest is, without reading it back.
 *
 * @module
 */
import type { Ops } from '../ops/ops.ts';
import type { Shaped } from '../tensor.ts';
import { sizeOf } from '../tensor.ts';

/** A matrix `[n, n]`. */
export interface FullFactor<T> {
  readonly _tag: 'full';
  readonly matrix: T;
}

/** U diag(D) Uᵀ + ρ I with U `[n, k]`, D `[k]` and ρ of shape `[]`. U need not be orthonormal. */
export interface LowRankFactor<T> {
  readonly _tag: 'lowRank';
  readonly U: T;
  readonly D: T;
  readonly rho: T;
}

/** A square matrix. */
export type Factor<T> = FullFactor<T> | LowRankFactor<T>;

/** A full matrix `[n, n]`. */
export const full = <T>(matrix: T): FullFactor<T> => ({ _tag: 'full', matrix });

/**
 * U diag(D) Uᵀ + ρ I.
 *
 * @param U - `[n, k]`
 * @param D - `[k]`
 * @param rho - ρ, shape `[]`
 */
export const lowRank = <T>(U: T, D: T, rho: T): LowRankFactor<T> => ({ _tag: 'lowRank', U, D, rho });

/** n of a factor `[n, n]`. */
export const orderOf = <T extends Shaped>(factor: Factor<T>): number =>
  factor._tag === 'full' ? factor.matrix.shape[0] : factor.U.shape[0];

/** Numbers held by a factor. */
export const numbersIn = <T extends Shaped>(factor: Factor<T>): number =>
  factor._tag === 'full' ? sizeOf(factor.matrix.shape) : sizeOf(factor.U.shape) + factor.U.shape[1] + 1;

/** Floating-point operations of one product with a column. */
export const flopsPerColumn = <T extends Shaped>(factor: Factor<T>): number => {
  if (factor._tag === 'full') return 2 * sizeOf(factor.matrix.shape);
  const [n, k] = factor.U.shape;
  return 4 * n * k + k + 2 * n;
};

/** The arrays of a factor. */
export const arraysOfFactor = <T>(factor: Factor<T>): ReadonlyArray<T> =>
  factor._tag === 'full' ? [factor.matrix] : [factor.U, factor.D, factor.rho];

/**
 * F X, or Fᵀ X.
 *
 * @param ops - interpreter
 * @param factor - F `[n, n]`
 * @param x - X `[n, m]`
 * @param transposed - whether Fᵀ acts
 */
export const multiplyLeft = <T extends Shaped>(ops: Ops<T>, factor: Factor<T>, x: T, transposed: boolean): T => {
  if (factor._tag === 'full') return ops.matmul(factor.matrix, x, { transposeA: transposed });
  const { U, D, rho } = factor;
  const inner = ops.mul(ops.reshape(D, [D.shape[0], 1]), ops.matmul(U, x, { transposeA: true }));
  return ops.add(ops.matmul(U, inner), ops.mul(rho, x));
};

/**
 * X Fᵀ, or X F.
 *
 * @param ops - interpreter
 * @param factor - F `[n, n]`
 * @param x - X `[m, n]`
 * @param transposed - whether Fᵀ acts, which gives X F
 */
export const multiplyRight = <T extends Shaped>(ops: Ops<T>, factor: Factor<T>, x: T, transposed: boolean): T => {
  if (factor._tag === 'full') return ops.matmul(x, factor.matrix, { transposeB: !transposed });
  const { U, D, rho } = factor;
  const inner = ops.mul(ops.matmul(x, U), ops.reshape(D, [1, D.shape[0]]));
  return ops.add(ops.matmul(inner, U, { transposeB: true }), ops.mul(rho, x));
};
