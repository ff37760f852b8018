/**
 * K-FAC for stochastic mini-batches.
 *
 * @module
 */
import type { Descent } from '../../core/pipeline/descent.ts';
import type { Curvature } from '../../curvature/curvature.ts';
import { kfac as kfacCurvature } from '../../curvature/kfac.ts';
import { kroneckerInverse } from '../inverses/kroneckerInverse.ts';
import { updateByModel } from '../quadraticModel/quadraticUpdate.ts';
import type { SeparateNeeds } from '../quadraticModel/separateDamping.ts';
import type { Settings } from '../settings/setting.ts';
import { tunable, withStandard } from '../settings/setting.ts';
import { ofUpdates } from '../settings/table.ts';
import { preconditioned } from '../solver/preconditioned.ts';
import type { Solver } from '../solver/solver.ts';
import { momentum } from '../update/rules/momentum.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';
import type { ScaleFreeOptions } from './scaleFree.ts';
import { refreshOf, scaleFreeDescent, scaleFreeSettings } from './scaleFree.ts';

/** Settings of {@link kfac}, and of its relatives. */
export interface KfacPresetOptions extends ScaleFreeOptions {
  /** η, in units of the step to the quadratic model's minimum along the direction; 0.3 unless given. */
  readonly learningRate?: number;
  /** μ of the momentum of directions, 0.8 unless given. */
  readonly momentum?: number;
}

/** Settings of {@link kfac}, and of its relatives. */
export const kfacSettings: Settings<KfacPresetOptions> = {
  learningRate: tunable(
    withStandard(ofUpdates.learningRate, 0.3, 'η, in units of the step to the quadratic model’s minimum'),
    [0.03, 1],
    'log',
  ),
  momentum: tunable(withStandard(ofUpdates.momentum, 0.8), [0, 0.95], 'linear'),
  ...scaleFreeSettings,
};

/** Settings that are all there. */
export type KfacSettings = Required<KfacPresetOptions>;

/**
 * What K-FAC and its relatives, which differ in curvature and solver, do from the gradient on.
 *
 * @param settings - settings
 * @param curvature - from captures to an operator
 * @param solver - from the operator to a direction
 */
export const kfacDescent = (settings: KfacSettings, curvature: Curvature, solver: Solver<SeparateNeeds>): Descent =>
  scaleFreeDescent(
    settings,
    curvature,
    solver,
    (every) =>
      updateByModel({
        learningRate: settings.learningRate,
        rules: [momentum(settings.momentum)],
        lossBound: settings.lossBound,
        every,
      }),
    // Steps with momentum go beyond the least loss on their way for a while, and are not shortened for that alone.
    { noise: 'length', low: 0.1 },
  );

/**
 * K-FAC: sampled Fisher, Kronecker factors, damped inverses, momentum; the length of a step by the quadratic model, λ by what
 * steps are worth. Its settings have no units: they are the same for a loss that is multiplied by anything.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { kfacOptimizer } from 'kfac-ts/solvers';
 *
 * const optimizer = kfacOptimizer({ learningRate: 0.2, momentum: 0.9, inverseEvery: 10, sharing: 'reduce' });
 * optimizer.name; // => 'kfac'
 * ```
 */
export const kfac: Preset<KfacPresetOptions> = preset<KfacPresetOptions>('kfac', kfacSettings, (settings) =>
  kfacDescent(settings, kfacCurvature(settings), preconditioned(kroneckerInverse, refreshOf(settings))),
);
