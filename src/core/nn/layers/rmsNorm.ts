/**
 * Normalisation by the root of the mean square [ZS19].
 *
 * @module
 */
import type { Layer } from './layer.ts';
import { leaf } from './layer.ts';
import { requireFeatures, scaleShift } from './scaleShift.ts';
import { extent, positive } from '../../settings.ts';

/** Settings of {@link rmsNorm}. */
export interface RmsNormOptions {
  /** Extent of the last axis. */
  readonly features: number;
  /** ε, added to the mean square; 1e-5 unless given. */
  readonly epsilon?: number;
}

/**
 * γ ⊙ x / √(mean x² + ε), the mean over the last axis: x `[n, …, features]` to the same shape. Parameter `weight` γ (ones)
 * `[features]`.
 *
 * @param options - extent and ε
 * @example
 * ```ts
 * import { evaluating, referenceBackend, rmsNorm, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const x = tensor([3, -3], [1, 2]);
 * const params = { weight: tensor([1, 2], [2]) };
 * const y = rmsNorm({ features: 2, epsilon: 1e-12 }).apply(ops, params, '', x, evaluating({}));
 * Array.from(y.data, Math.round); // => [1, -2]
 * ```
 */
export const rmsNorm = (options: RmsNormOptions): Layer => {
  const epsilon = positive('rmsNorm.epsilon', options.epsilon ?? 1e-5);
  const features = extent('rmsNorm.features', options.features);
  const gain = scaleShift({ features, shift: false });
  return leaf({
    kind: 'rmsNorm',
    label: `rms norm ${features}`,
    parameters: gain.parameters,
    apply: (ops, params, path, x, at) => {
      requireFeatures('rmsNorm', path, x, features);
      const last = x.shape.length - 1;
      const square = ops.reshape(ops.mean(ops.square(x), [last]), [...x.shape.slice(0, last), 1]);
      const normalised = ops.div(x, ops.sqrt(ops.add(square, ops.full([], epsilon))));
      return gain.apply(ops, params, path, normalised, at);
    },
  });
};
