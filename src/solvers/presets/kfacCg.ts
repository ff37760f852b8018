/**
 * Hessian-free optimisation with K-FAC as preconditioner [M10, MG15].
 *
 * @module
 */
import { descent } from '../../core/pipeline/descent.ts';
import { capture } from '../../curvature/capture.ts';
import { updateFactors } from '../../curvature/curvature.ts';
import type { Equilibration } from '../../curvature/equilibrate.ts';
import { equilibrate } from '../../curvature/equilibrate.ts';
import { monteCarlo } from '../../curvature/estimators.ts';
import { kfac } from '../../curvature/kfac.ts';
import type { ScaleShiftKind } from '../../curvature/sites/options.ts';
import type { Sharing } from '../../curvature/statistics/sharing.ts';
import { kfacCg as kfacCgSolver } from '../iterative/kfacCg.ts';
import { crossBatchDamping } from '../quadraticModel/crossBatchDamping.ts';
import { quadraticUpdateWithin } from '../quadraticModel/quadraticUpdate.ts';
import { damp } from '../solver/damp.ts';
import { solve } from '../solver/solver.ts';
import { adaptingOf, refreshOf, scaleFreeSettings } from './scaleFree.ts';
import type { Settings } from '../settings/setting.ts';
import { withStandard } from '../settings/setting.ts';
import { ofCurvature, ofInverses, ofIterations } from '../settings/table.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';

/** Settings of {@link kfacCg}. */
export interface KfacCgPresetOptions {
  /** λ at step 0, as a fraction of the curvature's mean unless `equilibrated` says otherwise; 0.1 unless given. */
  readonly damping?: number;
  /** λ does not fall below this, 1e-3 unless given. */
  readonly minDamping?: number;
  /** λ does not rise above this for what steps are worth, 30 unless given. */
  readonly maxDamping?: number;
  /** Steps between two judgements of steps, by which λ adapts; 1 unless given. */
  readonly dampingEvery?: number;
  /** Factor per step by which λ adapts, in (0, 1); 0.95 unless given. */
  readonly dampingDecay?: number;
  /** Parameters that share a unit of curvature: `whole` unless given; with `none` λ is in units of the loss. */
  readonly equilibrated?: Equilibration;
  /** κ: the gradient promises at most this part of the loss, 1 unless given. */
  readonly lossBound?: number;
  /** ρ of the factors' average, 0.95 unless given. */
  readonly decay?: number;
  /** Steps between two captures of statistics, 1 unless given. */
  readonly statisticsEvery?: number;
  /** Steps between two refreshes of the preconditioner. */
  readonly inverseEvery?: number;
  /** Relative change of the factors at which the preconditioner is refreshed; 0, the default, counts steps. */
  readonly inverseDrift?: number;
  /** Steps that go on with the last preconditioner while the next is made; 0, the default, waits for it. */
  readonly inverseStaleness?: number;
  /** Iterations per step at most. */
  readonly maxIterations?: number;
  /** Relative residual at which the iteration stops. */
  readonly tolerance?: number;
  /** ε of Martens' stopping rule, 5e-4 unless given; 0 switches it off. */
  readonly progress?: number;
  /** ζ, the part of the last direction that the iteration starts from. */
  readonly warmStart?: number;
  /** Whether a parameter without a site is an error. */
  readonly strict?: boolean;
  /** Weights that meet one example at several positions, `expand` unless given. */
  readonly sharing?: Sharing;
  /** Second moments of gain and shift, `full` unless given. */
  readonly scaleShift?: ScaleShiftKind;
}

const known: Settings<KfacCgPresetOptions> = {
  damping: scaleFreeSettings.damping,
  minDamping: scaleFreeSettings.minDamping,
  maxDamping: scaleFreeSettings.maxDamping,
  dampingEvery: withStandard(scaleFreeSettings.dampingEvery, 1),
  dampingDecay: scaleFreeSettings.dampingDecay,
  equilibrated: scaleFreeSettings.equilibrated,
  lossBound: scaleFreeSettings.lossBound,
  decay: ofCurvature.decay,
  statisticsEvery: ofCurvature.statisticsEvery,
  inverseEvery: withStandard(ofInverses.inverseEvery, 1),
  inverseDrift: ofInverses.inverseDrift,
  inverseStaleness: ofInverses.inverseStaleness,
  maxIterations: ofIterations.maxIterations,
  tolerance: ofIterations.tolerance,
  progress: ofIterations.progress,
  warmStart: ofIterations.warmStart,
  strict: ofCurvature.strict,
  sharing: ofCurvature.sharing,
  scaleShift: ofCurvature.scaleShift,
};

/**
 * Conjugate gradients on the damped Gauss–Newton operator, K-FAC as preconditioner, step by the quadratic model, λ by
 * Levenberg–Marquardt. For large batches: few, dear steps.
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
    capture(monteCarlo(), { every: settings.statisticsEvery }),
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
