/**
 * Layer normalisation [BKH16].
 *
 * @module
 */
import type { Layer } from './layer.ts';
import { leaf } from './layer.ts';
import type { ScaleShiftOptions } from './scaleShift.ts';
import { scaleShift } from './scaleShift.ts';
import { extent, positive } from '../../settings.ts';

/** Settings of {@link layerNorm}. */
export interface LayerNormOptions extends ScaleShiftOptions {
  /** ε, added to the variance; 1e-5 unless given. */
  readonly epsilon?: number;
}

/**
 * γ ⊙ (x − mean) / √(variance + ε) + β over the last axis of x `[n, …, d]`, with the parameters of {@link scaleShift} at
 * the same path.
 *
 * @param options - features, whether to shift, ε
 * @example
 * ```ts
 * import { layerNorm } from 'kfac-ts/core';
 *
 * layerNorm({ features: 4 }).parameters('norm').map(({ path }) => path); // => ['norm.weight', 'norm.bias']
 * ```
 */
export const layerNorm = (options: LayerNormOptions): Layer => {
  const { epsilon: given = 1e-5, ...rest } = options;
  const epsilon = positive('layerNorm.epsilon', given);
  const affine = scaleShift({ ...rest, features: extent('layerNorm.features', options.features) });
  return leaf({
    kind: 'layerNorm',
    label: `layer norm ${options.features}`,
    parameters: affine.parameters,
    apply: (ops, params, path, x, at) => {
      const { values } = ops.standardised(x, [x.shape.length - 1], epsilon);
      return affine.apply(ops, params, path, values, at);
    },
  });
};
