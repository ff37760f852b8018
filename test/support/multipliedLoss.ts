/**
 * A loss in other units.
 *
 * @module
 */
import type { Loss } from '../../src/core/nn/losses/loss.ts';

/**
 * c times a loss. Cotangents at targets that it has drawn itself are √c times those of the loss, so that the expected outer
 * product is the Hessian; such targets are known by their identity.
 *
 * @param c - above 0
 * @param loss - any
 */
export const multiplied = (c: number, loss: Loss): Loss => {
  const drawn = new WeakSet<object>();
  return {
    ...loss,
    value: (ops, outputs, targets, weights) => ops.scale(c, loss.value(ops, outputs, targets, weights)),
    gradient: (ops, outputs, targets) =>
      ops.scale(drawn.has(targets) ? Math.sqrt(c) : c, loss.gradient(ops, outputs, targets)),
    sample: (ops, key, outputs) => {
      const targets = loss.sample(ops, key, outputs);
      drawn.add(targets);
      return targets;
    },
    hessianProduct: (ops, outputs, v) => ops.scale(c, loss.hessianProduct(ops, outputs, v)),
    squareRoot: (ops, outputs) => {
      const root = loss.squareRoot(ops, outputs);
      return (z) => ops.scale(Math.sqrt(c), root(z));
    },
  };
};
