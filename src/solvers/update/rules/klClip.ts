/**
 * KL clip: the step's predicted change of the model's output distribution is bounded [BGK17].
 *
 * ν = min(1, √(κ / (η² ⟨Δ, ∇⟩))). With Δ = F⁻¹∇, η²⟨Δ, ∇⟩ is twice the KL divergence to second order. It is computed as
 * √κ / max(η √⟨Δ, ∇⟩, √κ), with the sizes of Δ and ∇ apart: η² would be infinite in f32 from η = 1.9e19 on, as would the
 * product of elements of that size, and no step would be taken.
 *
 * @module
 */
import { innerProduct } from '../../../core/ops/innerProduct.ts';
import type { Ops } from '../../../core/ops/ops.ts';
import type { Params } from '../../../core/params.ts';
import { mapParams } from '../../../core/params.ts';
import type { Shaped } from '../../../core/tensor.ts';
import type { Measured } from './measured.ts';
import { largestOf } from './measured.ts';
import { withinBoundOf } from './withinBound.ts';
import type { UpdateRule } from './rule.ts';
import { rule } from './rule.ts';

/** √|⟨Δ, ∇⟩| of arrays of any size: each as s times what is at most 1. */
const rootOfProduct = <T extends Shaped>(ops: Ops<T>, direction: Params<T>, gradient: Params<T>): Measured<T> => {
  const [ofDirection, ofGradient] = [direction, gradient].map((x) => largestOf(ops, Object.values(x)));
  const product = innerProduct(
    ops,
    mapParams(direction, (d) => ops.div(d, ofDirection)),
    mapParams(gradient, (g) => ops.div(g, ofGradient)),
  );
  return {
    // A root each: the product of both may be too large for the precision.
    scale: ops.mul(ops.sqrt(ofDirection), ops.sqrt(ofGradient)),
    norm: ops.sqrt(ops.abs(product)),
  };
};

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
      const { scale, norm } = rootOfProduct(ops, direction, gradient);
      // η is shared out, since either with all of it may be beyond the precision.
      const root = Math.sqrt(Math.abs(learningRate));
      const nu = withinBoundOf(ops, Math.sqrt(kappa), { scale: ops.scale(root, scale), norm: ops.scale(root, norm) });
      return { direction: mapParams(direction, (d) => ops.mul(nu, d)), metrics: { klScale: nu } };
    },
  });
