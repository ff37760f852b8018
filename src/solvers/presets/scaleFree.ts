/**
 * What every K-FAC without units has: λ as a fraction of the curvature that moves by what steps are worth on the examples that
 * come after them, steps that promise at most the loss, less where one was not taken, periods that are short while a run is young.
 *
 * @module
 */
import type { Descent, FromGradient } from '../../core/pipeline/descent.ts';
import { descent } from '../../core/pipeline/descent.ts';
import type { Period } from '../../core/pipeline/period.ts';
import { growing } from '../../core/pipeline/period.ts';
import type { Stage } from '../../core/pipeline/stage.ts';
import { capture } from '../../curvature/capture.ts';
import type { Curvature } from '../../curvature/curvature.ts';
import { updateFactors } from '../../curvature/curvature.ts';
import type { Equilibration } from '../../curvature/equilibrate.ts';
import { equilibrate } from '../../curvature/equilibrate.ts';
import type { EstimatorName } from '../../curvature/estimators.ts';
import { estimatorOf } from '../../curvature/estimators.ts';
import { sample } from '../../curvature/sample.ts';
import type { Biases } from '../../curvature/sites/biases.ts';
import type { ScaleShiftKind } from '../../curvature/sites/options.ts';
import type { Sharing } from '../../curvature/statistics/sharing.ts';
import type { CrossBatchOptions } from '../quadraticModel/judgement.ts';
import { crossBatchDamping } from '../quadraticModel/crossBatchDamping.ts';
import type { ModelUpdate } from '../quadraticModel/quadraticUpdate.ts';
import type { SeparateNeeds } from '../quadraticModel/separateDamping.ts';
import { separateDamping } from '../quadraticModel/separateDamping.ts';
import { between, notNegative, positive, wholeFrom } from '../settings/range.ts';
import type { Settings } from '../settings/setting.ts';
import { setting, tunable, withStandard } from '../settings/setting.ts';
import { ofCurvature, ofDamping, ofInverses, ofUpdates } from '../settings/table.ts';
import { damp } from '../solver/damp.ts';
import type { RefreshOptions } from '../solver/refresh.ts';
import type { Solver } from '../solver/solver.ts';
import { solve } from '../solver/solver.ts';
import { decay } from '../update/decay.ts';
import type { Decays } from '../update/rules/weightDecay.ts';

/** Settings that every K-FAC without units has. */
export interface ScaleFreeOptions {
  /** λ at step 0, as a fraction of the curvature's mean unless `equilibrated` says otherwise; 0.1 unless given. */
  readonly damping?: number;
  /** λ does not fall below this, 1e-3 unless given: with less, inverses of Kronecker factors lose their worth. */
  readonly minDamping?: number;
  /** λ does not rise above this for what steps are worth, 30 unless given. */
  readonly maxDamping?: number;
  /** Steps between two judgements of steps, by which λ adapts, and two looks at the quadratic model; 5 unless given. */
  readonly dampingEvery?: number;
  /** Factor per step by which λ adapts, in (0, 1); 0.95 unless given. */
  readonly dampingDecay?: number;
  /** Parameters that share a unit of curvature: `block` unless given; with `none` λ is in units of the loss. */
  readonly equilibrated?: Equilibration;
  /** κ: the gradient promises at most this part of the loss, 1 unless given. */
  readonly lossBound?: number;
  /** Decoupled weight decay per step, 0 unless given. */
  readonly weightDecay?: number;
  /** Which parameters decay, `all` unless given; `weights` leaves biases, gains and shifts out. */
  readonly decayed?: Decays;
  /** Which targets feed the Fisher, `monteCarlo` unless given; `forwardOnly` takes the inputs of layers alone. */
  readonly estimator?: EstimatorName;
  /** Whether a bias has a block with its weight, `joint` unless given, or one of its own, `separate`. */
  readonly biases?: Biases;
  /** Steps between two choices of the inverses' own damping γ²; 0, the default, takes λ for it. */
  readonly gammaEvery?: number;
  /** Factor per step by which γ adapts, in (0, 1). */
  readonly gammaDecay?: number;
  /** ρ of the factors' average, 0.95 unless given. */
  readonly decay?: number;
  /** Steps between two captures of statistics, 5 unless given. */
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
  /**
   * Part of a step's own work, forwards and backwards, that statistics may cost in the mean, and that inverses may: where they
   * would cost more, their periods are longer, up to 100 steps. 0.25 unless given; 0 sets no bound.
   */
  readonly share?: number;
  /** Steps in which periods, 1 at the start of a run, grow to what they stay; 40 unless given. With 0 they are so at once. */
  readonly settling?: number;
  /** Whether a parameter without a site is an error. */
  readonly strict?: boolean;
  /** Weights that meet one example at several positions, `expand` unless given. */
  readonly sharing?: Sharing;
  /** Second moments of gain and shift, `full` unless given. */
  readonly scaleShift?: ScaleShiftKind;
}

