/**
 * Measures besides the loss, each summed over the examples of a batch.
 *
 * @module
 */
import { axesOf } from '../../core/ops/shapes.ts';
import type { Measure } from '../trainer/evaluate.ts';

/** Number of examples whose class has the highest logit, for logits `[n, classes]` and class indices `[n]`. */
export const correct: Measure = (ops, outputs, targets) => {
  const [n, classes] = outputs.shape;
  const isTop = ops.equal(outputs, ops.reshape(ops.max(outputs, [1]), [n, 1]));
  return ops.sum(ops.mul(isTop, ops.oneHot(targets, classes)), [0, 1]);
};

/** Σ (σ(o) − y)², for logits o of grey levels y. */
export const sigmoidSquaredError: Measure = (ops, outputs, targets) =>
  ops.sum(ops.square(ops.sub(ops.sigmoid(outputs), targets)), axesOf(outputs.shape));
