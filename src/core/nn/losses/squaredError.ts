/**
 * Squared error: minus the log-likelihood of N(outputs, I), up to a constant.
 *
 * @module
 */
import { normal } from '../../random/normal.ts';
import type { Loss } from './loss.ts';
import { sumPerExample, targetsLike } from './loss.ts';

const name = 'squaredError';

/** ℓ = ½ Σ (o − y)² for targets y of the outputs' shape. g = o − y; H = I; y ~ N(o, I). */
export const squaredError: Loss = {
  name,
  value: (ops, outputs, targets, weights) =>
    ops.scale(0.5, sumPerExample(ops, ops.square(ops.sub(outputs, targetsLike(name, outputs, targets))), weights)),
  gradient: (ops, outputs, targets) => ops.sub(outputs, targetsLike(name, outputs, targets)),
  sample: (ops, key, outputs) => ops.add(ops.stopGradient(outputs), ops.constant(normal(key, outputs.shape, 'f32'))),
  hessianProduct: (_ops, outputs, v) => targetsLike(name, outputs, v),
  squareRoot: (ops, outputs) => (z) => ops.broadcastTo(z, outputs.shape),
};
