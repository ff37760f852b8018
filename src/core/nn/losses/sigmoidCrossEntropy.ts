/**
 * Sigmoid cross-entropy: independent yes-or-no targets, summed over features.
 *
 * Both outcomes are written out, y softplus(−o) + (1 − y) softplus(o), because softplus(o) − y o is 0 as soon as o is
 * rounded to its softplus, where the model is sure and right. Another way to keep those digits, relu(o) − y o +
 * softplus(−|o|), has one-sided derivatives at 0; these functions are smooth. So with the gradient, where p − y is 0 as
 * soon as p is rounded to 1: (1 − y) p − y (1 − p), with 1 − p = σ(−o).
 *
 * @module
 */
import type { Ops } from '../../ops/ops.ts';
import { uniformDown } from '../../random/uniform.ts';
import type { Shaped } from '../../tensor.ts';
import type { Loss } from './loss.ts';
import { LARGEST, sumPerExample, targetsLike } from './loss.ts';

const name = 'sigmoidCrossEntropy';

/** 1 − x. */
const complement = <T extends Shaped>(ops: Ops<T>, x: T): T => ops.sub(ops.full([], 1), x);

/** y a + (1 − y) b. */
const expectation = <T extends Shaped>(ops: Ops<T>, y: T, a: T, b: T): T =>
  ops.add(ops.mul(y, a), ops.mul(complement(ops, y), b));

/** x, with the largest number in place of ∞, so that 0 times it is 0. */
const bounded = <T extends Shaped>(ops: Ops<T>, x: T): T => ops.minimum(x, ops.full([], LARGEST));

/**
 * ℓ = Σ y softplus(−o) + (1 − y) softplus(o) for logits o and targets y in [0, 1] of the outputs' shape, which is
 * softplus(o) − y o. With p = σ(o): g = p − y; H = diag(p (1 − p)); y ~ Bernoulli(p).
 */
export const sigmoidCrossEntropy: Loss = {
  name,
  value: (ops, outputs, targets, weights) => {
    const [ifOne, ifZero] = [ops.neg(outputs), outputs].map((x) => bounded(ops, ops.softplus(x)));
    return sumPerExample(ops, expectation(ops, targetsLike(name, outputs, targets), ifOne, ifZero), weights);
  },
  gradient: (ops, outputs, targets) => {
    const y = targetsLike(name, outputs, targets);
    const [p, q] = [ops.sigmoid(outputs), ops.sigmoid(ops.neg(outputs))];
    return ops.sub(ops.mul(complement(ops, y), p), ops.mul(y, q));
  },
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
