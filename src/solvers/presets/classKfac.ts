/**
 * Class-wise K-FAC, for classifiers with few classes.
 *
 * @module
 */
import { classKfac as classCurvature } from '../../curvature/classKfac.ts';
import type { SumMethod } from '../iterative/classWise.ts';
import { classWise } from '../iterative/classWise.ts';
import type { KfacPresetOptions } from './kfac.ts';
import { kfacDefaults, kfacDescent, refreshOf } from './kfac.ts';
import type { GradientOptimizer } from './optimizer.ts';
import { gradientOptimizer } from './optimizer.ts';

/** Settings of {@link classKfac}: those of K-FAC, the classes, and how sums over them are solved. */
export interface ClassKfacPresetOptions extends KfacPresetOptions {
  /** Number of classes of the targets, 10 unless given. */
  readonly classes?: number;
  /** `all`, the default, or paths of the sites that keep classes apart, with commas between. */
  readonly sites?: string;
  /** `auto` unless given: two classes directly, more by conjugate gradients. */
  readonly method?: SumMethod;
  /** Relative residual at which conjugate gradients stop, 1e-4 unless given. */
  readonly tolerance?: number;
  /** Iterations of a block at most, 20 unless given. */
  readonly maxIterations?: number;
}

/**
 * Class-wise K-FAC: a Kronecker product for each class of the target, summed; statistics cost as many times those of
 * `kfac` as there are classes. Targets must be classes.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { classKfacOptimizer } from 'kfac-ts/solvers';
 *
 * // A Kronecker product for each class at the last layer.
 * const optimizer = classKfacOptimizer({ classes: 10, sites: '4' });
 * ```
 */
export const classKfac = (options: ClassKfacPresetOptions = {}): GradientOptimizer => {
  const settings = {
    ...kfacDefaults,
    classes: 10,
    sites: 'all',
    method: 'auto' as const,
    tolerance: 1e-4,
    maxIterations: 20,
    ...options,
  };
  const { method, tolerance, maxIterations } = settings;
  const sites = settings.sites === 'all' ? 'all' : settings.sites.split(',').map((path) => path.trim());
  return gradientOptimizer({
    name: 'class-kfac',
    hyperparameters: settings,
    descent: kfacDescent(
      settings,
      classCurvature({ ...settings, sites }),
      classWise({
        ...refreshOf(settings),
        method,
        tolerance,
        maxIterations,
      }),
    ),
  });
};
