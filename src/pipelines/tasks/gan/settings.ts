/**
 * Settings that tasks of two networks share, and what they say.
 *
 * @module
 */
import { belowOne, oneOf, positive } from '../../../solvers/settings/range.ts';
import type { Settings } from '../../../solvers/settings/setting.ts';
import { setting } from '../../../solvers/settings/setting.ts';
import type { Playing } from './adversarial.ts';
import type { GanLossName, GanParts } from './pair.ts';
import { ganLossNames } from './pair.ts';

/** Settings of a game of two networks. */
export interface GanSettings {
  readonly loss?: GanLossName;
  /** What keeps the discriminator from being steep. */
  readonly penalty?: 'none' | 'r1' | 'gradient';
  /** γ of R₁, or λ of the gradient penalty. */
  readonly penaltyWeight?: number;
  /** Who moves when. */
  readonly moves?: 'inTurn' | 'atOnce';
  /** ρ of the average of the generator's parameters, 0 for none. */
  readonly averaging?: number;
}

/**
 * Ranges, defaults and meanings.
 *
 * @param standard - defaults of a task
 */
export const ganSettings = (standard: Required<GanSettings>): Settings<GanSettings> => ({
  loss: setting(oneOf(ganLossNames), standard.loss, 'what the players lower'),
  penalty: setting(
    oneOf(['none', 'r1', 'gradient']),
    standard.penalty,
    'on the length of the discriminator’s gradient: none, r1 at data, gradient between data and what is made',
  ),
  penaltyWeight: setting(positive, standard.penaltyWeight, 'γ of r1, or λ of the gradient penalty'),
  moves: setting(oneOf(['inTurn', 'atOnce']), standard.moves, 'whether the generator sees the discriminator’s step'),
  averaging: setting(belowOne, standard.averaging, 'ρ of the average of the generator’s parameters; 0 for none'),
});

/**
 * What settings say of the game.
 *
 * @param settings - all of them
 */
export const playingOf = ({
  loss,
  penalty,
  penaltyWeight,
  moves,
  averaging,
}: Required<GanSettings>): Pick<GanParts, 'loss' | 'penalty'> & Playing => ({
  loss,
  ...(penalty === 'none' ? {} : { penalty: { kind: penalty, weight: penaltyWeight } }),
  simultaneous: moves === 'atOnce',
  averaging,
});
