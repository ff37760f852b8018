/**
 * A = S + K: the symmetric and the skew part of an operator.
 *
 * @module
 */
import { applyTranspose } from '../../core/operators/apply.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Action, Applicable } from '../../core/operators/action.ts';
import { act } from '../../core/operators/action.ts';
import { combine } from './vectors.ts';

/** An operator with its parts. */
export interface Splitting<T extends Shaped> {
  /** A = S + K; given by itself because it is cheaper than the sum of its parts. */
  readonly whole: Applicable<T>;
  /** S = (A + Aᵀ) / 2. */
  readonly symmetric: Applicable<T>;
  /** K = (A − Aᵀ) / 2. */
  readonly skew: Applicable<T>;
}

/**
 * The splitting of an operator given by its action and that of its transpose.
 *
 * @param forward - v ↦ A v
 * @param transposed - v ↦ Aᵀ v
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { splittingOf } from 'kfac-ts/solvers';
 *
 * // A rotation is its own skew part.
 * const { ops } = referenceBackend();
 * const turn = tensor([0, -1, 1, 0], [2, 2]);
 * const parts = splittingOf<typeof turn>(
 *   (on, { w }) => ({ w: on.matmul(turn, w) }),
 *   (on, { w }) => ({ w: on.matmul(turn, w, { transposeA: true }) }),
 * );
 * const { skew } = parts;
 * typeof skew === 'function' ? skew(ops, { w: tensor([1, 0], [2, 1]) }).w.data : []; // => [0, 1]
 * ```
 */
export const splittingOf = <T extends Shaped>(forward: Applicable<T>, transposed: Applicable<T>): Splitting<T> => {
  const part =
    (sign: number): Action<T> =>
    (ops, v) =>
      combine(ops, 0.5, act(ops, forward, v), 0.5 * sign, act(ops, transposed, v));
  return { whole: forward, symmetric: part(1), skew: part(-1) };
};

/**
 * The splitting of an operator that is data.
 *
 * @param operator - A
 * @example
 * ```ts
 * import { blockDiagonal, denseOperator, tensor } from 'kfac-ts/core';
 * import { splittingOfOperator } from 'kfac-ts/solvers';
 *
 * const { symmetric, skew } = splittingOfOperator(blockDiagonal({ w: denseOperator(tensor([1, 4, 0, 3], [2, 2])) }));
 * ```
 */
export const splittingOfOperator = <T extends Shaped>(operator: LinearOperator<T>): Splitting<T> =>
  splittingOf(operator, (ops, v) => applyTranspose(ops, operator, v));
