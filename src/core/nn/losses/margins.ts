/**
 * Losses of scores that have no curvature of their own: the hinge, and the score itself.
 *
 * Both are made of straight pieces, so their Hessian in the outputs is 0 almost everywhere, and no distribution has them for
 * its likelihood. The unit matrix stands in its place, the Hessian of a squared error: curvature then measures how far a step
 * moves the outputs, which is what bounds the steps of a loss that is straight.
 *
 * @module
 */
import type { Ops } from '../../ops/ops.ts';
import type { Key } from '../../random/key.ts';
import { normal } from '../../random/normal.ts';
import type { Shaped } from '../../tensor.ts';
import type { Loss } from './loss.ts';
import { sumPerExample, targetsLike } from './loss.ts';

/** What is drawn where there is no distribution: with a covariance of 1. */
const noise = <T extends Shaped>(ops: Ops<T>, key: Key, outputs: T): T =>
  ops.constant(normal(key, outputs.shape, 'f32'));

/** What both have in place of a curvature: H = I. */
const unit: Pick<Loss, 'sample' | 'score' | 'squareRoot'> = {
  sample: (ops, key, outputs) => ops.add(ops.stopGradient(outputs), noise(ops, key, outputs)),
  score: noise,
  squareRoot: (ops, outputs) => (z) => ops.broadcastTo(z, outputs.shape),
};

const admits: Loss['admits'] = () => ({
  least: -1,
  most: 1,
  isWhole: false,
  expected: 'targets from −1 to 1, for a loss of scores',
  advice: 'Yes is 1 and no is −1.',
});

/**
 * ℓ = Σ max(0, 1 − y o) for scores o and targets y of −1 or 1 of the outputs' shape: nothing is asked of a score that is
 * beyond 1 on its side [LY17]. g = −y where y o is below 1, else 0; H = I stands for the curvature.
 */
export const hinge: Loss = {
  name: 'hinge',
  value: (ops, outputs, targets, weights) => {
    const margins = ops.mul(targetsLike('hinge', outputs, targets), outputs);
    return sumPerExample(ops, ops.maximum(ops.sub(ops.full([], 1), margins), ops.full([], 0)), weights);
  },
  gradient: (ops, outputs, targets) => {
    const margins = ops.mul(targetsLike('hinge', outputs, targets), outputs);
    return ops.neg(ops.mul(targets, ops.greater(ops.full([], 1), margins)));
  },
  hessianProduct: (_ops, outputs, v) => targetsLike('hinge', outputs, v),
  admits,
  ...unit,
};

/**
 * ℓ = −Σ y o for scores o and targets y of the outputs' shape: a score is to be high where y is 1, without end. g = −y; H = I
 * stands for the curvature.
 */
export const linearScore: Loss = {
  name: 'linearScore',
  value: (ops, outputs, targets, weights) =>
    ops.neg(sumPerExample(ops, ops.mul(targetsLike('linearScore', outputs, targets), outputs), weights)),
  gradient: (ops, outputs, targets) => ops.neg(targetsLike('linearScore', outputs, targets)),
  hessianProduct: (_ops, outputs, v) => targetsLike('linearScore', outputs, v),
  admits,
  ...unit,
};
