/**
 * The first of several that are alike.
 *
 * @module
 */
import type { Ops } from '../ops/ops.ts';
import type { Shaped } from '../tensor.ts';
import { generate } from '../tensor.ts';

/**
 * The first of the marks along the last axis, alone.
 *
 * @param ops - interpreter
 * @param marks - ones and zeros, `[…, C]`
 * @returns a single one where there are any, `[…, C]`
 */
export const firstMarked = <T extends Shaped>(ops: Ops<T>, marks: T): T => {
  const last = marks.shape.length - 1;
  const classes = marks.shape[last];
  const ranks = ops.mul(marks, ops.constant(generate([classes], (c) => classes - c)));
  const top = ops.reshape(ops.max(ranks, [last]), [...marks.shape.slice(0, last), 1]);
  // A rank of ½ is that of nobody.
  return ops.equal(ranks, ops.maximum(top, ops.full([], 0.5)));
};
