/**
 * Adam.
 *
 * @module
 */
import { descent } from '../../core/pipeline/descent.ts';
import { adam as adamSolver } from '../solver/firstOrder.ts';
import type { Decays } from '../update/rules/weightDecay.ts';
import { decayedBy } from '../update/rules/weightDecay.ts';
import { solve } from '../solver/solver.ts';
import { update } from '../update/update.ts';
import { tunable, withStandard } from '../settings/setting.ts';
import { ofAdam, ofUpdates } from '../settings/table.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';

/** Settings of {@link adam}. */
export interface AdamPresetOptions {
  /** η, 1e-3 unless given. */
  readonly learningRate?: number;
  /** β₁, 0.9 unless given. */
  readonly beta1?: number;
  /** β₂, 0.999 unless given. */
  readonly beta2?: number;
  /** ε, 1e-8 unless given. */
  readonly epsilon?: number;
  /** Decoupled weight decay, 0 unless given. */
  readonly weightDecay?: number;
  /** Which parameters decay, `all` unless given; `weights` leaves biases, gains and shifts out. */
  readonly decayed?: Decays;
}

/**
 * Adam [KB15].
 *
 * @param options - learning rate, moments, weight decay
 * @example
 * ```ts
 * import { adamOptimizer } from 'kfac-ts/solvers';
 *
 * adamOptimizer({ learningRate: 3e-3, beta2: 0.99 }).name; // => 'adam'
 * ```
 */
export const adam: Preset<AdamPresetOptions> = preset<AdamPresetOptions>(
  'adam',
  {
    learningRate: tunable(withStandard(ofUpdates.learningRate, 1e-3), [1e-4, 3e-2], 'log'),
    ...ofAdam,
    weightDecay: ofUpdates.weightDecay,
    decayed: ofUpdates.decayed,
  },
  (settings) =>
    descent(solve(adamSolver(settings)), update({ learningRate: settings.learningRate, rules: decayedBy(settings) })),
);
