/**
 * KL clip: the step's predicted change of the model's output distribution is bounded [BGK17].
 *
 * ν = min(1, √(κ / (η² ⟨Δ, ∇⟩))). With Δ = F⁻¹∇, η²⟨Δ, ∇⟩ is twice the KL divergence to second order.
 *
 * @module
 */
import { mapParams } from '../../../core/params.ts';
import { innerProduct } from '../../../core/ops/innerProduct.ts';
import type { UpdateRule } from './rule.ts';

/**
 * Scales the direction by ν.
 *
 * @param kappa - the bound κ, greater than 0
 */
export const klClip = (kappa: number): UpdateRule => ({
  name: 'klClip',
  revise: (ops, { direction, gradient, learningRate }) => {
    const size = ops.scale(learningRate ** 2, innerProduct(ops, direction, gradient));
    const floor = ops.full([], Number.MIN_VALUE);
    const ratio = ops.div(ops.full([], kappa), ops.maximum(ops.abs(size), floor));
    const nu = ops.minimum(ops.full([], 1), ops.sqrt(ratio));
    return { direction: mapParams(direction, (d) => ops.mul(nu, d)), metrics: { klScale: nu } };
  },
});
