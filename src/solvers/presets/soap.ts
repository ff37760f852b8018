/**
 * SOAP: Adam in Shampoo's eigenbasis.
 *
 * @module
 */
import { descent } from '../../core/pipeline/descent.ts';
import { captureGradient } from '../../curvature/captureGradient.ts';
import { updateFactors } from '../../curvature/curvature.ts';
import { gradientFactors } from '../../curvature/gradientFactors.ts';
import { tunable, withStandard } from '../settings/setting.ts';
import { ofAdam, ofUpdates } from '../settings/table.ts';
import type { AdamOptions } from '../solver/moments.ts';
import { soap as soapSolver } from '../inverses/soap.ts';
import { solve } from '../solver/solver.ts';
import type { Decays } from '../update/rules/weightDecay.ts';
import { decayedBy } from '../update/rules/weightDecay.ts';
import { update } from '../update/update.ts';
import { refreshOf } from './scaleFree.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';
import type { GradientStatisticsOptions } from './shampoo.ts';
import { gradientStatistics } from './shampoo.ts';

/** Settings of {@link soap}: β₁ and β₂ are 0.95 unless given, vectors have no basis but their own. */
export interface SoapPresetOptions extends GradientStatisticsOptions, AdamOptions {
  /** η, 3e-3 unless given. */
  readonly learningRate?: number;
  /** Decoupled weight decay, 0 unless given. */
  readonly weightDecay?: number;
  /** Which parameters decay, `all` unless given; `weights` leaves biases, gains and shifts out. */
  readonly decayed?: Decays;
}

/**
 * SOAP [VMZ24] with the defaults of its paper: a basis every 10 steps, by one power iteration. The first step only gathers.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { soapOptimizer } from 'kfac-ts/solvers';
 *
 * soapOptimizer({ learningRate: 1e-3, inverseEvery: 20 }).name; // => 'soap'
 * ```
 */
export const soap: Preset<SoapPresetOptions> = preset<SoapPresetOptions>(
  'soap',
  {
    learningRate: tunable(withStandard(ofUpdates.learningRate, 3e-3), [1e-4, 3e-2], 'log'),
    ...ofAdam,
    beta1: withStandard(ofAdam.beta1, 0.95),
    beta2: withStandard(ofAdam.beta2, 0.95),
    ...gradientStatistics,
    vectors: withStandard(gradientStatistics.vectors, 'diagonal'),
    weightDecay: ofUpdates.weightDecay,
    decayed: ofUpdates.decayed,
  },
  (settings) =>
    descent(
      captureGradient({ every: settings.statisticsEvery }),
      updateFactors(gradientFactors(settings)),
      solve(soapSolver({ ...settings, ...refreshOf(settings) })),
      update({ learningRate: settings.learningRate, rules: decayedBy(settings) }),
    ),
);
