/**
 * Norms of arrays whose squares no precision loses: those of 1e20 and of 1e-30 are none in 32 bits.
 *
 * It takes three passes where a norm takes one, so it is for rules whose norm is the point of them.
 *
 * @module
 */
import type { Ops } from '../../../core/ops/ops.ts';
import { axesOf } from '../../../core/ops/shapes.ts';
import type { Params } from '../../../core/params.ts';
import { mapParams } from '../../../core/params.ts';
import type { Shaped } from '../../../core/tensor.ts';

/** Arrays as s times what is at most 1: s, and ‖x‖ / s, which is 0 only where x is. */
export interface Measured<T> {
  readonly scale: T;
  readonly norm: T;
}

/**
 * The size of the largest element of some arrays, 1 where all are 0: what they are divided by before they are squared.
 *
 * @param ops - interpreter
 * @param arrays - any
 * @returns a scalar above 0
 */
export const largestOf = <T extends Shaped>(ops: Ops<T>, arrays: ReadonlyArray<T>): T => {
  const zero = ops.full([], 0);
  const largest = arrays.map((x) => ops.max(ops.abs(x), axesOf(x.shape))).reduce((a, b) => ops.maximum(a, b), zero);
  return ops.select(ops.greater(largest, zero), largest, ops.full([], 1));
};

/**
 * The norm of all arrays together, in two parts.
 *
 * @param ops - interpreter
 * @param arrays - any
 */
export const measured = <T extends Shaped>(ops: Ops<T>, arrays: ReadonlyArray<T>): Measured<T> => {
  const scale = largestOf(ops, arrays);
  const squares = arrays.map((x) => ops.div(x, scale)).map((x) => ops.dot(x, x));
  return { scale, norm: ops.sqrt(squares.reduce((a, b) => ops.add(a, b), ops.full([], 0))) };
};

/**
 * Arrays times what makes their norm together 1; zeros, which have no direction, stay.
 *
 * @param ops - interpreter
 * @param params - any
 */
export const unit = <T extends Shaped>(ops: Ops<T>, params: Params<T>): Params<T> => {
  const { scale, norm } = measured(ops, Object.values(params));
  const length = ops.select(ops.equal(norm, ops.full([], 0)), ops.full([], 1), norm);
  return mapParams(params, (x) => ops.div(ops.div(x, scale), length));
};
