/**
 * K-FAC without factorisations: every inverse is made of matrix products.
 *
 * @module
 */
import { kfac as kfacCurvature } from '../../curvature/kfac.ts';
import { newtonSchulz } from '../inverses/newtonSchulz.ts';
import { preconditioned } from '../solver/preconditioned.ts';
import type { KfacPresetOptions } from './kfac.ts';
import { kfacDefaults, kfacDescent, refreshOf } from './kfac.ts';
import type { GradientOptimizer } from './optimizer.ts';
import { gradientOptimizer } from './optimizer.ts';

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
export const newtonSchulzKfac = (options: NewtonSchulzKfacOptions = {}): GradientOptimizer => {
  const settings = { ...kfacDefaults, tolerance: 1e-4, iterations: 40, ...options };
  const { tolerance, iterations } = settings;
  return gradientOptimizer({
    name: 'newton-schulz-kfac',
    hyperparameters: settings,
    descent: kfacDescent(
      settings,
      kfacCurvature(settings),
      preconditioned(newtonSchulz({ tolerance, iterations }), refreshOf(settings)),
    ),
  });
};
