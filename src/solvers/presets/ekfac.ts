/**
 * EKFAC for stochastic mini-batches [G18].
 *
 * @module
 */
import { kfac as kfacCurvature } from '../../curvature/kfac.ts';
import { ekfac as ekfacInverse } from '../inverses/ekfac.ts';
import { preconditioned } from '../solver/preconditioned.ts';
import type { KfacPresetOptions } from './kfac.ts';
import { kfacDescent, kfacSettings } from './kfac.ts';
import { refreshOf } from './scaleFree.ts';
import { ofInverses } from '../settings/table.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';

/** Settings of {@link ekfac}: those of K-FAC, where `inverseEvery` is the period of the eigenbasis. */
export interface EkfacPresetOptions extends KfacPresetOptions {
  /** ρ of the average of the second moments in the eigenbasis, 0.95 unless given. */
  readonly momentDecay?: number;
}

/**
 * EKFAC: K-FAC's eigenbasis now and then, second moments in it at every step, KL clip, momentum.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { ekfacOptimizer } from 'kfac-ts/solvers';
 *
 * const optimizer = ekfacOptimizer({ momentDecay: 0.99, inverseEvery: 50 });
 * ```
 */
export const ekfac: Preset<EkfacPresetOptions> = preset<EkfacPresetOptions>(
  'ekfac',
  { ...kfacSettings, momentDecay: ofInverses.momentDecay },
  (settings) =>
    kfacDescent(
      settings,
      kfacCurvature(settings),
      preconditioned(ekfacInverse({ decay: settings.momentDecay }), refreshOf(settings)),
    ),
);
