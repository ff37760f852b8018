/**
 * Gradients of single examples as rows. They assume nothing: what a site adds at several positions of one example is summed
 * before anything is squared.
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import type { Shaped } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';

/**
 * Rows vec(Σ_t g_t a_tᵀ)ᵀ, column-stacked as operators are.
 *
 * @param ops - interpreter
 * @param input - a `[n, …, in]`
 * @param g - `[n, …, out]`
 * @returns `[n, in · out]`
 */
export const outerProducts = <T extends Shaped>(ops: Ops<T>, input: T, g: T): T => {
  const n = input.shape[0];
  const [columns, out] = [input, g].map(({ shape }) => shape[shape.length - 1]);
  const t = sizeOf(input.shape.slice(1, -1));
  const product = ops.matmul(ops.reshape(input, [n, t, columns]), ops.reshape(g, [n, t, out]), { transposeA: true });
  return ops.reshape(product, [n, columns * out]);
};

/**
 * Σ_n V_n² from rows vec(V_n)ᵀ.
 *
 * @param ops - interpreter
 * @param rows - `[n, in · out]`
 * @param out - rows of V_n
 * @returns `[out, in]`
 */
export const squaredRows = <T extends Shaped>(ops: Ops<T>, rows: T, out: number): T => {
  const moments = ops.sum(ops.square(rows), [0]);
  return ops.transposed(ops.reshape(moments, [moments.shape[0] / out, out]));
};
