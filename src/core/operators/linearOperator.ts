/**
 * Linear operators as data: structured matrices that are applied, never formed.
 *
 * Two levels. A {@link BlockOperator} acts on one array: a Kronecker product A ⊗ G acts on V `[out, in]` as G V Aᵀ, so
 * that (A ⊗ G) vec(V) = vec(G V Aᵀ) with column-stacking vec. A {@link LinearOperator} acts on a block vector, a
 * record of such arrays. Both are plain data that a checkpoint can hold, except `matrixFree`.
 *
 * They live in core, below curvature, because a prepared solve is an operator too and is part of the training state.
 *
 * @module
 */
import type { Params } from '../params.ts';

/** A ⊗ G with A `[in, in]` and G `[out, out]`, on arrays `[out, in]`. */
export interface Kronecker<T> {
  readonly _tag: 'kronecker';
  readonly A: T;
  readonly G: T;
}

/** Elementwise multiplication by `values`, which has the shape of the arrays acted on. */
export interface Diagonal<T> {
  readonly _tag: 'diagonal';
  readonly values: T;
}

/** A full matrix `[n, n]` on the column-stacked elements of an array of n elements. */
export interface Dense<T> {
  readonly _tag: 'dense';
  readonly matrix: T;
}

/** op + λ I. */
export interface DampedBlock<T> {
  readonly _tag: 'damped';
  readonly operator: BlockOperator<T>;
  readonly lambda: number;
}

/** An operator on one array. */
export type BlockOperator<T> = Kronecker<T> | Diagonal<T> | Dense<T> | DampedBlock<T>;

/** ⊕ over named blocks. */
export interface BlockDiagonal<T> {
  readonly _tag: 'blockDiagonal';
  readonly blocks: Readonly<Record<string, BlockOperator<T>>>;
}

/** op + λ I. */
export interface Damped<T> {
  readonly _tag: 'damped';
  readonly operator: LinearOperator<T>;
  readonly lambda: number;
}

/** An operator known by its action only, for example a Gauss–Newton product. Not storable. */
export interface MatrixFree<T> {
  readonly _tag: 'matrixFree';
  readonly apply: (v: Params<T>) => Params<T>;
  readonly applyTranspose: (v: Params<T>) => Params<T>;
}

/** An operator on a block vector. */
export type LinearOperator<T> = BlockDiagonal<T> | Damped<T> | MatrixFree<T>;

/** A ⊗ G. */
export const kronecker = <T>(A: T, G: T): BlockOperator<T> => ({ _tag: 'kronecker', A, G });

/** Elementwise multiplication. */
export const diagonal = <T>(values: T): BlockOperator<T> => ({ _tag: 'diagonal', values });

/** A full matrix. */
export const dense = <T>(matrix: T): BlockOperator<T> => ({ _tag: 'dense', matrix });

/** op + λ I on one array. */
export const dampedBlock = <T>(operator: BlockOperator<T>, lambda: number): BlockOperator<T> => ({
  _tag: 'damped',
  operator,
  lambda,
});

/** ⊕ over named blocks. */
export const blockDiagonal = <T>(blocks: Readonly<Record<string, BlockOperator<T>>>): LinearOperator<T> => ({
  _tag: 'blockDiagonal',
  blocks,
});

/** op + λ I on a block vector. */
export const damped = <T>(operator: LinearOperator<T>, lambda: number): LinearOperator<T> => ({
  _tag: 'damped',
  operator,
  lambda,
});

/** An operator from its action, symmetric unless the transposed action is given. */
export const matrixFree = <T>(
  apply: (v: Params<T>) => Params<T>,
  applyTranspose: (v: Params<T>) => Params<T> = apply,
): LinearOperator<T> => ({ _tag: 'matrixFree', apply, applyTranspose });
