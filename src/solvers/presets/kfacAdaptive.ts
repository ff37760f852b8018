/**
 * K-FAC for large batches: learning rate and momentum from the quadratic model, λ by Levenberg–Marquardt [MG15].
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
import { sample } from '../../curvature/sample.ts';
import { kroneckerInverse } from '../inverses/kroneckerInverse.ts';
import { preconditioned } from '../solver/preconditioned.ts';
import { levenbergMarquardt, mostDamping } from '../quadraticModel/levenbergMarquardt.ts';
import { quadraticUpdate } from '../quadraticModel/quadraticUpdate.ts';
import { separateDamping } from '../quadraticModel/separateDamping.ts';
import { damp } from '../solver/damp.ts';
import { solve } from '../solver/solver.ts';
import { refreshOf } from './kfac.ts';
import { between, positive } from '../settings/range.ts';
import type { Settings } from '../settings/setting.ts';
import { setting, withStandard } from '../settings/setting.ts';
import { ofCurvature, ofDamping, ofInverses } from '../settings/table.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';

/** Settings of {@link kfacAdaptive}. */
export interface KfacAdaptiveOptions {
  /** λ at step 0, 3 unless given. */
  readonly damping?: number;
  /** λ does not fall below this, 0.01 unless given: with less, inverses of Kronecker factors lose their worth. */
  readonly minDamping?: number;
  /** Steps between two adaptations of λ, 5 unless given. */
  readonly dampingEvery?: number;
  /** Factor per step by which λ adapts, in (0, 1); 0.9 unless given. */
  readonly dampingDecay?: number;
  /** Steps between two choices of the inverses' own damping γ²; 0, the default, takes λ for it. */
  readonly gammaEvery?: number;
  /** Factor per step by which γ adapts, in (0, 1). */
  readonly gammaDecay?: number;
  /** ρ of the factors' average, 0.95 unless given. */
  readonly decay?: number;
  /** Steps between two captures of statistics, 1 unless given. */
  readonly statisticsEvery?: number;
  /** Fraction of the batch that statistics are taken from, in (0, 1], 0.25 unless given. */
  readonly statisticsFraction?: number;
  /** Fraction of the batch that the quadratic model's products are taken over, in (0, 1], 0.25 unless given. */
  readonly modelFraction?: number;
  /** Steps between two refreshes of the inverses, 5 unless given; at most so many where they follow the drift. */
  readonly inverseEvery?: number;
  /** Relative change of the factors at which the inverses are refreshed; 0, the default, counts steps. */
  readonly inverseDrift?: number;
  /** Steps that go on with the last inverses while the next are made; 0, the default, waits for them. */
  readonly inverseStaleness?: number;
  /** Whether a parameter without a site is an error. */
  readonly strict?: boolean;
  /** Weights that meet one example at several positions, `expand` unless given. */
  readonly sharing?: Sharing;
  /** Second moments of gain and shift, `full` unless given. */
  readonly scaleShift?: ScaleShiftKind;
  /** Whether a step that raises the loss of its batch is taken back, for one more forward pass per step. */
  readonly rejectSteps?: boolean;
}

const known: Settings<KfacAdaptiveOptions> = {
  damping: withStandard(ofDamping.damping, 3),
  minDamping: setting(positive, 0.01, ofDamping.minDamping.meaning),
  dampingEvery: ofDamping.dampingEvery,
  dampingDecay: setting(between, 0.9, 'factor per step by which λ adapts'),
  gammaEvery: ofDamping.gammaEvery,
  gammaDecay: ofDamping.gammaDecay,
  decay: ofCurvature.decay,
  statisticsEvery: ofCurvature.statisticsEvery,
  statisticsFraction: withStandard(ofCurvature.statisticsFraction, 0.25),
  modelFraction: ofCurvature.modelFraction,
  inverseEvery: ofInverses.inverseEvery,
  inverseDrift: ofInverses.inverseDrift,
  inverseStaleness: ofInverses.inverseStaleness,
  strict: ofCurvature.strict,
  sharing: ofCurvature.sharing,
  scaleShift: ofCurvature.scaleShift,
  rejectSteps: ofDamping.rejectSteps,
};

/**
 * Adaptive K-FAC: no learning rate, no momentum and hardly a damping to tune.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { kfacAdaptiveOptimizer } from 'kfac-ts/solvers';
 *
 * // Nothing to tune: learning rate and momentum by the quadratic model, λ by Levenberg–Marquardt.
 * const optimizer = kfacAdaptiveOptimizer();
 * optimizer.name; // => 'kfac-adaptive'
 * ```
 */
export const kfacAdaptive: Preset<KfacAdaptiveOptions> = preset<KfacAdaptiveOptions>(
  'kfac-adaptive',
  known,
  (settings) => {
    const { damping } = settings;
    const inverse = preconditioned(kroneckerInverse, refreshOf(settings));
    return descent(
      sample({ fraction: settings.statisticsFraction, every: settings.statisticsEvery }),
      capture(monteCarlo(), { every: settings.statisticsEvery }),
      updateFactors(kfac(settings)),
      damp(damping),
      solve(
        settings.gammaEvery === 0
          ? inverse
          : separateDamping({ every: settings.gammaEvery, decay: settings.gammaDecay }, inverse),
      ),
      sample({ fraction: settings.modelFraction }),
      quadraticUpdate,
      levenbergMarquardt({
        every: settings.dampingEvery,
        decay: settings.dampingDecay,
        minimum: settings.minDamping,
        maximum: Math.max(mostDamping, settings.minDamping),
        rejectSteps: settings.rejectSteps,
      }),
    );
  },
);
