/**
 * Measures besides the loss, each summed over the examples of a batch.
 *
 * @module
 */
import { axesOf } from '../../core/ops/shapes.ts';
import type { Measure } from '../trainer/evaluate.ts';

/**
 * Number of examples whose class has the highest logit, for logits `[n, classes]` and class indices `[n]`.
 *
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { correct } from 'kfac-ts/pipelines';
 *
 * const { ops } = referenceBackend();
 * const logits = tensor([2, 1, 0, 3], [2, 2]);
 * correct(ops, logits, tensor([0, 0], [2], 'i32')).data; // => [1]
 * ```
 */
export const correct: Measure = (ops, outputs, targets) => {
  const [n, classes] = outputs.shape;
  const isTop = ops.equal(outputs, ops.reshape(ops.max(outputs, [1]), [n, 1]));
  return ops.sum(ops.mul(isTop, ops.oneHot(targets, classes)), [0, 1]);
};

/**
 * Σ (σ(o) − y)², for logits o of grey levels y.
 *
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { sigmoidSquaredError } from 'kfac-ts/pipelines';
 *
 * const { ops } = referenceBackend();
 * sigmoidSquaredError(ops, tensor([0], [1, 1]), tensor([1], [1, 1])).data; // => [0.25]
 * ```
 */
export const sigmoidSquaredError: Measure = (ops, outputs, targets) =>
  ops.sum(ops.square(ops.sub(ops.sigmoid(outputs), targets)), axesOf(outputs.shape));
