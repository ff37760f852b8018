/**
 * K-FAC with nothing to choose: learning rate and momentum from the quadratic model [MG15 §7].
 *
 * @module
 */
import { kfac } from '../../curvature/kfac.ts';
import { kroneckerInverse } from '../inverses/kroneckerInverse.ts';
import { quadraticUpdateWithin } from '../quadraticModel/quadraticUpdate.ts';
import { preconditioned } from '../solver/preconditioned.ts';
import { withStandard } from '../settings/setting.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';
import type { ScaleFreeOptions } from './scaleFree.ts';
import { refreshOf, scaleFreeDescent, scaleFreeSettings } from './scaleFree.ts';

/** Settings of {@link kfacAdaptive}: those of every K-FAC without units, but that it looks at everything in every step. */
export type KfacAdaptiveOptions = ScaleFreeOptions;

/**
 * The part of their bound that first steps may promise: a fraction of each layer's curvature is little where layers have next to
 * none yet, and what their whole model promises is not had then.
 */
const firstTrust = 0.3;

/**
 * Adaptive K-FAC: the model chooses how far a step goes, and how much of the last one it repeats. Its settings have no units:
 * the loss may be multiplied by anything, and the features with the first weights divided, and every step stays as it is.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { kfacAdaptiveOptimizer } from 'kfac-ts/solvers';
 *
 * // Learning rate and momentum by the quadratic model, λ by what steps are worth on the batches after them.
 * const optimizer = kfacAdaptiveOptimizer();
 * optimizer.name; // => 'kfac-adaptive'
 * ```
 */
export const kfacAdaptive: Preset<KfacAdaptiveOptions> = preset<KfacAdaptiveOptions>(
  'kfac-adaptive',
  {
    ...scaleFreeSettings,
    dampingEvery: withStandard(scaleFreeSettings.dampingEvery, 1),
    statisticsEvery: withStandard(scaleFreeSettings.statisticsEvery, 1),
    // λ is what answers to noise here, and at 30 it would have risen further.
    maxDamping: withStandard(scaleFreeSettings.maxDamping, 100),
  },
  (settings) =>
    scaleFreeDescent(
      settings,
      kfac(settings),
      preconditioned(kroneckerInverse, refreshOf(settings)),
      (every) => quadraticUpdateWithin(settings.lossBound, every, firstTrust),
      // The whole of what the model promises is never had: its minimum is that of one batch.
      { low: 0.1 },
    ),
);
