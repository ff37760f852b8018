/**
 * A loss in other units.
 *
 * @module
 */
import type { Loss } from './loss.ts';
import { scoreOf } from './score.ts';

/**
 * c times a loss: so are its gradient and its Hessian. Drawn gradients are √c times those of the loss, of which E[g gᵀ] = c H
 * holds; targets are drawn as before, so a gradient at one of them is not what curvature is made of.
 *
 * @param c - above 0
 * @param loss - any
 * @example
 * ```ts
 * import { multiplied, referenceBackend, squaredError, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const [outputs, targets] = [tensor([2], [1, 1]), tensor([0], [1, 1])];
 * multiplied(2, squaredError).value(ops, outputs, targets).data; // => [4]
 * ```
 */
export const multiplied = (c: number, loss: Loss): Loss => ({
  ...loss,
  value: (ops, outputs, targets, weights) => ops.scale(c, loss.value(ops, outputs, targets, weights)),
  gradient: (ops, outputs, targets) => ops.scale(c, loss.gradient(ops, outputs, targets)),
  score: (ops, key, outputs) => ops.scale(Math.sqrt(c), scoreOf(ops, loss, key, outputs)),
  hessianProduct: (ops, outputs, v) => ops.scale(c, loss.hessianProduct(ops, outputs, v)),
  squareRoot: (ops, outputs) => {
    const root = loss.squareRoot(ops, outputs);
    return (z) => ops.scale(Math.sqrt(c), root(z));
  },
});
