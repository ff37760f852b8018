/**
 * KL clip: the step's predicted change of the model's output distribution is bounded [BGK17].
 *
 * ν = min(1, √(κ / (η² ⟨Δ, ∇⟩))). With Δ = F⁻¹∇, η²⟨Δ, ∇⟩ is twice the KL divergence to second order. It is computed as
 * √κ / max(η √⟨Δ, ∇⟩, √κ): η² would be infinite in f32 from η = 1.9e19 on, and no step would be taken.
 *
 * @module
 */
import { mapParams } from '../../../core/params.ts';
import { innerProduct } from '../../../core/ops/innerProduct.ts';
import { withinBound } from './withinBound.ts';
import type { UpdateRule } from './rule.ts';
import { rule } from './rule.ts';

/**
 * Scales the direction by ν.
 *
 * @param kappa - the bound κ, greater than 0
 * @example
 * ```ts
 * import { klClip, momentum, update } from 'kfac-ts/solvers';
 *
 * const move = update({ learningRate: 1, rules: [klClip(1), momentum(0.9)] });
 * ```
 */
export const klClip = (kappa: number): UpdateRule =>
  rule({
    name: 'klClip',
    remembers: {},
    revise: (ops, { direction, gradient, learningRate }) => {
      const root = ops.sqrt(ops.abs(innerProduct(ops, direction, gradient)));
      const nu = withinBound(ops, Math.sqrt(kappa), ops.scale(Math.abs(learningRate), root));
      return { direction: mapParams(direction, (d) => ops.mul(nu, d)), metrics: { klScale: nu } };
    },
  });
