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

/** D F D with D = ⊕ diag(d): F in other units of the blocks' arrays. */
export interface Congruent<T> {
  readonly _tag: 'congruent';
  readonly operator: LinearOperator<T>;
  /** d by block name: `[1, in]` of a block made of Kronecker products, in the block's shape elsewhere. */
  readonly scales: Readonly<Record<string, T>>;
}

/** An operator on a block vector. */
export type LinearOperator<T> =
  | BlockDiagonal<T>
  | BlockTridiagonal<T>
  | BlockTridiagonalInverse<T>
  | Congruent<T>
  | Damped<LinearOperator<T>>
  | Sum<LinearOperator<T>>
  | Scaled<LinearOperator<T>>
  | SymmetricPart<LinearOperator<T>>
  | SkewPart<LinearOperator<T>>;

/**
 * ⊕ over named blocks.
 *
 * @example
 * ```ts
 * import { apply, blockDiagonal, diagonal, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const operator = blockDiagonal({ weight: diagonal(tensor([2], [1])), bias: diagonal(tensor([3], [1])) });
 * apply(ops, operator, { weight: tensor([1], [1]), bias: tensor([1], [1]) }).bias.data; // => [3]
 * ```
 */
export const blockDiagonal = <T>(blocks: Readonly<Record<string, BlockOperator<T>>>): LinearOperator<T> => ({
  _tag: 'blockDiagonal',
  blocks,
});

/**
 * ⊕ over named blocks, plus every link and its transpose.
 *
 * @param blocks - on the diagonal
 * @param links - above it
 * @example
 * ```ts
 * import { apply, blockTridiagonal, diagonal, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * // [[2, 1], [1, 3]] on two blocks of one number each.
 * const { ops } = referenceBackend();
 * const one = tensor([1], [1, 1]);
 * const blocks = { x: diagonal(tensor([2], [1, 1])), y: diagonal(tensor([3], [1, 1])) };
 * const operator = blockTridiagonal(blocks, [{ from: 'x', to: 'y', A: one, G: one }]);
 * apply(ops, operator, { x: one, y: one }).y.data; // => [4]
 * ```
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
 * @example
 * ```ts
 * import { apply, blockTridiagonalInverse, diagonal, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * // [[2, 1], [1, 3]]⁻¹: a third of y is subtracted from x, which leaves 2 − 1/3.
 * const { ops } = referenceBackend();
 * const link = { from: 'y', to: 'x', A: tensor([1 / 3], [1, 1]), G: tensor([1], [1, 1]) };
 * const blocks = { x: diagonal(tensor([3 / 5], [1, 1])), y: diagonal(tensor([1 / 3], [1, 1])) };
 * const v = { x: tensor([5], [1, 1]), y: tensor([0], [1, 1]) };
 * Math.round(apply(ops, blockTridiagonalInverse(blocks, [link]), v).x.data[0]); // => 3
 * ```
 */
export const blockTridiagonalInverse = <T>(
  blocks: Readonly<Record<string, BlockOperator<T>>>,
  links: ReadonlyArray<Link<T>>,
): LinearOperator<T> => ({ _tag: 'blockTridiagonalInverse', blocks, links });

/**
 * op + λ I on a block vector.
 *
 * @example
 * ```ts
 * import { apply, blockDiagonal, damped, diagonal, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const operator = damped(blockDiagonal({ w: diagonal(tensor([2, 3], [2])) }), 0.1);
 * apply(ops, operator, { w: tensor([10, 10], [2]) }).w.data; // => [21, 31]
 * ```
 */
export const damped = <T>(operator: LinearOperator<T>, lambda: number): LinearOperator<T> => ({
  _tag: 'damped',
  operator,
  lambda,
});

/**
 * D F D with D = ⊕ diag(d).
 *
 * @param operator - F
 * @param scales - d by block name: `[1, in]` of a block made of Kronecker products, in the block's shape elsewhere
 * @example
 * ```ts
 * import { apply, blockDiagonal, congruent, diagonal, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const operator = congruent(blockDiagonal({ w: diagonal(tensor([2, 3], [2])) }), { w: tensor([10, 1], [2]) });
 * apply(ops, operator, { w: tensor([1, 1], [2]) }).w.data; // => [200, 3]
 * ```
 */
export const congruent = <T>(operator: LinearOperator<T>, scales: Readonly<Record<string, T>>): LinearOperator<T> => ({
  _tag: 'congruent',
  operator,
  scales,
});
