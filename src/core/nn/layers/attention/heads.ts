/**
 * Features as heads: equal runs of neighbours, each with an attention of its own.
 *
 * Heads of one example stand beside each other as a batch of matrices, which is what products take.
 *
 * @module
 */
import type { Ops } from '../../../ops/ops.ts';
import type { Shaped } from '../../../tensor.ts';

/**
 * Each head as a matrix.
 *
 * @param ops - interpreter
 * @param x - `[n, t, heads · d]`
 * @param heads - number of heads
 * @returns `[n · heads, t, d]`
 */
export const headsOf = <T extends Shaped>(ops: Ops<T>, x: T, heads: number): T => {
  const [n, t, features] = x.shape;
  const apart = ops.reshape(x, [n, t, heads, features / heads]);
  return ops.reshape(ops.transpose(apart, [0, 2, 1, 3]), [n * heads, t, features / heads]);
};

/**
 * The heads side by side again.
 *
 * @param ops - interpreter
 * @param x - `[n · heads, t, d]`
 * @param heads - number of heads
 * @returns `[n, t, heads · d]`
 */
export const fromHeads = <T extends Shaped>(ops: Ops<T>, x: T, heads: number): T => {
  const [rows, t, d] = x.shape;
  const n = rows / heads;
  return ops.reshape(ops.transpose(ops.reshape(x, [n, heads, t, d]), [0, 2, 1, 3]), [n, t, heads * d]);
};
