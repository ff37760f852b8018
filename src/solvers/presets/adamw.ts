/**
 * AdamW: Adam whose weight decay is decoupled from the gradient.
 *
 * @module
 */
import { descent } from '../../core/pipeline/descent.ts';
import { adam } from '../solver/firstOrder.ts';
import { decayedBy } from '../update/rules/weightDecay.ts';
import { solve } from '../solver/solver.ts';
import { update } from '../update/update.ts';
import { tunable, withStandard } from '../settings/setting.ts';
import { ofAdam, ofUpdates } from '../settings/table.ts';
import type { AdamPresetOptions } from './adam.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';

/** Settings of {@link adamw}: those of Adam, with a weight decay of 0.01 unless given. */
export type AdamwOptions = AdamPresetOptions;

/**
 * AdamW [LH19, algorithm 2]: θ ← θ − η (m̂ / (√v̂ + ε) + w θ). All parameters decay unless `decayed` says weights alone.
 *
 * @param options - learning rate, moments, weight decay
 * @example
 * ```ts
 * import { adamwOptimizer } from 'kfac-ts/solvers';
 *
 * adamwOptimizer({ learningRate: 3e-4, weightDecay: 0.1 }).name; // => 'adamw'
 * ```
 */
export const adamw: Preset<AdamwOptions> = preset<AdamwOptions>(
  'adamw',
  {
    learningRate: tunable(withStandard(ofUpdates.learningRate, 1e-3), [1e-4, 3e-2], 'log'),
    ...ofAdam,
    weightDecay: withStandard(ofUpdates.weightDecay, 0.01),
    decayed: ofUpdates.decayed,
  },
  (settings) =>
    descent(solve(adam(settings)), update({ learningRate: settings.learningRate, rules: decayedBy(settings) })),
);
