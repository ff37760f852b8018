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

/** A full matrix. */
export const dense = <T>(matrix: T): Dense<T> => ({ _tag: 'dense', matrix });

/** Elementwise multiplication. */
export const diagonal = <T>(values: T): Diagonal<T> => ({ _tag: 'diagonal', values });

/**
 * I.
 *
 * @param order - n, at least 1
 */
export const identity = (order: number): Identity => ({ _tag: 'identity', order });

/**
 * shift · I + U core Uᵀ.
 *
 * @param U - `[n, r]`
 * @param core - of order r
 * @param shift - multiple of the identity
 */
export const lowRank = <T>(U: T, core: Factor<T>, shift: number): LowRank<T> => ({ _tag: 'lowRank', U, core, shift });

/** (L Lᵀ)⁻¹. */
export const cholesky = <T>(L: T): Cholesky<T> => ({ _tag: 'cholesky', L });

/** ⊕ F_i; one part is itself. */
export const directSum = <T>(parts: ReadonlyArray<Factor<T>>): Factor<T> =>
  parts.length === 1 ? parts[0] : { _tag: 'directSum', parts };

/** ⊕ M_i of full matrices. */
export const directSumOf = <T>(matrices: ReadonlyArray<T>): Factor<T> => directSum(matrices.map((M) => dense(M)));

/** The parts of a direct sum; any other factor is its only part. */
export const partsOf = <T>(factor: Factor<T>): ReadonlyArray<Factor<T>> =>
  factor._tag === 'directSum' ? factor.parts : [factor];

/** n of a factor `[n, n]`. */
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

/**
 * Whether a factor is of some kinds, parts and all.
 *
 * @param factor - any factor
 * @param tags - kinds of what is no direct sum
 */
export const madeOf = <T>(factor: Factor<T>, tags: ReadonlyArray<Factor<T>['_tag']>): boolean =>
  factor._tag === 'directSum' ? factor.parts.every((part) => madeOf(part, tags)) : tags.includes(factor._tag);
