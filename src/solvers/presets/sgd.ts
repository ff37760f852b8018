/**
 * Stochastic gradient descent with momentum.
 *
 * @module
 */
import { descent } from '../../core/pipeline/descent.ts';
import { identity } from '../solver/firstOrder.ts';
import { momentum } from '../update/rules/momentum.ts';
import type { Decays } from '../update/rules/weightDecay.ts';
import { decayedBy } from '../update/rules/weightDecay.ts';
import { solve } from '../solver/solver.ts';
import { update } from '../update/update.ts';
import { tunable, withStandard } from '../settings/setting.ts';
import { ofUpdates } from '../settings/table.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';

/** Settings of {@link sgd}. */
export interface SgdOptions {
  /** η, 0.01 unless given. */
  readonly learningRate?: number;
  /** μ, 0.9 unless given. */
  readonly momentum?: number;
  /** Decoupled weight decay, 0 unless given. */
  readonly weightDecay?: number;
  /** Which parameters decay, `all` unless given; `weights` leaves biases, gains and shifts out. */
  readonly decayed?: Decays;
}

/**
 * SGD: the gradient, heavy-ball momentum.
 *
 * @param options - learning rate, momentum, weight decay
 * @example
 * ```ts
 * import { sgdOptimizer } from 'kfac-ts/solvers';
 *
 * sgdOptimizer({ learningRate: 0.05, momentum: 0.9 }).name; // => 'sgd'
 * ```
 */
export const sgd: Preset<SgdOptions> = preset<SgdOptions>(
  'sgd',
  {
    learningRate: tunable(withStandard(ofUpdates.learningRate, 0.01), [1e-3, 1], 'log'),
    momentum: tunable(withStandard(ofUpdates.momentum, 0.9), [0, 0.95], 'linear'),
    weightDecay: ofUpdates.weightDecay,
    decayed: ofUpdates.decayed,
  },
  (settings) =>
    descent(
      solve(identity),
      update({
        learningRate: settings.learningRate,
        rules: [momentum(settings.momentum), ...decayedBy(settings)],
      }),
    ),
);
