/**
 * Precision and recall of what is made, in a space of features [KKL19]: the share of what is made that lies among the data, and
 * the share of the data that lies among what is made.
 *
 * @module
 */
import { firstMarked } from '../../../core/nn/firstMarked.ts';
import type { Ops } from '../../../core/ops/ops.ts';
import type { Shaped } from '../../../core/tensor.ts';

/** Neighbours that the reach of an example is measured by. */
const neighbours = 3;

/** Larger than any distance. */
const far = 1e30;

/** Squares of distances between features `[n, d]` and `[m, d]`: `[n, m]`. */
const squaredDistances = <T extends Shaped>(ops: Ops<T>, x: T, y: T): T => {
  const norms = (z: T, shape: ReadonlyArray<number>): T => ops.reshape(ops.sum(ops.square(z), [1]), shape);
  const [[n], [m]] = [x.shape, y.shape];
  const products = ops.scale(-2, ops.matmul(x, y, { transposeB: true }));
  return ops.maximum(ops.add(ops.add(products, norms(x, [n, 1])), norms(y, [1, m])), ops.full([], 0));
};

/** The least of each row, `[n, 1]`. */
const leastOf = <T extends Shaped>(ops: Ops<T>, distances: T): T =>
  ops.reshape(ops.neg(ops.max(ops.neg(distances), [1])), [distances.shape[0], 1]);

/**
 * How far each example reaches: the squared distance to its third neighbour among the others, `[n, 1]`.
 *
 * @param ops - interpreter
 * @param features - `[n, d]`, more than three
 * @example
 * ```ts
 * import { generate, referenceBackend } from 'kfac-ts/core';
 * import { reachOf } from 'kfac-ts/pipelines';
 *
 * // Of 0, 1, …, 4 the third neighbour of the first is 3 away, that of the second 2.
 * const { data } = reachOf(referenceBackend().ops, generate([5, 1], (i) => i));
 * [data[0], data[1]]; // => [9, 4]
 * ```
 */
export const reachOf = <T extends Shaped>(ops: Ops<T>, features: T): T => {
  const others = ops.addDiagonal(squaredDistances(ops, features, features), far);
  // The nearest, one of several where they are as near, is put far away, and the next is the nearest.
  const beyond = Array.from({ length: neighbours - 1 }).reduce<T>((left) => {
    const isNear = ops.sub(ops.full([], 1), ops.greater(left, leastOf(ops, left)));
    return ops.select(firstMarked(ops, isNear), ops.full([], far), left);
  }, others);
  return leastOf(ops, beyond);
};

/** The share of examples that some other set reaches, shape `[]`. */
const shareWithin = <T extends Shaped>(ops: Ops<T>, examples: T, others: T, reach: T): T => {
  const isReached = ops.sub(ops.full([], 1), ops.greater(squaredDistances(ops, others, examples), reach));
  return ops.mean(ops.max(isReached, [0]), [0]);
};

/** What is known of a set of examples. */
export interface Reaching<T> {
  /** `[n, d]`. */
  readonly features: T;
  /** `[n, 1]`, as {@link reachOf} gives it. */
  readonly reach: T;
}

/** Shares, each of shape `[]`. */
export interface Overlap<T> {
  readonly precision: T;
  readonly recall: T;
}

/**
 * Precision and recall.
 *
 * @param ops - interpreter
 * @param made - features of what is made, `[n, d]`
 * @param data - of the data, with how far they reach
 * @example
 * ```ts
 * import { generate, referenceBackend } from 'kfac-ts/core';
 * import { overlapOf, reachOf } from 'kfac-ts/pipelines';
 *
 * // The data lie at 0, 1, …, 7, what is made at the first four of them.
 * const { ops } = referenceBackend();
 * const features = generate([8, 1], (i) => i);
 * const made = generate([4, 1], (i) => i);
 * const { precision, recall } = overlapOf(ops, made, { features, reach: reachOf(ops, features) });
 * [precision.data[0], recall.data[0] < 1]; // => [1, true]
 * ```
 */
export const overlapOf = <T extends Shaped>(ops: Ops<T>, made: T, data: Reaching<T>): Overlap<T> => ({
  precision: shareWithin(ops, made, data.features, data.reach),
  recall: shareWithin(ops, data.features, made, reachOf(ops, made)),
});
