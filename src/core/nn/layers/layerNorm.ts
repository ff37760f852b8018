/**
 * Layer normalisation [BKH16].
 *
 * @module
 */
import type { Ops } from '../../ops/ops.ts';
import type { Shaped } from '../../tensor.ts';
import { centred } from './centred.ts';
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
 * (x − mean) / √(variance + ε) over the last axis, each position by itself.
 *
 * @param ops - interpreter
 * @param x - `[n, …, d]`
 * @param epsilon - ε, greater than 0
 */
export const normaliseLast = <T extends Shaped>(ops: Ops<T>, x: T, epsilon: number): T => {
  const last = x.shape.length - 1;
  const differences = centred(ops, x, [last]);
  const variance = ops.reshape(ops.mean(ops.square(differences), [last]), [...x.shape.slice(0, last), 1]);
  return ops.div(differences, ops.sqrt(ops.add(variance, ops.full([], epsilon))));
};

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
    apply: (ops, params, path, x, at) => affine.apply(ops, params, path, normaliseLast(ops, x, epsilon), at),
  });
};
