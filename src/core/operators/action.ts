/**
 * What iterative solvers apply: an operator, or a function.
 *
 * An operator is data, and can be part of a training state. What is known by its action only, for example a Gauss–Newton
 * product, is a function: it is given the operations to compute with, so that what one iteration allocates can be handed
 * back before the next.
 *
 * @module
 */
import { apply } from './apply.ts';
import type { LinearOperator } from './linearOperator.ts';
import type { Ops } from '../ops/ops.ts';
import type { Params } from '../params.ts';
import type { Shaped } from '../tensor.ts';

/** v ↦ A v on block vectors. */
export type Action<T extends Shaped> = (ops: Ops<T>, v: Params<T>) => Params<T>;

/** Anything that can be applied to a block vector. */
export type Applicable<T extends Shaped> = LinearOperator<T> | Action<T>;

/**
 * A v.
 *
 * @param ops - interpreter
 * @param operator - A, as an operator or as a function
 * @param v - block vector
 * @example
 * ```ts
 * import { act, blockDiagonal, diagonal, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * // An operator that is data and one that is a function are used in the same way.
 * const { ops } = referenceBackend();
 * const v = { w: tensor([1, 1], [2]) };
 * act(ops, blockDiagonal({ w: diagonal(tensor([2, 3], [2])) }), v).w.data; // => [2, 3]
 * act(ops, (on, { w }) => ({ w: on.scale(5, w) }), v).w.data; // => [5, 5]
 * ```
 */
export const act = <T extends Shaped>(ops: Ops<T>, operator: Applicable<T>, v: Params<T>): Params<T> =>
  typeof operator === 'function' ? operator(ops, v) : apply(ops, operator, v);

/**
 * x ↦ c x + A x, with a c of each block's own where it is a function of the block's name.
 *
 * @param operator - A
 * @param c - multiple of the identity
 * @example
 * ```ts
 * import { blockDiagonal, diagonal, referenceBackend, shifted, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const damped = shifted(blockDiagonal({ w: diagonal(tensor([2, 3], [2])) }), 0.5);
 * damped(ops, { w: tensor([1, 1], [2]) }).w.data; // => [2.5, 3.5]
 * ```
 */
export const shifted =
  <T extends Shaped>(operator: Applicable<T>, c: number | ((name: string) => number)): Action<T> =>
  (ops, v) => {
    const image = act(ops, operator, v);
    return Object.fromEntries(
      Object.entries(v).map(([name, x]) => {
        const multiple = typeof c === 'number' ? c : c(name);
        return [name, ops.linearCombination(multiple, x, 1, image[name])];
      }),
    );
  };
