/**
 * K-FAC for stochastic mini-batches.
 *
 * @module
 */
import type { Descent } from '../../core/pipeline/descent.ts';
import { descent } from '../../core/pipeline/descent.ts';
import { capture } from '../../curvature/capture.ts';
import { updateFactors } from '../../curvature/curvature.ts';
import type { EstimatorName } from '../../curvature/estimators.ts';
import { estimatorOf } from '../../curvature/estimators.ts';
import { kfac as kfacCurvature } from '../../curvature/kfac.ts';
import type { ScaleShiftKind } from '../../curvature/sites/options.ts';
import type { Sharing } from '../../curvature/statistics/sharing.ts';
import { sample } from '../../curvature/sample.ts';
import { kroneckerInverse } from '../inverses/kroneckerInverse.ts';
import { preconditioned } from '../solver/preconditioned.ts';
import type { RefreshOptions } from '../solver/refresh.ts';
import type { UpdateRule } from '../update/rules/rule.ts';
import { klClip } from '../update/rules/klClip.ts';
import { momentum } from '../update/rules/momentum.ts';
import type { Decays } from '../update/rules/weightDecay.ts';
import { decayedBy } from '../update/rules/weightDecay.ts';
import type { Schedule } from '../schedules.ts';
import { exponential } from '../schedules.ts';
import type { Solver, SolveNeeds } from '../solver/solver.ts';
import { damp } from '../solver/damp.ts';
import { solve } from '../solver/solver.ts';
import { update } from '../update/update.ts';
import { ofCurvature, ofDamping, ofInverses, ofUpdates } from '../settings/table.ts';
import type { Settings } from '../settings/setting.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';

/** Settings of {@link kfac}. */
export interface KfacPresetOptions {
  /** η, 1 unless given: the direction already has the right scale. */
  readonly learningRate?: number;
  /** λ at step 0, 10 unless given. */
  readonly damping?: number;
  /** λ is multiplied by this every 100 steps, 0.05 unless given; 1 keeps it. */
  readonly dampingDecay?: number;
  /** λ does not fall below this, 0.1 unless given. */
  readonly minDamping?: number;
  /** κ of the KL clip, 2 unless given. Momentum μ lengthens steps by up to 1 / (1 − μ), so more μ wants less κ. */
  readonly klClip?: number;
  /** μ, 0.7 unless given. */
  readonly momentum?: number;
  /** Decoupled weight decay, 0 unless given. */
  readonly weightDecay?: number;
  /** Which parameters decay, `all` unless given; `weights` leaves biases, gains and shifts out. */
  readonly decayed?: Decays;
  /** ρ of the factors' average, 0.95 unless given. */
  readonly decay?: number;
  /** Steps between two captures of statistics, 1 unless given. */
  readonly statisticsEvery?: number;
  /** Steps between two refreshes of the inverses, 5 unless given; at most so many where they follow the drift. */
  readonly inverseEvery?: number;
  /** Relative change of the factors at which the inverses are refreshed; 0, the default, counts steps. */
  readonly inverseDrift?: number;
  /** Steps that go on with the last inverses while the next are made; 0, the default, waits for them. */
  readonly inverseStaleness?: number;
  /** Which targets feed the Fisher, `monteCarlo` unless given. */
  readonly estimator?: EstimatorName;
  /** Fraction of the batch that statistics are taken from, in (0, 1]; 1 unless given. */
  readonly statisticsFraction?: number;
  /** Whether a parameter without a site is an error. */
  readonly strict?: boolean;
  /** Weights that meet one example at several positions (sequences, several uses), `expand` unless given. */
  readonly sharing?: Sharing;
  /** Second moments of gain and shift, `full` unless given. */
  readonly scaleShift?: ScaleShiftKind;
}

/** Settings of {@link kfac}. */
export const kfacSettings: Settings<KfacPresetOptions> = {
  learningRate: ofUpdates.learningRate,
  damping: ofDamping.damping,
  dampingDecay: ofDamping.dampingDecay,
  minDamping: ofDamping.minDamping,
  klClip: ofUpdates.klClip,
  momentum: ofUpdates.momentum,
  weightDecay: ofUpdates.weightDecay,
  decayed: ofUpdates.decayed,
  decay: ofCurvature.decay,
  statisticsEvery: ofCurvature.statisticsEvery,
  inverseEvery: ofInverses.inverseEvery,
  inverseDrift: ofInverses.inverseDrift,
  inverseStaleness: ofInverses.inverseStaleness,
  estimator: ofCurvature.estimator,
  statisticsFraction: ofCurvature.statisticsFraction,
  strict: ofCurvature.strict,
  sharing: ofCurvature.sharing,
  scaleShift: ofCurvature.scaleShift,
};

/** Settings that are all there. */
export type KfacSettings = Required<KfacPresetOptions>;

/** λ by step: exponential decay to a floor. */
const dampingOf = (settings: Pick<KfacSettings, 'damping' | 'dampingDecay' | 'minDamping'>): Schedule =>
  exponential(settings.damping, settings.dampingDecay, 100, settings.minDamping);

/**
 * When inverses are refreshed, from settings.
 *
 * @param settings - period, drift and staleness
 */
export const refreshOf = ({
  inverseEvery,
  inverseDrift,
  inverseStaleness,
}: Pick<KfacSettings, 'inverseEvery' | 'inverseDrift' | 'inverseStaleness'>): Required<
  Pick<RefreshOptions, 'every' | 'overlap'>
> => ({
  every: inverseDrift === 0 ? inverseEvery : { drift: inverseDrift, atMost: inverseEvery },
  overlap: { staleness: inverseStaleness },
});

/**
 * What K-FAC with a learning rate does from the gradient on.
 *
 * @param settings - settings
 * @param solver - from K-FAC's operator to a direction
 * @param rules - for the direction, before weight decay
 */
export const kfacDescent = (
  settings: Omit<KfacSettings, 'klClip' | 'momentum'>,
  solver: Solver<SolveNeeds | 'captured'>,
  rules: ReadonlyArray<UpdateRule>,
): Descent =>
  descent(
    sample({ fraction: settings.statisticsFraction, every: settings.statisticsEvery }),
    capture(estimatorOf(settings.estimator), { every: settings.statisticsEvery }),
    updateFactors(kfacCurvature(settings)),
    damp(dampingOf(settings)),
    solve(solver),
    update({ learningRate: settings.learningRate, rules: [...rules, ...decayedBy(settings)] }),
  );

/**
 * K-FAC: sampled Fisher, Kronecker factors, damped inverses, KL clip, momentum.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { kfacOptimizer } from 'kfac-ts/solvers';
 *
 * const optimizer = kfacOptimizer({ damping: 1, inverseEvery: 10, sharing: 'reduce' });
 * optimizer.name; // => 'kfac'
 * ```
 */
export const kfac: Preset<KfacPresetOptions> = preset<KfacPresetOptions>('kfac', kfacSettings, (settings) =>
  kfacDescent(settings, preconditioned(kroneckerInverse, refreshOf(settings)), [
    klClip(settings.klClip),
    momentum(settings.momentum),
  ]),
);
