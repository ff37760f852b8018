/**
 * Factors: square matrices as data, which operators are put together from.
 *
 * A factor is a matrix, a diagonal, the identity, low rank plus a multiple of the identity, the inverse of a matrix by its
 * Cholesky factor, or a direct sum of factors. What can be done with one is in this folder, each thing written once, so a
 * Kronecker product of any two of them needs no kind of its own.
 *
 * @module
 */
import type { Shaped } from '../../tensor.ts';
import { sizeOf } from '../../tensor.ts';

/** A full matrix `[n, n]`. */
export interface Dense<T> {
  readonly _tag: 'dense';
  readonly matrix: T;
}

/** diag(values) with values `[n]`. As an operator on one array the values have that array's shape. */
export interface Diagonal<T> {
  readonly _tag: 'diagonal';
  readonly values: T;
}

/** The identity, which is never formed. */
export interface Identity {
  readonly _tag: 'identity';
  readonly order: number;
}

/** shift · I + U core Uᵀ, with U `[n, r]` and a core of order r. */
export interface LowRank<T> {
  readonly _tag: 'lowRank';
  readonly U: T;
  readonly core: Factor<T>;
  readonly shift: number;
}

/**
 * (L Lᵀ)⁻¹ with L `[n, n]` a lower triangle. It acts by triangular solves, which are the business of a backend: `applyOn`
 * does them, while products refuse it.
 */
export interface Cholesky<T> {
  readonly _tag: 'cholesky';
  readonly L: T;
}

/** ⊕ F_i, at least one: blocks along the diagonal. */
export interface DirectSum<T> {
  readonly _tag: 'directSum';
  readonly parts: ReadonlyArray<Factor<T>>;
}

/** A square matrix. */
export type Factor<T> = Dense<T> | Diagonal<T> | Identity | LowRank<T> | Cholesky<T> | DirectSum<T>;

/**
 * A full matrix.
 *
 * @example
 * ```ts
 * import { applyBlock, denseOperator, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * applyBlock(ops, denseOperator(tensor([1, 2, 3, 4], [2, 2])), tensor([1, 0], [2])).data; // => [1, 3]
 * ```
 */
export const dense = <T>(matrix: T): Dense<T> => ({ _tag: 'dense', matrix });

/**
 * Elementwise multiplication.
 *
 * @example
 * ```ts
 * import { applyBlock, diagonal, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * applyBlock(ops, diagonal(tensor([2, 3], [2])), tensor([5, 5], [2])).data; // => [10, 15]
 * ```
 */
export const diagonal = <T>(values: T): Diagonal<T> => ({ _tag: 'diagonal', values });

/**
 * I.
 *
 * @param order - n, at least 1
 * @example
 * ```ts
 * import { applyBlock, identityOperator, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * applyBlock(ops, identityOperator(2), tensor([3, 4], [2])).data; // => [3, 4]
 * ```
 */
export const identity = (order: number): Identity => ({ _tag: 'identity', order });

/**
 * shift · I + U core Uᵀ.
 *
 * @param U - `[n, r]`
 * @param core - of order r
 * @param shift - multiple of the identity
 * @example
 * ```ts
 * import { applyBlock, diagonal, lowRank, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * // 3 u uᵀ + ½ I with u the first unit vector.
 * const { ops } = referenceBackend();
 * const operator = lowRank(tensor([1, 0], [2, 1]), diagonal(tensor([3], [1])), 0.5);
 * applyBlock(ops, operator, tensor([1, 1], [2])).data; // => [3.5, 0.5]
 * ```
 */
export const lowRank = <T>(U: T, core: Factor<T>, shift: number): LowRank<T> => ({ _tag: 'lowRank', U, core, shift });

/**
 * (L Lᵀ)⁻¹.
 *
 * @example
 * ```ts
 * import { cholesky, diagonal, kronecker, tensor } from 'kfac-ts/core';
 *
 * // (L Lᵀ)⁻¹ ⊗ diag(d), as an inverse keeps it.
 * const L = tensor([2, 0, 1, 1], [2, 2]);
 * const operator = kronecker(cholesky(L), diagonal(tensor([0.5], [1])));
 * ```
 */
export const cholesky = <T>(L: T): Cholesky<T> => ({ _tag: 'cholesky', L });

/**
 * ⊕ F_i; one part is itself.
 *
 * @example
 * ```ts
 * import { denseOperator, diagonal, directSum, orderOf, tensor } from 'kfac-ts/core';
 *
 * const blocks = directSum([denseOperator(tensor([1, 2, 2, 5], [2, 2])), diagonal(tensor([1, 1, 1], [3]))]);
 * orderOf(blocks); // => 5
 * ```
 */
export const directSum = <T>(parts: ReadonlyArray<Factor<T>>): Factor<T> =>
  parts.length === 1 ? parts[0] : { _tag: 'directSum', parts };

/** ⊕ M_i of full matrices. */
export const directSumOf = <T>(matrices: ReadonlyArray<T>): Factor<T> => directSum(matrices.map((M) => dense(M)));

/** The parts of a direct sum; any other factor is its only part. */
export const partsOf = <T>(factor: Factor<T>): ReadonlyArray<Factor<T>> =>
  factor._tag === 'directSum' ? factor.parts : [factor];

/**
 * n of a factor `[n, n]`.
 *
 * @example
 * ```ts
 * import { diagonal, orderOf, tensor } from 'kfac-ts/core';
 *
 * orderOf(diagonal(tensor([1, 2, 3], [3]))); // => 3
 * ```
 */
export const orderOf = <T extends Shaped>(factor: Factor<T>): number => {
  switch (factor._tag) {
    case 'dense':
      return factor.matrix.shape[0];
    case 'diagonal':
      return sizeOf(factor.values.shape);
    case 'identity':
      return factor.order;
    case 'lowRank':
      return factor.U.shape[0];
    case 'cholesky':
      return factor.L.shape[0];
    case 'directSum':
      return factor.parts.reduce((sum, part) => sum + orderOf(part), 0);
  }
};
