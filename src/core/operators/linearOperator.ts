/**
 * Operators on a block vector as data: a record of arrays, one for each block of a model's parameters.
 *
 * All are plain data that a checkpoint can hold; what is known by its action only is an `Action`. They live in core, below
 * curvature, because a prepared solve is an operator too and is part of the training state.
 *
 * @module
 */
import type { BlockOperator } from './blockOperator.ts';
import type { Damped, Scaled, SkewPart, Sum, SymmetricPart } from './composite.ts';

/** ⊕ over named blocks. */
export interface BlockDiagonal<T> {
  readonly _tag: 'blockDiagonal';
  readonly blocks: Readonly<Record<string, BlockOperator<T>>>;
}

/** A ⊗ G from the arrays of one block, `[out′, in′]`, to those of another, `[out, in]`: A `[in, in′]`, G `[out, out′]`. */
export interface Link<T> {
  /** The block that is acted on. */
  readonly from: string;
  /** The block that the result belongs to. */
  readonly to: string;
  readonly A: T;
  readonly G: T;
}

/** ⊕ over named blocks, plus every link and its transpose. */
export interface BlockTridiagonal<T> {
  readonly _tag: 'blockTridiagonal';
  readonly blocks: Readonly<Record<string, BlockOperator<T>>>;
  readonly links: ReadonlyArray<Link<T>>;
}

/**
 * Ξᵀ Λ Ξ with Λ = ⊕ over named blocks and Ξ = I minus every link [MG15 §4.3]: the inverse of a block-tridiagonal
 * curvature.
 */
export interface BlockTridiagonalInverse<T> {
  readonly _tag: 'blockTridiagonalInverse';
  readonly blocks: Readonly<Record<string, BlockOperator<T>>>;
  readonly links: ReadonlyArray<Link<T>>;
}

/** An operator on a block vector. */
export type LinearOperator<T> =
  | BlockDiagonal<T>
  | BlockTridiagonal<T>
  | BlockTridiagonalInverse<T>
  | Damped<LinearOperator<T>>
  | Sum<LinearOperator<T>>
  | Scaled<LinearOperator<T>>
  | SymmetricPart<LinearOperator<T>>
  | SkewPart<LinearOperator<T>>;

/** ⊕ over named blocks. */
export const blockDiagonal = <T>(blocks: Readonly<Record<string, BlockOperator<T>>>): LinearOperator<T> => ({
  _tag: 'blockDiagonal',
  blocks,
});

/**
 * ⊕ over named blocks, plus every link and its transpose.
 *
 * @param blocks - on the diagonal
 * @param links - above it
 */
export const blockTridiagonal = <T>(
  blocks: Readonly<Record<string, BlockOperator<T>>>,
  links: ReadonlyArray<Link<T>>,
): LinearOperator<T> => ({ _tag: 'blockTridiagonal', blocks, links });

/**
 * Ξᵀ Λ Ξ.
 *
 * @param blocks - Λ
 * @param links - I − Ξ; no two to the same block
 */
export const blockTridiagonalInverse = <T>(
  blocks: Readonly<Record<string, BlockOperator<T>>>,
  links: ReadonlyArray<Link<T>>,
): LinearOperator<T> => ({ _tag: 'blockTridiagonalInverse', blocks, links });

/** op + λ I on a block vector. */
export const damped = <T>(operator: LinearOperator<T>, lambda: number): LinearOperator<T> => ({
  _tag: 'damped',
  operator,
  lambda,
});
