/**
 * K-FAC without factorisations: every inverse is made of matrix products.
 *
 * @module
 */
import { kfac as kfacCurvature } from '../../curvature/kfac.ts';
import { newtonSchulz } from '../inverses/newtonSchulz.ts';
import { preconditioned } from '../solver/preconditioned.ts';
import type { KfacPresetOptions } from './kfac.ts';
import { kfacDescent, kfacSettings } from './kfac.ts';
import { refreshOf } from './scaleFree.ts';
import { withStandard } from '../settings/setting.ts';
import { ofInverses } from '../settings/table.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';

/** Settings of {@link newtonSchulzKfac}: those of K-FAC, and of the iteration. */
export interface NewtonSchulzKfacOptions extends KfacPresetOptions {
  /** Residual at which the iteration ends, 1e-4 unless given. */
  readonly tolerance?: number;
  /** Most iterations for one factor, 40 unless given. */
  readonly iterations?: number;
}

/**
 * K-FAC with Newton–Schulz inverses, each started from the last.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { newtonSchulzKfacOptimizer } from 'kfac-ts/solvers';
 *
 * const optimizer = newtonSchulzKfacOptimizer({ tolerance: 1e-3, iterations: 30 });
 * ```
 */
export const newtonSchulzKfac: Preset<NewtonSchulzKfacOptions> = preset<NewtonSchulzKfacOptions>(
  'newton-schulz-kfac',
  {
    ...kfacSettings,
    tolerance: withStandard(ofInverses.newtonTolerance, 1e-4),
    iterations: ofInverses.newtonIterations,
  },
  (settings) => {
    const { tolerance, iterations } = settings;
    return kfacDescent(
      settings,
      kfacCurvature(settings),
      preconditioned(newtonSchulz({ tolerance, iterations }), refreshOf(settings)),
    );
  },
);
