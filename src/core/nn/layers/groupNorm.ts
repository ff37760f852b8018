/**
 * Group normalisation [WH18].
 *
 * @module
 */
import { raise } from '../../errors.ts';
import { sizeOf } from '../../tensor.ts';
import type { Layer } from './layer.ts';
import { leaf } from './layer.ts';
import type { ScaleShiftOptions } from './scaleShift.ts';
import { requireFeatures, scaleShift } from './scaleShift.ts';
import { extent, positive } from '../../settings.ts';

/** Settings of {@link groupNorm}. */
export interface GroupNormOptions extends ScaleShiftOptions {
  /** Runs of features that are normalised together; a divisor of their number. */
  readonly groups: number;
  /** ε, added to the variance; 1e-5 unless given. */
  readonly epsilon?: number;
}

/**
 * γ ⊙ (x − mean) / √(variance + ε) + β, the mean and the variance over all positions of one example and one run of features: x
 * `[n, …, features]` to the same shape. Parameters `weight` γ (ones) and `bias` β (zeros), `[features]`.
 *
 * @param options - extents and ε
 * @example
 * ```ts
 * import { evaluating, groupNorm, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * // Two groups of one feature each, over two positions.
 * const { ops } = referenceBackend();
 * const x = tensor([1, 10, 3, 30], [1, 2, 2]);
 * const params = { weight: tensor([1, 1], [2]), bias: tensor([0, 0], [2]) };
 * const layer = groupNorm({ features: 2, groups: 2, epsilon: 1e-12 });
 * Array.from(layer.apply(ops, params, '', x, evaluating({})).data, Math.round); // => [-1, -1, 1, 1]
 * ```
 */
export const groupNorm = (options: GroupNormOptions): Layer => {
  const { epsilon: given = 1e-5, groups, ...rest } = options;
  const epsilon = positive('groupNorm.epsilon', given);
  const features = extent('groupNorm.features', options.features);
  if (features % extent('groupNorm.groups', groups) !== 0) {
    raise({
      _tag: 'BadConfig',
      path: 'groupNorm.groups',
      expected: `groups that divide ${features} features`,
      actual: String(groups),
    });
  }
  const affine = scaleShift({ ...rest, features });
  return leaf({
    kind: 'groupNorm',
    label: `group norm ${features}, ${groups} groups`,
    parameters: affine.parameters,
    apply: (ops, params, path, x, at) => {
      requireFeatures('groupNorm', path, x, features);
      const [n] = x.shape;
      const positions = sizeOf(x.shape.slice(1, -1));
      const apart = ops.reshape(x, [n, positions, groups, features / groups]);
      const { values } = ops.standardised(apart, [1, 3], epsilon);
      return affine.apply(ops, params, path, ops.reshape(values, x.shape), at);
    },
  });
};
