/**
 * Optimizers of games by name: each is a short composition of public parts.
 *
 * @module
 */
import { descent } from '../../core/pipeline/descent.ts';
import { pipeline } from '../../core/pipeline/stage.ts';
import { capture } from '../../curvature/capture.ts';
import { updateFactors } from '../../curvature/curvature.ts';
import { monteCarlo } from '../../curvature/estimators.ts';
import { kfac } from '../../curvature/kfac.ts';
import { kroneckerInverse } from '../inverses/kroneckerInverse.ts';
import { finite, oneOf, positive, truth, wholeBetween } from '../settings/range.ts';
import type { Settings } from '../settings/setting.ts';
import { setting, tunable, withStandard } from '../settings/setting.ts';
import { ofCurvature, ofInverses, ofIterations, ofUpdates } from '../settings/table.ts';
import { damp } from '../solver/damp.ts';
import { identity } from '../solver/firstOrder.ts';
import { solve } from '../solver/solver.ts';
import { momentum } from '../update/rules/momentum.ts';
import { clipByGlobalNorm } from '../update/rules/clipByGlobalNorm.ts';
import { update } from '../update/update.ts';
import { competitive } from './competitive.ts';
import type { GamePreset } from './gameOptimizer.ts';
import { gamePreset } from './gameOptimizer.ts';
import { preconditionedGameNewton } from './gameNewton.ts';
import { playGame } from './playGame.ts';
import { symplectic } from './symplectic.ts';

/** Settings of `simultaneous`. */
export interface SimultaneousOptions {
  /** η, 0.05 unless given. */
  readonly learningRate?: number;
  /** μ, 0 unless given. */
  readonly momentum?: number;
}

/** Settings of all descents in games. */
const ofDescent: Settings<SimultaneousOptions> = {
  learningRate: tunable(withStandard(ofUpdates.learningRate, 0.05), [1e-2, 1], 'log'),
  momentum: tunable(withStandard(ofUpdates.momentum, 0), [0, 0.9], 'linear'),
};

/**
 * Simultaneous gradient descent: each player goes down its own gradient, which in a game that turns leads in circles, outward.
 * Here to be compared with.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { simultaneousDescent } from 'kfac-ts/solvers';
 *
 * simultaneousDescent({ learningRate: 0.1 }).name; // => 'simultaneous'
 * ```
 */
export const simultaneousDescent: GamePreset<SimultaneousOptions> = gamePreset<SimultaneousOptions>(
  'simultaneous',
  ofDescent,
  ({ learningRate, momentum: mu }, game) =>
    pipeline(playGame(game), solve(identity), update({ learningRate, rules: [momentum(mu)] })),
);

/** Settings of {@link symplecticDescent}. */
export interface SymplecticDescentOptions extends SimultaneousOptions {
  /** τ, how much of the adjustment is added; 1 unless given. */
  readonly tau?: number;
  /** Whether τ takes the sign that pulls towards stable fixed points; yes unless given. */
  readonly align?: boolean;
}

/**
 * Symplectic gradient adjustment [B18], two products with the game's Jacobian in a step.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { symplecticDescent } from 'kfac-ts/solvers';
 *
 * symplecticDescent({ tau: 1, align: true }).name; // => 'symplectic'
 * ```
 */
export const symplecticDescent: GamePreset<SymplecticDescentOptions> = gamePreset<SymplecticDescentOptions>(
  'symplectic',
  {
    ...ofDescent,
    tau: tunable(setting(finite, 1, 'τ, how much of the adjustment is added'), [0.1, 10], 'log'),
    align: setting(truth, true, 'whether τ takes the sign that pulls towards stable fixed points'),
  },
  ({ learningRate, momentum: mu, tau, align }, game) =>
    pipeline(playGame(game), solve(symplectic(game, { tau, align })), update({ learningRate, rules: [momentum(mu)] })),
);

/** Settings of {@link competitiveDescent}. */
export interface CompetitiveDescentOptions extends SimultaneousOptions {
  /** Relative residual of the solve, 1e-3 unless given. */
  readonly tolerance?: number;
  /** Iterations per step at most, 20 unless given. */
  readonly maxIterations?: number;
}

