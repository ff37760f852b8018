/**
 * Games: each player lowers a loss of its own by its own parameters, while all losses depend on all of them.
 *
 * The joint gradient ξ is not the gradient of anything, so its Jacobian J need not be symmetric. J and Jᵀ come from the two
 * modes of differentiation on ξ as a program; there is no derivative written by hand.
 *
 * @module
 */
import { arrayAt } from '../../core/nn/layers/circumstances.ts';
import { jvpTree } from '../../core/autodiff/forward.ts';
import type { Program, TreeProgram } from '../../core/autodiff/program.ts';
import { vjp, vjpTree } from '../../core/autodiff/reverse.ts';
import { raise } from '../../core/errors.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import { leavesOf, pickParams } from '../../core/params.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Action } from '../../core/operators/action.ts';

/** One who chooses some of the parameters. */
export interface Player {
  /** For metrics: `generator`, `discriminator`. */
  readonly name: string;
  /** What it lowers, of shape `[]`: a function of all parameters, with the batch's inputs and targets as inputs. */
  readonly loss: Program;
  /** Whether a parameter is its own. Each parameter belongs to exactly one player. */
  readonly owns: (path: string) => boolean;
}

/** Players, two most often. The game is zero-sum when their losses add up to a constant. */
export type Game = ReadonlyArray<Player>;

/**
 * What a player's loss takes as inputs.
 *
 * @param batch - with an array of inputs and one of targets
 */
export const inputsOf = <T>(batch: Batch<T>): ReadonlyArray<T> => [
  arrayAt(batch, 'inputs', 'game'),
  arrayAt(batch, 'targets', 'game'),
];

/** A player's loss, with its gradient in the player's own parameters. */
export interface Lowered<T> {
  readonly loss: T;
  readonly gradient: Params<T>;
}

const ownPaths = <T>(player: Player, params: Params<T>): ReadonlyArray<string> =>
  Object.keys(params).filter((path) => player.owns(path));

/**
 * A player's loss, with its gradient in the player's own parameters; the others are constants.
 *
 * @param ops - interpreter
 * @param player - whose loss
 * @param params - of all players
 * @param inputs - constants of the loss
 */
export const lowered = <T extends Shaped>(
  ops: Ops<T>,
  player: Player,
  params: Params<T>,
  inputs: ReadonlyArray<T>,
): Lowered<T> => {
  const own = pickParams(params, ownPaths(player, params));
  const others = Object.keys(params).filter((path) => !player.owns(path));
  const restricted: Program = (inner, mine, given) => {
    const theirs = Object.fromEntries(others.map((path, i) => [path, given[inputs.length + i]]));
    return player.loss(inner, { ...mine, ...theirs }, given.slice(0, inputs.length));
  };
  const { outputs, pullback } = vjp(ops, restricted, own, [...inputs, ...leavesOf(pickParams(params, others))]);
  return { loss: outputs, gradient: pullback(ops.full([], 1)).params };
};

/** θ ↦ the gradient of one player's loss in its own parameters. */
const ownGradient =
  (player: Player): TreeProgram =>
  (ops, params, inputs) =>
    lowered(ops, player, params, inputs).gradient;

/**
 * Parameters, each of which belongs to exactly one player; else a `BadConfig` with its path is raised.
 *
 * @param game - the players
 * @param params - of all players
 */
export const owned = <T>(game: Game, params: Params<T>): Params<T> => {
  const contested = Object.keys(params).find((path) => game.filter((player) => player.owns(path)).length !== 1);
  return contested === undefined
    ? params
    : raise({
        _tag: 'BadConfig',
        path: contested,
        expected: 'a parameter that belongs to exactly one player',
        actual: game.map((player) => `${player.name}: ${player.owns(contested)}`).join(', '),
      });
};

/**
 * Parts of a tree together, in the order of the parameters.
 *
 * @param params - all paths
 * @param parts - trees of some of them each
 */
export const inOrderOf = <T>(params: Params<T>, parts: ReadonlyArray<Params<T>>): Params<T> => {
  const merged = parts.reduce((all, part) => ({ ...all, ...part }), {});
  return pickParams(merged, Object.keys(params));
};

/**
 * The joint gradient ξ: of each player's loss in its own parameters.
 *
 * @param game - the players
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { jointGradient, type Game } from 'kfac-ts/solvers';
 *
 * const game: Game = [
 *   { name: 'f', owns: (path) => path === 'x', loss: (on, { x, y }) => on.dot(on.square(x), y) },
 *   { name: 'g', owns: (path) => path === 'y', loss: (on, { x, y }) => on.dot(x, y) },
 * ];
 * const xi = jointGradient(game)(referenceBackend().ops, { x: tensor([3], [1]), y: tensor([5], [1]) }, []);
 * [xi.x.data[0], xi.y.data[0]]; // => [30, 3]
 * ```
 */
export const jointGradient =
  (game: Game): TreeProgram =>
  (ops, params, inputs) =>
    inOrderOf(
      owned(game, params),
      game.map((player) => ownGradient(player)(ops, params, inputs)),
    );

