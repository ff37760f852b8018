/**
 * Sigmoid cross-entropy: independent yes-or-no targets, summed over features.
 *
 * Where the model is sure and right, softplus(o) − y o and σ(o) − y are differences of equal numbers; the operations that
 * are used here keep the digits of both.
 *
 * @module
 */
import { uniformDown } from '../../random/uniform.ts';
import type { Loss } from './loss.ts';
import { sumPerExample, targetsLike } from './loss.ts';

const name = 'sigmoidCrossEntropy';

/**
 * ℓ = Σ y softplus(−o) + (1 − y) softplus(o) for logits o and targets y in [0, 1] of the outputs' shape, which is
 * softplus(o) − y o. With p = σ(o): g = p − y; H = diag(p (1 − p)); y ~ Bernoulli(p).
 */
export const sigmoidCrossEntropy: Loss = {
  name,
  value: (ops, outputs, targets, weights) =>
    sumPerExample(ops, ops.sigmoidCrossEntropy(outputs, targetsLike(name, outputs, targets)), weights),
  gradient: (ops, outputs, targets) => ops.sigmoidMinus(outputs, targetsLike(name, outputs, targets)),
  // The rarer outcome is drawn, because its probability keeps its digits. Below 0 that is 1, else it is 0.
  sample: (ops, key, outputs) => {
    const constant = ops.stopGradient(outputs);
    const rarer = ops.sigmoid(ops.neg(ops.abs(constant)));
    const isDrawn = ops.greater(rarer, ops.constant(uniformDown(key, outputs.shape)));
    return ops.equal(isDrawn, ops.greater(ops.full([], 0), constant));
  },
  hessianProduct: (ops, outputs, v) =>
    ops.mul(ops.mul(ops.sigmoid(outputs), ops.sigmoid(ops.neg(outputs))), targetsLike(name, outputs, v)),
  // √(p (1 − p)) = e^(−|o|/2) σ(|o|), also where p itself is too small for a number.
  squareRoot: (ops, outputs) => {
    const size = ops.abs(outputs);
    const deviation = ops.mul(ops.exp(ops.scale(-0.5, size)), ops.sigmoid(size));
    return (z) => ops.mul(deviation, z);
  },
  admits: () => ({
    least: 0,
    most: 1,
    isWhole: false,
    expected: `targets from 0 to 1, for ${name}`,
    advice: 'Grey levels of 0 to 255 are divided by 255; targets of −1 and 1 become 0 and 1.',
  }),
};
