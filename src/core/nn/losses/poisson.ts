/**
 * Counts: minus the log-likelihood of a Poisson distribution, up to a constant.
 *
 * @module
 */
import { normal } from '../../random/normal.ts';
import type { Loss } from './loss.ts';
import { sumPerExample, targetsLike } from './loss.ts';

const name = 'poisson';

/**
 * ℓ = Σ e^o − y o for logarithms o of rates, and counts y of the outputs' shape. g = e^o − y; H = diag(e^o). Where the
 * Fisher is sampled, y is normal with the mean and the variance of the Poisson distribution, which is all that E[g gᵀ]
 * depends on; a count takes as many draws as it is large.
 */
export const poisson: Loss = {
  name,
  value: (ops, outputs, targets, weights) =>
    sumPerExample(ops, ops.sub(ops.exp(outputs), ops.mul(targetsLike(name, outputs, targets), outputs)), weights),
  gradient: (ops, outputs, targets) => ops.sub(ops.exp(outputs), targetsLike(name, outputs, targets)),
  sample: (ops, key, outputs) => {
    const constant = ops.stopGradient(outputs);
    const deviation = ops.exp(ops.scale(0.5, constant));
    return ops.add(ops.exp(constant), ops.mul(deviation, ops.constant(normal(key, outputs.shape, 'f32'))));
  },
  hessianProduct: (ops, outputs, v) => ops.mul(ops.exp(outputs), targetsLike(name, outputs, v)),
  squareRoot: (ops, outputs) => {
    const deviation = ops.exp(ops.scale(0.5, outputs));
    return (z) => ops.mul(deviation, z);
  },
  admits: () => ({
    least: 0,
    most: Number.MAX_VALUE,
    isWhole: false,
    expected: `counts of at least 0, for ${name}`,
    advice: 'Repair the example.',
  }),
};