/**
 * v ↦ J v with J = ∂ξ/∂θ.
 *
 * @param game - the players
 * @param params - where
 * @param inputs - constants of the losses
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { jacobian, type Game } from 'kfac-ts/solvers';
 *
 * // f = x y and g = −x y: J = [[0, 1], [−1, 0]], which turns in circles.
 * const { ops } = referenceBackend();
 * const game: Game = [
 *   { name: 'f', owns: (path) => path === 'x', loss: (on, { x, y }) => on.dot(x, y) },
 *   { name: 'g', owns: (path) => path === 'y', loss: (on, { x, y }) => on.neg(on.dot(x, y)) },
 * ];
 * const J = jacobian(game, { x: tensor([1], [1]), y: tensor([2], [1]) }, []);
 * const image = J(ops, { x: tensor([3], [1]), y: tensor([4], [1]) });
 * [image.x.data[0], image.y.data[0]]; // => [4, -3]
 * ```
 */
export const jacobian =
  <T extends Shaped>(game: Game, params: Params<T>, inputs: ReadonlyArray<T>): Action<T> =>
  (ops, v) =>
    jvpTree(ops, jointGradient(game), params, v, inputs).tangent;

/**
 * v ↦ Jᵀ v.
 *
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { jacobianTranspose, type Game } from 'kfac-ts/solvers';
 *
 * const { ops } = referenceBackend();
 * const game: Game = [
 *   { name: 'f', owns: (path) => path === 'x', loss: (on, { x, y }) => on.dot(x, y) },
 *   { name: 'g', owns: (path) => path === 'y', loss: (on, { x, y }) => on.neg(on.dot(x, y)) },
 * ];
 * const JT = jacobianTranspose(game, { x: tensor([1], [1]), y: tensor([2], [1]) }, []);
 * const image = JT(ops, { x: tensor([3], [1]), y: tensor([4], [1]) });
 * [image.x.data[0], image.y.data[0]]; // => [-4, 3]
 * ```
 */
export const jacobianTranspose =
  <T extends Shaped>(game: Game, params: Params<T>, inputs: ReadonlyArray<T>): Action<T> =>
  (ops, v) =>
    vjpTree(ops, jointGradient(game), params, inputs).pullback(v);

/**
 * {@link interaction} for many products: the players' gradients are computed once.
 *
 * @param ops - interpreter that holds what the run gave, for as long as there are products
 * @param game - the players
 * @param params - where
 * @param inputs - constants of the losses
 */
export const interactionAt = <T extends Shaped>(
  ops: Ops<T>,
  game: Game,
  params: Params<T>,
  inputs: ReadonlyArray<T>,
): Action<T> => {
  owned(game, params);
  const players = game.map((player) => ({ player, ...vjpTree(ops, ownGradient(player), params, inputs) }));
  return (on, v) =>
    inOrderOf(
      params,
      players.map(({ player, pushforward }) => {
        const others = Object.keys(v).filter((path) => !player.owns(path));
        return pushforward(pickParams(v, others), on);
      }),
    );
};

/**
 * The mixed part of J: v ↦ [[0, D_xy f], [D_yx g, 0]] v, how each player's gradient moves with the other's parameters.
 *
 * @param game - players, here with losses f of x and g of y
 * @param params - where
 * @param inputs - constants of the losses
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { interaction, type Game } from 'kfac-ts/solvers';
 *
 * // Of f = x² y and g = x y only the mixed derivatives: [[0, 2 x], [1, 0]].
 * const { ops } = referenceBackend();
 * const game: Game = [
 *   { name: 'f', owns: (path) => path === 'x', loss: (on, { x, y }) => on.dot(on.square(x), y) },
 *   { name: 'g', owns: (path) => path === 'y', loss: (on, { x, y }) => on.dot(x, y) },
 * ];
 * const B = interaction(game, { x: tensor([3], [1]), y: tensor([5], [1]) }, []);
 * const image = B(ops, { x: tensor([1], [1]), y: tensor([1], [1]) });
 * [image.x.data[0], image.y.data[0]]; // => [6, 1]
 * ```
 */
export const interaction =
  <T extends Shaped>(game: Game, params: Params<T>, inputs: ReadonlyArray<T>): Action<T> =>
  (ops, v) =>
    interactionAt(ops, game, params, inputs)(ops, v);

/** A game's Jacobian J with its transpose. */
export interface JacobianOfGame<T extends Shaped> {
  /** v ↦ J v. */
  readonly forward: Action<T>;
  /** v ↦ Jᵀ v. */
  readonly transposed: Action<T>;
}

/**
 * J and Jᵀ for many products: the joint gradient runs once and serves them all.
 *
 * @param ops - interpreter that holds what the run gave, for as long as there are products
 * @param game - the players
 * @param params - where
 * @param inputs - constants of the losses
 */
export const jacobianAt = <T extends Shaped>(
  ops: Ops<T>,
  game: Game,
  params: Params<T>,
  inputs: ReadonlyArray<T>,
): JacobianOfGame<T> => {
  const { pushforward, pullback } = vjpTree(ops, jointGradient(game), params, inputs);
  return { forward: (on, v) => pushforward(v, on), transposed: (on, v) => pullback(v, on) };
};

/** The fields that a game's solvers need. */
export type GameNeeds = 'state' | 'batch' | 'gradient';
