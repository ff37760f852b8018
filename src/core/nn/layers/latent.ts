/**
 * What a generator makes things out of: noise.
 *
 * @module
 */
import { keyOf } from '../../random/key.ts';
import { normal } from '../../random/normal.ts';
import { extent } from '../../settings.ts';
import { keyAt } from './circumstances.ts';
import type { Layer } from './layer.ts';
import { leaf } from './layer.ts';

/** Settings of {@link latent}. */
export interface LatentOptions {
  /** Numbers that one example is made of. */
  readonly features: number;
}

/**
 * Standard normal numbers `[n, features]`, for as many examples n as come in; of what comes in nothing else is looked at. In
 * training they are those of the step's key and the layer's path, so all networks of a step that have the layer at one path see
 * the same; in evaluation they are always the same, the first few of many being those of few, so that what is made of them can
 * be watched as it changes.
 *
 * @param options - extent
 * @example
 * ```ts
 * import { dense, evaluating, latent, model, referenceBackend, sequential, tensor } from 'kfac-ts/core';
 *
 * // Two points in the plane, each made of one number.
 * const generator = model('generator', [2], sequential([latent({ features: 1 }), dense({ in: 1, out: 2 })]));
 * const params = { '1.weight': tensor([1, 0], [2, 1]), '1.bias': tensor([5, 5], [2]) };
 * const inputs = tensor([0, 0, 0, 0], [2, 2]);
 * generator.program(referenceBackend().ops, params, evaluating({ inputs })).shape; // => [2, 2]
 * ```
 */
export const latent = (options: LatentOptions): Layer => {
  const features = extent('latent.features', options.features);
  return leaf({
    kind: 'latent',
    label: `latent ${features}`,
    parameters: () => [],
    apply: (ops, _params, path, x, at) =>
      ops.constant(normal(keyAt(at, path) ?? keyOf(0), [x.shape[0], features], 'f32')),
  });
};
