/**
 * Differences from a mean.
 *
 * The mean of numbers that are alike is rounded, by as much as they may differ. So it is taken away twice: what the first
 * subtraction leaves is small, and so is the error of its mean. Of equal numbers nothing is left.
 *
 * @module
 */
import type { Ops } from '../../ops/ops.ts';
import type { Shaped } from '../../tensor.ts';

/**
 * x minus its mean over some axes.
 *
 * @param ops - interpreter
 * @param x - an array
 * @param axes - axes of x
 */
export const centred = <T extends Shaped>(ops: Ops<T>, x: T, axes: ReadonlyArray<number>): T => {
  const kept = x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
  const mean = (y: T): T => ops.reshape(ops.mean(y, axes), kept);
  // A constant: derivatives are those of the second subtraction alone.
  const near = ops.sub(x, mean(ops.stopGradient(x)));
  return ops.sub(near, mean(near));
};
