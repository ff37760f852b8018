/**
 * Games of networks: what each player lowers is an objective, with a model and a loss, and not a program of its own.
 *
 * In a step such a game is one of programs, whose constants are the arrays of the batch, running state and parameters that are
 * held fixed. All players draw with the same key.
 *
 * @module
 */
import type { Program } from '../../core/autodiff/program.ts';
import { listed, relisted } from '../../core/nn/layers/circumstances.ts';
import type { Circumstances } from '../../core/nn/layers/circumstances.ts';
import type { Context } from '../../core/pipeline/context.ts';
import { circumstancesOf } from '../../core/pipeline/forward.ts';
import { outputsAt } from '../../core/pipeline/linearise.ts';
import type { Objective } from '../../core/pipeline/objective.ts';
import { judgingOf } from '../../core/pipeline/objective.ts';
import { wholeLoss } from '../../core/pipeline/penalty.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Share } from '../groups/members.ts';
import { groupsOf } from '../groups/members.ts';
import type { Game, Player } from './game.ts';
import { inputsOf } from './game.ts';

/** One who moves some of the parameters of networks. */
export interface NetworkPlayer {
  /** Names its memory in the state, and stands before its metrics: `generator`, `discriminator`. */
  readonly name: string;
  /** Which parameters are its own: every parameter is exactly one player's. */
  readonly parameters: Share;
  /**
   * What it lowers. Its model sees the parameters of all players, of which the others' are constants in its step; nothing is cut
   * off by `stopGradient`, which would hide from a game how each player's gradient moves with the others' parameters.
   */
  readonly objective: Objective;
}

/** Networks that play. */
export type NetworkGame = ReadonlyArray<NetworkPlayer>;

/** Players that lower programs, or networks that play. */
export type AnyGame = Game | NetworkGame;

/** A game as programs, in a step. */
export interface Posed<T> {
  readonly game: Game;
  /** Constants of the losses. */
  readonly inputs: ReadonlyArray<T>;
}

/**
 * Whether a game is one of networks.
 *
 * @param game - of either sort
 */
export const areNetworks = (game: AnyGame): game is NetworkGame =>
  game.every((player: Player | NetworkPlayer) => 'objective' in player);

/**
 * Players in an order that does not depend on who is named first, in which sums over them are taken.
 *
 * @param players - with names
 */
export const byName = <A extends { readonly name: string }>(players: ReadonlyArray<A>): ReadonlyArray<A> =>
  players.toSorted((a, b) => (a.name < b.name ? -1 : 1));

/** What a network lowers, of all parameters that are trained. */
const programOf =
  <T>(objective: Objective, like: Circumstances<T>, heldPaths: ReadonlyArray<string>): Program =>
  (ops, params, inputs) => {
    const at = relisted(like, inputs);
    const theirs = inputs.slice(inputs.length - heldPaths.length);
    const held = Object.fromEntries(heldPaths.map((path, i) => [path, theirs[i]]));
    const outputs = outputsAt(ops, { model: objective.model, params, held, at });
    return wholeLoss(ops, objective, outputs, judgingOf(ops, objective, at.arrays), { params, held, at });
  };

/**
 * A game as programs of the parameters that are trained.
 *
 * @param game - of either sort
 * @param context - state and batch of the step
 * @example
 * ```ts
 * import { dense, initialState, keyOf, model, referenceBackend, squaredError, tensor } from 'kfac-ts/core';
 * import { jointGradient, posed, type NetworkGame } from 'kfac-ts/solvers';
 *
 * // One player, y = 2 x where 5 was wanted: the gradient of ½ (2 x − 5)² at x = 1.
 * const line = { model: model('line', [1], dense({ in: 1, out: 1, bias: false })), loss: squaredError };
 * const game: NetworkGame = [{ name: 'only', parameters: 'all', objective: line }];
 * const state = initialState({ weight: tensor([2], [1, 1]) }, keyOf(1));
 * const batch = { inputs: tensor([1], [1, 1]), targets: tensor([5], [1, 1]) };
 * const { game: programs, inputs } = posed(game, { state, batch });
 * jointGradient(programs)(referenceBackend().ops, state.params, inputs).weight.data; // => [-3]
 * ```
 */
export const posed = <T extends Shaped>(game: AnyGame, context: Context<T, 'state' | 'batch'>): Posed<T> => {
  const { state, batch } = context;
  if (!areNetworks(game)) return { game, inputs: inputsOf(batch) };
  const at = circumstancesOf(context);
  const heldPaths = Object.keys(state.held);
  const groups = groupsOf(game, state);
  return {
    inputs: [...listed(at), ...Object.values(state.held)],
    game: byName(
      game.map(({ name, objective }, i): Player => {
        const own = new Set(groups[i].paths);
        return { name, owns: (path) => own.has(path), loss: programOf(objective, at, heldPaths) };
      }),
    ),
  };
};
