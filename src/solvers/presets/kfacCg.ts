/**
 * Hessian-free optimisation with K-FAC as preconditioner [M10, MG15].
 *
 * @module
 */
import { descent } from '../../core/pipeline/descent.ts';
import { capture } from '../../curvature/capture.ts';
import { updateFactors } from '../../curvature/curvature.ts';
import { equilibrate } from '../../curvature/equilibrate.ts';
import { monteCarlo } from '../../curvature/estimators.ts';
import { kfac } from '../../curvature/kfac.ts';
import { kfacCg as kfacCgSolver } from '../iterative/kfacCg.ts';
import { crossBatchDamping } from '../quadraticModel/crossBatchDamping.ts';
import { quadraticUpdateWithin } from '../quadraticModel/quadraticUpdate.ts';
import { damp } from '../solver/damp.ts';
import { solve } from '../solver/solver.ts';
import type { ScaleFreeOptions } from './scaleFree.ts';
import { adaptingOf, refreshOf, scaleFreeSettings } from './scaleFree.ts';
import type { Settings } from '../settings/setting.ts';
import { withStandard } from '../settings/setting.ts';
import { ofIterations } from '../settings/table.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';

/** Of K-FAC's settings those that it has a use for; every step has statistics, a preconditioner and a judgement of its own. */
const ofKfac = {
  damping: scaleFreeSettings.damping,
  minDamping: scaleFreeSettings.minDamping,
  maxDamping: scaleFreeSettings.maxDamping,
  dampingEvery: withStandard(scaleFreeSettings.dampingEvery, 1),
  dampingDecay: scaleFreeSettings.dampingDecay,
  equilibrated: scaleFreeSettings.equilibrated,
  lossBound: scaleFreeSettings.lossBound,
  decay: scaleFreeSettings.decay,
  statisticsEvery: withStandard(scaleFreeSettings.statisticsEvery, 1),
  inverseEvery: withStandard(scaleFreeSettings.inverseEvery, 1),
  inverseDrift: scaleFreeSettings.inverseDrift,
  inverseStaleness: scaleFreeSettings.inverseStaleness,
  strict: scaleFreeSettings.strict,
  biases: scaleFreeSettings.biases,
  sharing: scaleFreeSettings.sharing,
  scaleShift: scaleFreeSettings.scaleShift,
};

/** Settings of {@link kfacCg}: those of K-FAC, and how its iteration ends. Periods are of 1 step unless given. */
export interface KfacCgPresetOptions extends Pick<ScaleFreeOptions, keyof typeof ofKfac> {
  /** Iterations per step at most. */
  readonly maxIterations?: number;
  /** Relative residual at which the iteration stops. */
  readonly tolerance?: number;
  /** ε of Martens' stopping rule, 5e-4 unless given; 0 switches it off. */
  readonly progress?: number;
  /** ζ, the part of the last direction that the iteration starts from. */
  readonly warmStart?: number;
}

const known: Settings<KfacCgPresetOptions> = {
  ...ofKfac,
  maxIterations: ofIterations.maxIterations,
  tolerance: ofIterations.tolerance,
  progress: ofIterations.progress,
  warmStart: ofIterations.warmStart,
};

/**
 * Conjugate gradients on the damped Gauss–Newton operator, K-FAC as preconditioner, step by the quadratic model, λ by what
 * steps are worth. For large batches: few, dear steps.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { kfacCgOptimizer } from 'kfac-ts/solvers';
 *
 * const optimizer = kfacCgOptimizer({ maxIterations: 50, warmStart: 0.95 });
 * ```
 */
export const kfacCg: Preset<KfacCgPresetOptions> = preset<KfacCgPresetOptions>('kfac-cg', known, (settings) => {
  const { damping, maxIterations, tolerance, progress, warmStart } = settings;
  return descent(
    capture(monteCarlo(), { every: settings.statisticsEvery, biases: settings.biases }),
    updateFactors(kfac(settings)),
    equilibrate({ by: settings.equilibrated, every: settings.inverseEvery }),
    damp(damping),
    solve(
      kfacCgSolver({
        ...refreshOf(settings),
        maxIterations,
        tolerance,
        martens: progress === 0 ? null : { epsilon: progress },
        warmStart,
      }),
    ),
    quadraticUpdateWithin(settings.lossBound),
    crossBatchDamping(adaptingOf({ ...settings, settling: 0 })),
  );
});
