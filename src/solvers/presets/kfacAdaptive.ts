/**
 * K-FAC without units: learning rate and momentum from the quadratic model [MG15 §7], λ as a fraction of the curvature that
 * moves by what steps are worth on the examples that come after them.
 *
 * @module
 */
import type { Descent } from '../../core/pipeline/descent.ts';
import { growing } from '../../core/pipeline/period.ts';
import { descent } from '../../core/pipeline/descent.ts';
import { capture } from '../../curvature/capture.ts';
import type { Curvature } from '../../curvature/curvature.ts';
import { updateFactors } from '../../curvature/curvature.ts';
import type { Equilibration } from '../../curvature/equilibrate.ts';
import { equilibrate } from '../../curvature/equilibrate.ts';
import type { EstimatorName } from '../../curvature/estimators.ts';
import { estimatorOf } from '../../curvature/estimators.ts';
import { kfac } from '../../curvature/kfac.ts';
import type { ScaleShiftKind } from '../../curvature/sites/options.ts';
import type { Sharing } from '../../curvature/statistics/sharing.ts';
import { sample } from '../../curvature/sample.ts';
import { kroneckerInverse } from '../inverses/kroneckerInverse.ts';
import { preconditioned } from '../solver/preconditioned.ts';
import type { CrossBatchOptions } from '../quadraticModel/crossBatchDamping.ts';
import { crossBatchDamping } from '../quadraticModel/crossBatchDamping.ts';
import { quadraticUpdateWithin } from '../quadraticModel/quadraticUpdate.ts';
import type { SeparateNeeds } from '../quadraticModel/separateDamping.ts';
import { separateDamping } from '../quadraticModel/separateDamping.ts';
import { modelUpdate } from '../quadraticModel/modelUpdate.ts';
import { momentum } from '../update/rules/momentum.ts';
import { damp } from '../solver/damp.ts';
import type { Solver } from '../solver/solver.ts';
import { solve } from '../solver/solver.ts';
import { decay } from '../update/decay.ts';
import { refreshOf } from './kfac.ts';
import { between, finite, notNegative, positive } from '../settings/range.ts';
import type { Settings } from '../settings/setting.ts';
import type { Decays } from '../update/rules/weightDecay.ts';
import { setting, withStandard } from '../settings/setting.ts';
import { ofCurvature, ofDamping, ofInverses, ofUpdates } from '../settings/table.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';

/** Settings of {@link kfacAdaptive}. */
export interface KfacAdaptiveOptions {
  /** λ at step 0, as a fraction of the curvature's mean unless `equilibrated` says otherwise; 0.1 unless given. */
  readonly damping?: number;
 readonly mu?: number; readonly grow?: number; readonly eta?: number; readonly smooth?: number;
  /** λ does not fall below this, 1e-3 unless given: with less, inverses of Kronecker factors lose their worth. */
  readonly minDamping?: number;
  /** λ does not rise above this for what steps are worth, 30 unless given. */
  readonly maxDamping?: number;
  /** Steps between two adaptations of λ, 1 unless given. */
  readonly dampingEvery?: number;
  /** Factor per step by which λ adapts, in (0, 1); 0.95 unless given. */
  readonly dampingDecay?: number;
  /** Parameters that share a unit of curvature: `whole` unless given; with `none` λ is in units of the loss. */
  readonly equilibrated?: Equilibration;
  /** κ: the gradient promises at most this part of the loss, 1 unless given. */
  readonly lossBound?: number;
  /** Decoupled weight decay per step, 0 unless given. */
  readonly weightDecay?: number;
  /** Which parameters decay, `all` unless given; `weights` leaves biases, gains and shifts out. */
  readonly decayed?: Decays;
  /** Which targets feed the Fisher, `monteCarlo` unless given. */
  readonly estimator?: EstimatorName;
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
  /** Examples that both are taken from at least, where the batch has them; 256 unless given. */
  readonly atLeast?: number;
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
}

