/**
 * Per-example gradients of a site, one row each: for small models and for tests.
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import type { SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { homogeneous } from './dense.ts';

/**
 * Rows vec(V_n)ᵀ with V_n = g_n ā_nᵀ, column-stacked as operators are.
 *
 * @param ops - interpreter
 * @param capture - what the site saw
 * @returns `[n, (in + 1) out]` for each pass
 */
export const perExampleGradients = <T extends Shaped>(ops: Ops<T>, capture: SiteCapture<T>): ReadonlyArray<T> => {
  const input = homogeneous(ops, capture);
  const [n, columns] = input.shape;
  return capture.cotangents.map((g) => {
    const out = g.shape[1];
    const product = ops.mul(ops.reshape(input, [n, columns, 1]), ops.reshape(g, [n, 1, out]));
    return ops.reshape(product, [n, columns * out]);
  });
};
