/**
 * Muon: orthogonalised momentum for hidden layers, Adam for the rest.
 *
 * @module
 */
import { descent } from '../../core/pipeline/descent.ts';
import { tunable, withStandard } from '../settings/setting.ts';
import { ofAdam, ofMuon, ofUpdates } from '../settings/table.ts';
import type { MuonOptions } from '../solver/muon.ts';
import { muon as muonSolver } from '../solver/muon.ts';
import { solve } from '../solver/solver.ts';
import type { Decays } from '../update/rules/weightDecay.ts';
import { decayedBy } from '../update/rules/weightDecay.ts';
import { update } from '../update/update.ts';
import type { Preset } from './preset.ts';
import { preset } from './preset.ts';

/** Settings of {@link muon}: those of the solver, where β₂ is 0.95 unless given, and of the update. */
export interface MuonPresetOptions extends MuonOptions {
  /** η, 1e-3 unless given, as Adam's; around 0.02 with the scale `spectral`. */
  readonly learningRate?: number;
  /** Decoupled weight decay, 0 unless given. */
  readonly weightDecay?: number;
  /** Which parameters decay, `all` unless given; `weights` leaves biases, gains and shifts out. */
  readonly decayed?: Decays;
}

/**
 * Muon [J24], with elements as large as Adam's [LSY25] unless another scale is asked for: one learning rate serves all.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { muonOptimizer } from 'kfac-ts/solvers';
 *
 * // As its author runs it: 0.02 for hidden layers, 3e-4 for Adam.
 * const optimizer = muonOptimizer({ scale: 'spectral', learningRate: 0.02, adamRate: 0.015 });
 * optimizer.name; // => 'muon'
 * ```
 */
export const muon: Preset<MuonPresetOptions> = preset<MuonPresetOptions>(
  'muon',
  {
    learningRate: tunable(withStandard(ofUpdates.learningRate, 1e-3), [1e-4, 3e-2], 'log'),
    ...ofMuon,
    ...ofAdam,
    beta2: withStandard(ofAdam.beta2, 0.95),
    weightDecay: ofUpdates.weightDecay,
    decayed: ofUpdates.decayed,
  },
  (settings) =>
    descent(solve(muonSolver(settings)), update({ learningRate: settings.learningRate, rules: decayedBy(settings) })),
);