/**
 * Competitive gradient descent [S19]: the equilibrium of the local bilinear game, by GMRES.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { competitiveDescent } from 'kfac-ts/solvers';
 *
 * competitiveDescent({ learningRate: 0.1 }).name; // => 'competitive'
 * ```
 */
export const competitiveDescent: GamePreset<CompetitiveDescentOptions> = gamePreset<CompetitiveDescentOptions>(
  'competitive',
  {
    ...ofDescent,
    tolerance: withStandard(ofIterations.tolerance, 1e-3),
    maxIterations: withStandard(ofIterations.maxIterations, 20),
  },
  ({ learningRate, momentum: mu, ...stopping }, game) =>
    pipeline(
      playGame(game),
      solve(competitive(game, { learningRate, ...stopping })),
      update({ learningRate, rules: [momentum(mu)] }),
    ),
);

/** Ways to solve a game's Newton step. */
const methods = ['gmres', 'hss'] as const;

/** Settings of {@link newtonOfGames}. */
export interface NewtonOfGamesOptions {
  /** η, 1 unless given. */
  readonly learningRate?: number;
  /** λ, added to the game's Jacobian; in units of the loss per example. */
  readonly damping?: number;
  /** `gmres` unless given. */
  readonly method?: (typeof methods)[number];
  /** ρ of the factors' average, 0.95 unless given. */
  readonly decay?: number;
  /** Steps between two captures of statistics. */
  readonly statisticsEvery?: number;
  /** Steps between two preparations of the inverses. */
  readonly inverseEvery?: number;
  /** Relative residual of the solve. */
  readonly tolerance?: number;
  /** Iterations per step at most. */
  readonly maxIterations?: number;
  /** Longest step. */
  readonly longest?: number;
}

/** Settings of {@link newtonOfGames}. */
const newtonSettings: Settings<NewtonOfGamesOptions> = {
  learningRate: tunable(withStandard(ofUpdates.learningRate, 1), [0.1, 1], 'log'),
  damping: tunable(setting(positive, 1, 'λ, added to the Jacobian of the game'), [1e-2, 10], 'log'),
  method: setting(oneOf(methods), 'gmres', 'how the system is solved'),
  decay: ofCurvature.decay,
  statisticsEvery: withStandard(ofCurvature.statisticsEvery, 5),
  inverseEvery: ofInverses.inverseEvery,
  tolerance: withStandard(ofIterations.tolerance, 1e-2),
  maxIterations: setting(wholeBetween(1, 1000), 20, 'iterations per step at most'),
  longest: tunable(setting(positive, 1, 'longest step, in units of the parameters'), [0.03, 3], 'log'),
};

const newton = (name: string, settings: Settings<NewtonOfGamesOptions>): GamePreset<NewtonOfGamesOptions> =>
  gamePreset<NewtonOfGamesOptions>(name, settings, (chosen, game) => {
    const { learningRate, damping, method, decay, statisticsEvery, inverseEvery, tolerance, maxIterations } = chosen;
    return pipeline(
      playGame(game, descent(capture(monteCarlo(), { every: statisticsEvery }), updateFactors(kfac({ decay })))),
      damp(damping),
      solve(
        preconditionedGameNewton(game, {
          preconditioner: kroneckerInverse,
          every: inverseEvery,
          method,
          tolerance,
          maxIterations,
        }),
      ),
      update({ learningRate, rules: [clipByGlobalNorm(chosen.longest)] }),
    );
  });

/**
 * Damped Newton steps of all players at once, (J + λ I) d = ξ with the game's Jacobian J, by GMRES with each player's K-FAC for a
 * preconditioner.
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { newtonOfGames } from 'kfac-ts/solvers';
 *
 * newtonOfGames({ damping: 0.5 }).name; // => 'game-newton'
 * ```
 */
export const newtonOfGames: GamePreset<NewtonOfGamesOptions> = newton('game-newton', newtonSettings);

/**
 * The same by splitting J into its symmetric and its skew part [BGN03].
 *
 * @param options - settings, each with a default
 * @example
 * ```ts
 * import { splittingOfGames } from 'kfac-ts/solvers';
 *
 * splittingOfGames({ damping: 0.5 }).hyperparameters['method']; // => 'hss'
 * ```
 */
export const splittingOfGames: GamePreset<NewtonOfGamesOptions> = newton('game-hss', {
  ...newtonSettings,
  method: { ...newtonSettings.method, standard: 'hss' },
});
