/**
 * Class-wise K-FAC, for classifiers with few classes.
 *
 * @module
 */
import { classKfac as classCurvature } from '../../curvature/classKfac.ts';
import type { SumMethod } from '../iterative/classWise.ts';
import { classWise } from '../iterative/classWise.ts';
import type { KfacPresetOptions } from './kfac.ts';
import { kfacDescent, kfacSettings } from './kfac.ts';
import { refreshOf } from './scaleFree.ts';
import { ofCurvature, ofIterations } from '../settings/table.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';

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
export const classKfac: Preset<ClassKfacPresetOptions> = preset<ClassKfacPresetOptions>(
  'class-kfac',
  {
    ...kfacSettings,
    classes: ofCurvature.classes,
    sites: ofCurvature.sites,
    method: ofIterations.sumMethod,
    tolerance: ofIterations.sumTolerance,
    maxIterations: ofIterations.sumIterations,
  },
  (settings) => {
    const { method, tolerance, maxIterations } = settings;
    const sites = settings.sites === 'all' ? 'all' : settings.sites.split(',').map((path) => path.trim());
    return kfacDescent(
      settings,
      classCurvature({ ...settings, sites }),
      classWise({ ...refreshOf(settings), method, tolerance, maxIterations }),
    );
  },
);
