/**
 * Hessian-free optimisation with K-FAC as preconditioner [M10, MG15].
 *
 * @module
 */
import { descent } from '../../core/pipeline/descent.ts';
import { capture } from '../../curvature/capture.ts';
import { updateFactors } from '../../curvature/curvature.ts';
import { monteCarlo } from '../../curvature/estimators.ts';
import { kfac } from '../../curvature/kfac.ts';
import type { ScaleShiftKind } from '../../curvature/sites/options.ts';
import type { Sharing } from '../../curvature/statistics/sharing.ts';
import { kfacCg as kfacCgSolver } from '../iterative/kfacCg.ts';
import { levenbergMarquardt } from '../quadraticModel/levenbergMarquardt.ts';
import { quadraticUpdate } from '../quadraticModel/quadraticUpdate.ts';
import { damp } from '../solver/damp.ts';
import { solve } from '../solver/solver.ts';
import { refreshOf } from './kfac.ts';
import type { GradientOptimizer } from './optimizer.ts';
import { gradientOptimizer } from './optimizer.ts';

/** Settings of {@link kfacCg}. */
export interface KfacCgPresetOptions {
  /** λ at step 0, 10 unless given. */
  readonly damping?: number;
  /** λ does not fall below this. */
  readonly minDamping?: number;
  /** Steps between two adaptations of λ, 1 unless given: steps are few and dear. */
  readonly dampingEvery?: number;
  /** Factor per step by which λ adapts, in (0, 1); 2/3 unless given [M10 §4.1]. */
  readonly dampingDecay?: number;
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

const defaults = {
  damping: 10,
  minDamping: 1e-8,
  dampingEvery: 1,
  dampingDecay: 2 / 3,
  decay: 0.95,
  statisticsEvery: 1,
  inverseEvery: 1,
  inverseDrift: 0,
  inverseStaleness: 0,
  maxIterations: 100,
  tolerance: 1e-6,
  progress: 5e-4,
  warmStart: 0.95,
  strict: false,
  sharing: 'expand' as const,
  scaleShift: 'full' as const,
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
export const kfacCg = (options: KfacCgPresetOptions = {}): GradientOptimizer => {
  const settings = { ...defaults, ...options };
  const { damping, maxIterations, tolerance, progress, warmStart } = settings;
  return gradientOptimizer({
    name: 'kfac-cg',
    hyperparameters: settings,
    descent: descent(
      capture(monteCarlo(), { every: settings.statisticsEvery }),
      updateFactors(kfac(settings)),
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
      quadraticUpdate,
      levenbergMarquardt({
        every: settings.dampingEvery,
        decay: settings.dampingDecay,
        minimum: settings.minDamping,
      }),
    ),
  });
};
