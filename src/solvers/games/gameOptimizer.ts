/**
 * Optimizers of games: steps of all players as one, from settings in one table.
 *
 * With one player a game is an objective like any other, so an optimizer of games is an optimizer, too: its Jacobian is then the
 * Hessian, and nothing turns.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import { attempt, raise } from '../../core/errors.ts';
import type { Stage, Step } from '../../core/pipeline/stage.ts';
import { learn } from '../../core/pipeline/withObjective.ts';
import type { Optimizer } from '../presets/optimizer.ts';
import { refused } from '../presets/preset.ts';
import type { Settings, SettingValue } from '../settings/setting.ts';
import { settled, standardsOf } from '../settings/setting.ts';
import type { NetworkGame } from './networks.ts';

/** A step of all players. */
export type GameStep = Stage<'state' | 'batch', 'next' | 'metrics'>;

/** An optimizer that moves all players of a game at once. */
export interface GameOptimizer extends Optimizer {
  /** A step of networks that play. */
  readonly play: (game: NetworkGame) => GameStep;
}

/** An optimizer of games from options, each with a default. */
export interface GamePreset<Options> {
  (options?: Options): GameOptimizer;
  /** Range, default and meaning of every option. */
  readonly settings: Settings<Options>;
}

/**
 * Whether an optimizer moves all players of a game at once; any other is for each player by itself.
 *
 * @param optimizer - any
 * @example
 * ```ts
 * import { adamOptimizer, isGameOptimizer, symplecticDescent } from 'kfac-ts/solvers';
 *
 * [symplecticDescent(), adamOptimizer()].map(isGameOptimizer); // => [true, false]
 * ```
 */
export const isGameOptimizer = (optimizer: Optimizer): optimizer is GameOptimizer =>
  'play' in optimizer && typeof optimizer.play === 'function';

/** A step that brings what the first player learns, for stages that ask for an objective; each player has its own. */
const played = (game: NetworkGame, step: Step): GameStep =>
  game.length === 0
    ? raise({ _tag: 'BadConfig', path: 'game', expected: 'at least one player', actual: 'none' })
    : learn(game[0].objective, step);

/**
 * An optimizer of games. Options out of range or unknown are an error of its first step, before anything is computed.
 *
 * @param name - for reports
 * @param settings - every option
 * @param make - a step of a game, given settings that are all there
 * @example
 * ```ts
 * import { playGame, solve, symplectic, update, gamePreset, isGameOptimizer } from 'kfac-ts/solvers';
 * import { pipeline } from 'kfac-ts/core';
 *
 * // One without settings.
 * const plain = gamePreset<object>('plain', {}, (_, game) =>
 *   pipeline(playGame(game), solve(symplectic(game)), update({ learningRate: 0.1 })),
 * );
 * isGameOptimizer(plain()); // => true
 * ```
 */
export const gamePreset = <Options extends { readonly [Name in keyof Options]: SettingValue }>(
  name: string,
  settings: Settings<Options>,
  make: (settings: Required<Options>, game: NetworkGame) => Step,
): GamePreset<Options> =>
  Object.assign(
    (options?: Options): GameOptimizer => {
      const all = settled<Options>(name, settings, { ...options });
      const play = (game: NetworkGame): GameStep =>
        pipe(
          all,
          E.chainW((found) => attempt(() => played(game, make(found, game)))),
          E.getOrElseW(refused),
        );
      return {
        name,
        hyperparameters: { ...standardsOf<SettingValue>(settings), ...options },
        play,
        step: {
          name,
          foresee: () => (E.isLeft(all) ? all.left : null),
          run: (given) => play([{ name: 'only', parameters: 'all', objective: given.objective }]).run(given),
        },
      };
    },
    { settings },
  );
