/**
 * Gradients of single examples as rows. They assume nothing: what a site adds at several positions of one example is summed
 * before anything is squared.
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import type { Shaped } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';
import type { SharedRows } from './sharing.ts';
import { totalOf } from './statistics.ts';

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
 * Σ_n V_n² over the passes, with V_n = Σ_t g_t a_tᵀ.
 *
 * One position: the sum of g_n² (a_n²)ᵀ is the product (g²)ᵀ a², and no V_n is ever formed. Several: they are summed before
 * they are squared, so the V_n of a pass are formed, n times the memory of the parameter.
 *
 * @param ops - interpreter
 * @param rows - a `[n t, in]` and g `[n t, out]` per pass, every position a row
 * @returns `[out, in]`
 */
export const squaredProducts = <T extends Shaped>(ops: Ops<T>, { input, cotangents, positions }: SharedRows<T>): T => {
  if (positions === 1) {
    const squaredInput = ops.square(input);
    return totalOf(
      ops,
      cotangents.map((g) => ops.matmul(ops.square(g), squaredInput, { transposeA: true })),
    );
  }
  const [rows, columns] = input.shape;
  const inTurn = (x: T): T => ops.reshape(x, [rows / positions, positions, x.shape[1]]);
  const inputs = inTurn(input);
  return totalOf(
    ops,
    cotangents.map((g) => {
      const moments = ops.sum(ops.square(outerProducts(ops, inputs, inTurn(g))), [0]);
      return ops.transposed(ops.reshape(moments, [columns, g.shape[1]]));
    }),
  );
};
