/**
 * K-FAC with inverses of low rank, for layers too wide to invert.
 *
 * @module
 */
import { kfac as kfacCurvature } from '../../curvature/kfac.ts';
import { lowRankInverse } from '../inverses/lowRankInverse.ts';
import { preconditioned } from '../solver/preconditioned.ts';
import type { KfacPresetOptions } from './kfac.ts';
import { kfacDescent, kfacSettings } from './kfac.ts';
import { refreshOf } from './scaleFree.ts';
import { ofInverses } from '../settings/table.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';

/** Settings of {@link lowRankKfac}: those of K-FAC, and of the range finder. */
export interface LowRankKfacOptions extends KfacPresetOptions {
  /** Eigenvectors kept of each factor, 64 unless given. */
  readonly rank?: number;
  /** Random columns on top of the rank, 10 unless given. */
  readonly oversampling?: number;
  /** Products that sharpen the range, 1 unless given. */
  readonly powerIterations?: number;
}

/**
 * K-FAC with randomised low-rank factors, applied by Woodbury's formula.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { lowRankKfacOptimizer } from 'kfac-ts/solvers';
 *
 * const optimizer = lowRankKfacOptimizer({ rank: 64, powerIterations: 1 });
 * ```
 */
export const lowRankKfac: Preset<LowRankKfacOptions> = preset<LowRankKfacOptions>(
  'low-rank-kfac',
  {
    ...kfacSettings,
    rank: ofInverses.rank,
    oversampling: ofInverses.oversampling,
    powerIterations: ofInverses.powerIterations,
  },
  (settings) => {
    const { rank, oversampling, powerIterations } = settings;
    return kfacDescent(
      settings,
      kfacCurvature(settings),
      preconditioned(lowRankInverse({ rank, oversampling, powerIterations }), refreshOf(settings)),
    );
  },
);