/** Settings of {@link kfacAdaptive}, and of its relatives. */
export const adaptiveSettings: Settings<KfacAdaptiveOptions> = {
  mu: setting(finite, -1, 'mu'), eta: setting(positive, 1, 'eta'), grow: setting(notNegative, 0, 'grow'), smooth: setting(notNegative, 0, 's'),
  damping: setting(positive, 0.1, 'λ at step 0, a fraction of the mean curvature'),
  minDamping: setting(positive, 1e-3, ofDamping.minDamping.meaning),
  maxDamping: ofDamping.maxDamping,
  dampingEvery: withStandard(ofDamping.dampingEvery, 1),
  dampingDecay: setting(between, 0.95, 'factor per step by which λ adapts'),
  equilibrated: ofDamping.equilibrated,
  lossBound: ofUpdates.lossBound,
  weightDecay: setting(notNegative, 0, 'decoupled weight decay per step'),
  decayed: ofUpdates.decayed,
  estimator: ofCurvature.estimator,
  gammaEvery: ofDamping.gammaEvery,
  gammaDecay: ofDamping.gammaDecay,
  decay: ofCurvature.decay,
  statisticsEvery: ofCurvature.statisticsEvery,
  statisticsFraction: withStandard(ofCurvature.statisticsFraction, 0.25),
  modelFraction: ofCurvature.modelFraction,
  atLeast: ofCurvature.atLeast,
  inverseEvery: ofInverses.inverseEvery,
  inverseDrift: ofInverses.inverseDrift,
  inverseStaleness: ofInverses.inverseStaleness,
  strict: ofCurvature.strict,
  sharing: ofCurvature.sharing,
  scaleShift: ofCurvature.scaleShift,
};

/** Settings that are all there. */
export type AdaptiveSettings = Required<KfacAdaptiveOptions>;

/**
 * How λ adapts, from settings: a least λ above the usual greatest one raises both.
 *
 * @param settings - period, rate and bounds
 */
export const adaptingOf = ({
  dampingEvery,
  dampingDecay,
  minDamping,
  maxDamping,
}: Pick<AdaptiveSettings, 'dampingEvery' | 'dampingDecay' | 'minDamping' | 'maxDamping'>): CrossBatchOptions => ({
  every: dampingEvery,
  decay: dampingDecay,
  minimum: minDamping,
  maximum: Math.max(maxDamping, minDamping),
});

/**
 * What adaptive K-FAC and its relatives, which differ in curvature and solver, do from the gradient on.
 *
 * @param settings - settings
 * @param curvature - from captures to an operator
 * @param solver - from the operator to a direction
 */
export const adaptiveDescent = (
  settings: AdaptiveSettings,
  curvature: Curvature,
  solver: Solver<SeparateNeeds>,
): Descent => {
  const { atLeast } = settings;
  const grown = (n: number) => (settings.grow === 0 ? n : growing(n, settings.grow));
  const every = grown(settings.statisticsEvery);
  const de = grown(settings.dampingEvery);
  const updated = descent(
    sample({ fraction: settings.statisticsFraction, atLeast, every }),
    capture(estimatorOf(settings.estimator), { every }),
    updateFactors(curvature),
    equilibrate({ by: settings.equilibrated, every: grown(settings.inverseEvery) }),
    damp(settings.damping),
    solve(
      settings.gammaEvery === 0
        ? solver
        : separateDamping({ every: settings.gammaEvery, decay: settings.gammaDecay }, solver),
    ),
    sample({ fraction: settings.modelFraction, atLeast, every: de }),
    settings.mu < 0 ? quadraticUpdateWithin(settings.lossBound, de, settings.eta, settings.mu < -1)
    : modelUpdate({ learningRate: settings.eta, rules: settings.mu === 0 ? [] : [momentum(settings.mu)], within: settings.lossBound, every: de, smooth: settings.smooth }),
  );
  return descent(
    settings.weightDecay === 0 ? updated : descent(updated, decay(settings.weightDecay, settings.decayed)),
    crossBatchDamping({ ...adaptingOf(settings), every: de }),
  );
};

/**
 * Adaptive K-FAC: nothing to tune. Its settings have no units: the loss may be multiplied by anything, and every step stays
 * as it is.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { kfacAdaptiveOptimizer } from 'kfac-ts/solvers';
 *
 * // Learning rate and momentum by the quadratic model, λ by what steps are worth on the batches after them.
 * const optimizer = kfacAdaptiveOptimizer();
 * optimizer.name; // => 'kfac-adaptive'
 * ```
 */
export const kfacAdaptive: Preset<KfacAdaptiveOptions> = preset<KfacAdaptiveOptions>(
  'kfac-adaptive',
  adaptiveSettings,
  (settings) => adaptiveDescent(settings, kfac(settings), preconditioned(kroneckerInverse, settings.grow === 0 ? refreshOf(settings) : { every: growing(settings.inverseEvery, settings.grow) })),
);
