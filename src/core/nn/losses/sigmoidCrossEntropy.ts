/**
 * Sigmoid cross-entropy: independent yes-or-no targets, summed over features.
 *
 * The value is softplus(o) − y o, which neither overflows nor has a kink. The form relu(o) − y o + softplus(−|o|) saves
 * a few digits of a loss near zero, but its derivative at o = 0 is wrong by ½ wherever relu and abs take a one-sided one.
 *
 * @module
 */
import type { Ops } from '../../ops/ops.ts';
import { uniform } from '../../random/uniform.ts';
import type { Shaped } from '../../tensor.ts';
import type { Loss } from './loss.ts';
import { sumPerExample, targetsLike } from './loss.ts';

const name = 'sigmoidCrossEntropy';

/** p (1 − p) with p = σ(o): the diagonal of H. σ(−o) is 1 − p without cancellation. */
const varianceOf = <T extends Shaped>(ops: Ops<T>, outputs: T): T =>
  ops.mul(ops.sigmoid(outputs), ops.sigmoid(ops.neg(outputs)));

/**
 * ℓ = Σ softplus(o) − y o for logits o and targets y in [0, 1] of the outputs' shape. With p = σ(o): g = p − y;
 * H = diag(p (1 − p)); y ~ Bernoulli(p).
 */
export const sigmoidCrossEntropy: Loss = {
  name,
  value: (ops, outputs, targets, weights) => {
    const chosen = ops.mul(targetsLike(name, outputs, targets), outputs);
    return sumPerExample(ops, ops.sub(ops.softplus(outputs), chosen), weights);
  },
  gradient: (ops, outputs, targets) => ops.sub(ops.sigmoid(outputs), targetsLike(name, outputs, targets)),
  // Draws of 24 bits on every backend, so that all of them draw the same targets.
  sample: (ops, key, outputs) =>
    ops.greater(ops.sigmoid(ops.stopGradient(outputs)), ops.constant(uniform(key, outputs.shape, 'f32'))),
  hessianProduct: (ops, outputs, v) => ops.mul(varianceOf(ops, outputs), targetsLike(name, outputs, v)),
  squareRoot: (ops, outputs) => {
    const deviation = ops.sqrt(varianceOf(ops, outputs));
    return (z) => ops.mul(deviation, z);
  },
};
