/**
 * Shampoo, grafted.
 *
 * @module
 */
import type { Descent } from '../../core/pipeline/descent.ts';
import { descent } from '../../core/pipeline/descent.ts';
import { captureGradient } from '../../curvature/captureGradient.ts';
import { updateFactors } from '../../curvature/curvature.ts';
import type { GradientFactorsOptions } from '../../curvature/gradientFactors.ts';
import { gradientFactors } from '../../curvature/gradientFactors.ts';
import { rootInverse } from '../inverses/rootInverse.ts';
import type { Settings } from '../settings/setting.ts';
import { withStandard } from '../settings/setting.ts';
import type { Grafted } from '../settings/table.ts';
import {
  ofAdam,
  ofCurvature,
  ofGradients,
  ofGraftedUpdates,
  ofGrafting,
  ofInverses,
  ofUpdates,
} from '../settings/table.ts';
import { damp } from '../solver/damp.ts';
import type { AdamOptions } from '../solver/moments.ts';
import { preconditioned } from '../solver/preconditioned.ts';
import { solve } from '../solver/solver.ts';
import type { Grafting } from '../update/rules/grouped.ts';
import type { Decays } from '../update/rules/weightDecay.ts';
import { decayedBy } from '../update/rules/weightDecay.ts';
import { update } from '../update/update.ts';
import { refreshOf } from './scaleFree.ts';
import { graftedBy } from './kfacGrafted.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';

/** Settings of statistics of gradients, and of what is prepared of them. */
export interface GradientStatisticsOptions extends GradientFactorsOptions {
  /** Steps between two captures of statistics, 1 unless given. */
  readonly statisticsEvery?: number;
  /** Steps between two preparations, 10 unless given; at most so many where they follow the drift. */
  readonly inverseEvery?: number;
  /** Relative change of the factors that calls for a preparation; 0, the default, counts steps. */
  readonly inverseDrift?: number;
  /** Steps that go on with what was prepared last while the next is made; 0, the default, waits. */
  readonly inverseStaleness?: number;
}

/** Settings of {@link shampoo}. */
export interface ShampooOptions extends GradientStatisticsOptions, AdamOptions {
  /** Relative change of the factors that calls for new roots, 0.5 unless given: often at first, seldom later. */
  readonly inverseDrift?: number;
  /** Steps between two preparations at most, 20 unless given. */
  readonly inverseEvery?: number;
  /** η, 1e-3 unless given, in units of the steps whose length is taken. */
  readonly learningRate?: number;
  /** μ, 0.9 unless given. */
  readonly momentum?: number;
  /** What a factor gains, as a multiple of its largest eigenvalue; 1e-6 unless given. */
  readonly relativeDamping?: number;
  /** Whose length a step has, `adam` unless given; `sgd` is SGD with the momentum μ. */
  readonly length?: Grafted;
  /** What takes a length: each parameter array, each layer, or the whole; `parameter` unless given. */
  readonly by?: Grafting;
  /** Decoupled weight decay, 0 unless given. */
  readonly weightDecay?: number;
  /** Which parameters decay, `all` unless given; `weights` leaves biases, gains and shifts out. */
  readonly decayed?: Decays;
}

/** Settings that Shampoo shares with what else looks at statistics of gradients. */
export const gradientStatistics: Settings<GradientStatisticsOptions> = {
  decay: ofCurvature.decay,
  ...ofGradients,
  statisticsEvery: ofCurvature.statisticsEvery,
  inverseEvery: withStandard(ofInverses.inverseEvery, 10),
  inverseDrift: ofInverses.inverseDrift,
  inverseStaleness: ofInverses.inverseStaleness,
};

const descentOf = (settings: Required<ShampooOptions>): Descent =>
  descent(
    captureGradient({ every: settings.statisticsEvery }),
    updateFactors(gradientFactors(settings)),
    damp(settings.relativeDamping),
    solve(preconditioned(rootInverse, refreshOf(settings))),
    update({
      learningRate: settings.learningRate,
      rules: [...graftedBy(settings), ...decayedBy(settings)],
    }),
  );

/**
 * Shampoo [GKS18] with averages in the place of sums, and the lengths of Adam or of SGD with momentum [AGK20]: a step is
 * exactly as long as the other optimizer's, and its learning rate carries over. Roots follow the drift of the factors: those
 * of the first gradients know few directions, and scale all others up.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { shampooOptimizer } from 'kfac-ts/solvers';
 *
 * shampooOptimizer({ inverseEvery: 20, limit: 1024, length: 'sgd', learningRate: 0.1 }).name; // => 'shampoo'
 * ```
 */
export const shampoo: Preset<ShampooOptions> = preset<ShampooOptions>(
  'shampoo',
  {
    ...ofGraftedUpdates,
    ...gradientStatistics,
    decay: withStandard(ofCurvature.decay, 0.999),
    inverseEvery: withStandard(ofInverses.inverseEvery, 20),
    inverseDrift: withStandard(ofInverses.inverseDrift, 0.5),
    relativeDamping: ofInverses.relativeDamping,
    ...ofAdam,
    ...ofGrafting,
    weightDecay: ofUpdates.weightDecay,
    decayed: ofUpdates.decayed,
  },
  descentOf,
);
