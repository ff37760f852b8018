/**
 * K-FAC's direction with the length of a first-order step, so that a recipe for that optimizer carries over.
 *
 * @module
 */
import { descent } from '../../core/pipeline/descent.ts';
import { kfac as kfacCurvature } from '../../curvature/kfac.ts';
import { kroneckerInverse } from '../inverses/kroneckerInverse.ts';
import { tunable, withStandard } from '../settings/setting.ts';
import type { Grafted } from '../settings/table.ts';
import { ofAdam, ofGraftedUpdates, ofGrafting } from '../settings/table.ts';
import type { AdamOptions } from '../solver/moments.ts';
import { preconditioned } from '../solver/preconditioned.ts';
import { adamRule } from '../update/rules/adamRule.ts';
import { graft } from '../update/rules/graft.ts';
import type { Grafting } from '../update/rules/grouped.ts';
import { momentum } from '../update/rules/momentum.ts';
import { normalise } from '../update/rules/normalise.ts';
import type { UpdateRule } from '../update/rules/rule.ts';
import { decayedBy } from '../update/rules/weightDecay.ts';
import { update } from '../update/update.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';
import type { ScaleFreeOptions } from './scaleFree.ts';
import { refreshOf, scaleFreeDirection, scaleFreeSettings } from './scaleFree.ts';

/** Of K-FAC's settings those that a step of given length has a use for. */
const ofKfac = {
  damping: tunable(withStandard(scaleFreeSettings.damping, 1, 'λ, a fraction of the mean curvature'), [0.1, 10], 'log'),
  equilibrated: withStandard(scaleFreeSettings.equilibrated, 'whole'),
  weightDecay: scaleFreeSettings.weightDecay,
  decayed: scaleFreeSettings.decayed,
  estimator: scaleFreeSettings.estimator,
  biases: scaleFreeSettings.biases,
  decay: scaleFreeSettings.decay,
  statisticsEvery: scaleFreeSettings.statisticsEvery,
  statisticsFraction: scaleFreeSettings.statisticsFraction,
  atLeast: scaleFreeSettings.atLeast,
  inverseEvery: scaleFreeSettings.inverseEvery,
  inverseDrift: scaleFreeSettings.inverseDrift,
  inverseStaleness: scaleFreeSettings.inverseStaleness,
  share: scaleFreeSettings.share,
  settling: scaleFreeSettings.settling,
  strict: scaleFreeSettings.strict,
  sharing: scaleFreeSettings.sharing,
  scaleShift: scaleFreeSettings.scaleShift,
};

/** Settings of {@link kfacGrafted}. λ stays what it is: no model says what a step of given length should have gained. */
export interface KfacGraftedOptions extends Pick<ScaleFreeOptions, keyof typeof ofKfac>, AdamOptions {
  /** η, in units of the steps whose length is taken; 1e-3 unless given. */
  readonly learningRate?: number;
  /** μ of the momentum of directions, which does not lengthen steps; 0.9 unless given. */
  readonly momentum?: number;
  /** Whose length a step has, `adam` unless given; `sgd` is SGD with the momentum μ. */
  readonly length?: Grafted;
  /** What takes a length: each parameter array, each layer, or the whole; `whole` unless given. */
  readonly by?: Grafting;
}

/**
 * Rules that graft: momentum of directions of one length says where a step goes, the length of the other optimizer's step how
 * far.
 *
 * @param settings - momentum μ, the other optimizer with its β₁, β₂ and ε, what takes a length
 */
export const graftedBy = ({
  momentum: mu,
  length,
  by,
  beta1,
  beta2,
  epsilon,
}: Required<Pick<KfacGraftedOptions, 'momentum' | 'length' | 'by' | keyof AdamOptions>>): ReadonlyArray<UpdateRule> => [
  normalise({ by }),
  momentum(mu),
  graft({ length: [length === 'adam' ? adamRule({ beta1, beta2, epsilon }) : momentum(mu)], by }),
];

/**
 * K-FAC with the lengths of Adam, or of SGD with momentum. Momentum comes before grafting, where it turns a step and does not
 * lengthen it: a step is exactly as long as the other optimizer's at the same learning rate, whose first moment has its
 * momentum already. How that length is shared out among the layers is the curvature's to say, unless each layer is to take its
 * own.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { kfacGraftedOptimizer } from 'kfac-ts/solvers';
 *
 * // The rate of an Adam recipe, and that of an SGD recipe.
 * kfacGraftedOptimizer({ learningRate: 3e-4 }).name; // => 'kfac-grafted'
 * const likeSgd = kfacGraftedOptimizer({ length: 'sgd', learningRate: 0.1 });
 * ```
 */
export const kfacGrafted: Preset<KfacGraftedOptions> = preset<KfacGraftedOptions>(
  'kfac-grafted',
  {
    ...ofKfac,
    ...ofGraftedUpdates,
    ...ofAdam,
    ...ofGrafting,
    by: withStandard(ofGrafting.by, 'whole'),
  },
  (settings) =>
    descent(
      scaleFreeDirection(settings, kfacCurvature(settings), preconditioned(kroneckerInverse, refreshOf(settings))),
      update({ learningRate: settings.learningRate, rules: [...graftedBy(settings), ...decayedBy(settings)] }),
    ),
);