/** Settings of every K-FAC without units. */
export const scaleFreeSettings: Settings<ScaleFreeOptions> = {
  damping: tunable(setting(positive, 0.1, 'λ at step 0, a fraction of the mean curvature'), [1e-2, 3], 'log'),
  minDamping: setting(positive, 1e-3, ofDamping.minDamping.meaning),
  maxDamping: ofDamping.maxDamping,
  dampingEvery: setting(wholeFrom(1), 5, 'steps between two judgements of steps, and two looks at the model'),
  dampingDecay: setting(between, 0.95, 'factor per step by which λ adapts'),
  equilibrated: ofDamping.equilibrated,
  lossBound: tunable(ofUpdates.lossBound, [0.1, 3], 'log'),
  weightDecay: setting(notNegative, 0, 'decoupled weight decay per step'),
  decayed: ofUpdates.decayed,
  estimator: ofCurvature.estimator,
  biases: ofCurvature.biases,
  gammaEvery: ofDamping.gammaEvery,
  gammaDecay: ofDamping.gammaDecay,
  decay: ofCurvature.decay,
  statisticsEvery: withStandard(ofCurvature.statisticsEvery, 5),
  statisticsFraction: withStandard(ofCurvature.statisticsFraction, 0.25),
  modelFraction: ofCurvature.modelFraction,
  atLeast: ofCurvature.atLeast,
  inverseEvery: ofInverses.inverseEvery,
  inverseDrift: ofInverses.inverseDrift,
  inverseStaleness: ofInverses.inverseStaleness,
  share: ofInverses.share,
  settling: ofInverses.settling,
  strict: ofCurvature.strict,
  sharing: ofCurvature.sharing,
  scaleShift: ofCurvature.scaleShift,
};

/** Settings that are all there. */
export type ScaleFreeSettings = Required<ScaleFreeOptions>;

/**
 * A period that grows in the first steps, and with what it costs.
 *
 * @param every - steps, where that is not too dear
 * @param settings - how it grows, and the part of a step's work that it may cost
 */
export const periodOf = (every: number, { settling, share }: Pick<ScaleFreeSettings, 'settling' | 'share'>): Period =>
  growing(every, { over: settling, share: share === 0 ? Infinity : share });

/** What decides when inverses are made. */
type Refreshing = Pick<ScaleFreeSettings, 'inverseEvery' | 'inverseDrift' | 'inverseStaleness'> &
  Partial<Pick<ScaleFreeSettings, 'settling' | 'share'>>;

/**
 * When inverses are refreshed, from settings.
 *
 * @param settings - period, how it grows, drift and staleness
 */
export const refreshOf = ({
  inverseEvery,
  inverseDrift,
  inverseStaleness,
  settling = 0,
  share = 0,
}: Refreshing): Required<Pick<RefreshOptions, 'every' | 'overlap'>> => ({
  every:
    inverseDrift === 0 ? periodOf(inverseEvery, { settling, share }) : { drift: inverseDrift, atMost: inverseEvery },
  overlap: { staleness: inverseStaleness },
});

/**
 * How λ adapts, from settings: a least λ above the usual greatest one raises both.
 *
 * @param settings - period, how it grows, rate and bounds
 */
export const adaptingOf = (
  settings: Pick<ScaleFreeSettings, 'dampingEvery' | 'dampingDecay' | 'minDamping' | 'maxDamping' | 'settling'>,
): Required<Pick<CrossBatchOptions, 'every' | 'decay' | 'minimum' | 'maximum' | 'raise'>> => ({
  every: periodOf(settings.dampingEvery, { settling: settings.settling, share: 0 }),
  decay: settings.dampingDecay,
  minimum: settings.minDamping,
  maximum: Math.max(settings.maxDamping, settings.minDamping),
  // Steps have a bound, which is what gets smaller where one is not taken.
  raise: 0,
});

/** From the gradient to a direction, with the λ that it was damped by. */
type Damped = Stage<FromGradient, FromGradient | 'damping' | 'direction'>;

/** What decides a direction. */
type Directing = Pick<
  ScaleFreeSettings,
  | 'damping'
  | 'equilibrated'
  | 'estimator'
  | 'biases'
  | 'statisticsEvery'
  | 'statisticsFraction'
  | 'atLeast'
  | 'inverseEvery'
  | 'settling'
  | 'share'
>;

/**
 * From the gradient to a direction, in whatever units the loss is.
 *
 * @param settings - settings
 * @param curvature - from captures to an operator
 * @param solver - from the operator to a direction
 */
export const scaleFreeDirection = (
  settings: Directing,
  curvature: Curvature,
  solver: Solver<SeparateNeeds>,
): Damped => {
  const every = periodOf(settings.statisticsEvery, settings);
  const sampled = { fraction: settings.statisticsFraction, atLeast: settings.atLeast };
  return descent(
    sample({ ...sampled, every }),
    capture(estimatorOf(settings.estimator), { every, sampled, biases: settings.biases }),
    updateFactors(curvature),
    equilibrate({ by: settings.equilibrated, every: periodOf(settings.inverseEvery, settings) }),
    damp(settings.damping),
    solve(solver),
  );
};

/**
 * From the gradient to the next state, in whatever units the loss is.
 *
 * @param settings - settings
 * @param curvature - from captures to an operator
 * @param solver - from the operator to a direction
 * @param updating - from the direction to the next state, given when to look at the model
 * @param judging - what answers to noise, and the ratios of what steps gain to what they should, between which it stays
 */
export const scaleFreeDescent = (
  settings: ScaleFreeSettings,
  curvature: Curvature,
  solver: Solver<SeparateNeeds>,
  updating: (every: Period) => ModelUpdate,
  judging: Pick<CrossBatchOptions, 'noise' | 'low' | 'high'> = {},
): Descent => {
  const { gammaEvery, gammaDecay, modelFraction, atLeast } = settings;
  const damped = gammaEvery === 0 ? solver : separateDamping({ every: gammaEvery, decay: gammaDecay }, solver);
  const adapting = adaptingOf(settings);
  const updated = descent(
    scaleFreeDirection(settings, curvature, damped),
    sample({ fraction: modelFraction, atLeast, every: adapting.every }),
    updating(adapting.every),
  );
  return descent(
    settings.weightDecay === 0 ? updated : descent(updated, decay(settings.weightDecay, settings.decayed)),
    crossBatchDamping({ ...adapting, ...judging }),
  );
};
