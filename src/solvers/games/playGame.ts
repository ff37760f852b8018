/**
 * The stages of a game's step: the joint gradient, with what each player knows by itself, and the players' own updates once a
 * direction has been found for all of them.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { raise } from '../../core/errors.ts';
import type { BlockOperator } from '../../core/operators/blockOperator.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import { pickParams } from '../../core/params.ts';
import { computation, compute } from '../../core/pipeline/compute.ts';
import type { Context, Given, PlayerStep, StepFields } from '../../core/pipeline/context.ts';
import type { FromGradient, GradientContext } from '../../core/pipeline/descent.ts';
import type { Env } from '../../core/pipeline/env.ts';
import { backward, forward } from '../../core/pipeline/forward.ts';
import type { Group } from '../../core/pipeline/group.ts';
import { movedOn, stateOfGroup, withGroup } from '../../core/pipeline/group.ts';
import { mergeMetrics } from '../../core/pipeline/metrics.ts';
import type { Stage } from '../../core/pipeline/stage.ts';
import { pipeline, stage } from '../../core/pipeline/stage.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { Shaped } from '../../core/tensor.ts';
import { foreseenIn } from '../groups/foreseen.ts';
import { groupsOf } from '../groups/members.ts';
import { labelled } from '../groups/metrics.ts';
import type { Game } from './game.ts';
import { inOrderOf, inputsOf, lowered, owned } from './game.ts';
import type { AnyGame, NetworkGame } from './networks.ts';
import { areNetworks, byName } from './networks.ts';

/** What the joint gradient of programs adds to a step. */
type Played = 'gradient' | 'loss' | 'metrics';

/** What that of networks adds besides: what the players know, and how the parameters are grouped for curvature. */
type PlayedByNetworks = Played | 'state' | 'players' | 'parts' | 'blocks';

/** From a player's gradient to its curvature: `capture` and `updateFactors`, for example. */
export type PlayersCurvature = Stage<FromGradient, FromGradient | 'operator'>;

const playPrograms = (game: Game): Stage<'state' | 'batch', Played> =>
  computation('play', (ops, { state, batch }) => {
    const params = owned(game, state.params);
    const all = game.map((player) => lowered(ops, player, params, inputsOf(batch)));
    const gradients = all.map(({ gradient }) => gradient);
    return {
      gradient: inOrderOf(params, gradients),
      loss: all[0].loss,
      metrics: {
        loss: all[0].loss,
        ...Object.fromEntries(game.map(({ name }, i) => [`loss.${name}`, all[i].loss])),
      },
    };
  });

/** What one player has found by itself. */
interface Found<T extends Shaped> {
  readonly context: GradientContext<T>;
  readonly operator: LinearOperator<T> | null;
}

/** What a player does before the game is solved. */
type Own = <T extends Shaped>(given: Context<T, Given>) => RTE.ReaderTaskEither<Env<T>, KfacError, Found<T>>;

const withoutCurvature: Own = (given) =>
  pipe(
    pipeline(forward, backward).run(given),
    RTE.map((context) => ({ context, operator: null })),
  );

const withCurvature = (curvature: PlayersCurvature): Own => {
  const own = pipeline(forward, backward, curvature);
  return (given) =>
    pipe(
      own.run(given),
      RTE.map((context) => ({ context, operator: context.operator })),
    );
};

/** Blocks of all players' curvatures, by name; `null` where players have none. */
const blocksIn = <T extends Shaped>(
  group: Group,
  { operator }: Found<T>,
): Readonly<Record<string, BlockOperator<T>>> | null => {
  if (operator === null) return null;
  return operator._tag === 'blockDiagonal'
    ? operator.blocks
    : raise({
        _tag: 'BadConfig',
        path: `${group.name}.curvature`,
        expected: 'a block-diagonal curvature in units of the loss, for a game that is solved for all players at once',
        actual: operator._tag,
      });
};

/** ⊕ over the players. */
const jointOperator = <T extends Shaped>(
  groups: ReadonlyArray<Group>,
  found: ReadonlyArray<Found<T>>,
): Partial<Pick<StepFields<T>, 'operator'>> => {
  const all = byName(groups).map((group) => blocksIn(group, found[groups.indexOf(group)]));
  const merged = all.reduce<Readonly<Record<string, BlockOperator<T>>>>(
    (sofar, blocks) => ({ ...sofar, ...blocks }),
    {},
  );
  return all.includes(null) ? {} : { operator: blockDiagonal(merged) };
};

/** What all players have found, as the knowledge of one step. */
const together = <T extends Shaped>(
  before: TrainState<T>,
  groups: ReadonlyArray<Group>,
  found: ReadonlyArray<Found<T>>,
): Context<T, PlayedByNetworks> & Partial<Pick<StepFields<T>, 'operator'>> => {
  const players: ReadonlyArray<PlayerStep<T>> = groups.map(({ name, paths }, i) => ({
    name,
    paths,
    context: found[i].context,
  }));
  const state = players.reduce(
    (sofar: TrainState<T>, { name, paths, context }) => ({
      ...withGroup(sofar, { name, paths }, { ...context.state, params: {} }),
      running: movedOn(sofar.running, before.running, context.state.running),
    }),
    before,
  );
  const reported = players.map(({ name, context: { metrics } }) => labelled<T>({ name, metrics }));
  const gradients = players.map(({ context }) => context.gradient);
  const [{ loss }] = players.map(({ context }) => context);
  return {
    state,
    players,
    parts: players.map(({ context }) => context),
    loss,
    gradient: inOrderOf(before.params, gradients),
    blocks: byName(players).flatMap(({ context }) => context.blocks),
    metrics: mergeMetrics<T>([...reported, { loss }]),
    ...jointOperator(groups, found),
  };
};

const playNetworks = (game: NetworkGame, own: Own): Stage<'state' | 'batch', PlayedByNetworks> =>
  stage('play', <T extends Shaped>({ state, batch }: Context<T, 'state' | 'batch'>) =>
    pipe(
      compute<T, ReadonlyArray<Group>>(() => groupsOf(game, state)),
      RTE.bindTo('groups'),
      RTE.bind('found', ({ groups }) =>
        pipe(
          groups,
          RTE.traverseSeqArrayWithIndex((i, group) =>
            own<T>({ state: stateOfGroup(state, group), batch, objective: game[i].objective }),
          ),
        ),
      ),
      RTE.chain(({ groups, found }) => compute<T, Context<T, PlayedByNetworks>>(() => together(state, groups, found))),
    ),
  );

/**
 * The stage that takes the place of forward and backward in a game: the joint gradient, with all losses as metrics; `loss` is
 * the first player's. Where networks play, each player's statistics and curvature are taken by the stages that any step has,
 * with a memory of its own, and the curvature of the game is ⊕ over the players. Where the game's solver needs one, what comes
 * second leads from each player's gradient to its curvature.
 *
 * @param game - the players
 * @example
 * ```ts
 * import { pipeline } from 'kfac-ts/core';
 * import { damp, gameNewton, playGame, solve, update, type Game } from 'kfac-ts/solvers';
 *
 * // A GAN on one number: Newton steps of both players at once.
 * const game: Game = [
 *   { name: 'generator', owns: (path) => path === 'x', loss: (ops, { x, y }) => ops.softplus(ops.neg(ops.dot(x, y))) },
 *   { name: 'discriminator', owns: (path) => path === 'y', loss: (ops, { x, y }) => ops.softplus(ops.dot(x, y)) },
 * ];
 * const step = pipeline(playGame(game), damp(0.1), solve(gameNewton(game)), update({ learningRate: 1 }));
 * ```
 * @example
 * ```ts no-run
 * import { descent, pipeline } from 'kfac-ts/core';
 * import { capture, kfac, monteCarlo, updateFactors } from 'kfac-ts/curvature';
 * import { damp, kroneckerInverse, playGame, preconditionedGameNewton, solve, update } from 'kfac-ts/solvers';
 * import type { NetworkGame } from 'kfac-ts/solvers';
 *
 * // Networks that play; K-FAC of each is the preconditioner of a Newton step for both.
 * declare const game: NetworkGame;
 * const step = pipeline(
 *   playGame(game, descent(capture(monteCarlo()), updateFactors(kfac()))),
 *   damp(0.1),
 *   solve(preconditionedGameNewton(game, { preconditioner: kroneckerInverse, every: 10 })),
 *   update({ learningRate: 1 }),
 * );
 * ```
 */
export function playGame(game: Game): Stage<'state' | 'batch', Played>;
export function playGame(game: NetworkGame): Stage<'state' | 'batch', PlayedByNetworks>;
export function playGame(
  game: NetworkGame,
  curvature: PlayersCurvature,
): Stage<'state' | 'batch', PlayedByNetworks | 'operator'>;
export function playGame(game: AnyGame, curvature?: PlayersCurvature): Stage<'state' | 'batch', Played> {
  return areNetworks(game)
    ? playNetworks(game, curvature === undefined ? withoutCurvature : withCurvature(curvature))
    : playPrograms(game);
}

/** What a player's own update may need: what it knew, and what was found for all. */
type UpdateNeeds = FromGradient | 'direction' | 'damping';

/** What the stage of all players' updates needs. */
type JointNeeds = 'state' | 'players' | 'direction' | 'damping';

/**
 * The players' own updates: each goes its part of the direction as an update of its own says, by its own quadratic model, with
 * its own rules and averages, in its own memory.
 *
 * @param updating - from a direction to the next state, for each player
 * @example
 * ```ts no-run
 * import { pipeline } from 'kfac-ts/core';
 * import { competitive, damp, playGame, solve, updateByModel, updatePlayers, type NetworkGame } from 'kfac-ts/solvers';
 *
 * // A direction for both; how far each of them goes is for its own model to say.
 * declare const game: NetworkGame;
 * const step = pipeline(
 *   playGame(game),
 *   damp(0.1),
 *   solve(competitive(game, { learningRate: 0.1 })),
 *   updatePlayers(updateByModel({ learningRate: 0.3 })),
 * );
 * ```
 */
export const updatePlayers = (
  updating: Stage<UpdateNeeds, 'next' | 'metrics'>,
): Stage<JointNeeds, 'next' | 'metrics'> => ({
  ...stage<JointNeeds, 'next' | 'metrics'>(
    'update',
    <T extends Shaped>({ state, players, direction, damping }: Context<T, JointNeeds>) =>
      pipe(
        players,
        RTE.traverseSeqArray(({ name, paths, context }) =>
          pipe(
            updating.run<T>({
              ...context,
              state: stateOfGroup(state, { name, paths }),
              direction: pickParams(direction, paths),
              damping,
              metrics: {},
            }),
            RTE.map(({ next, metrics }) => ({ name, group: { name, paths }, next, metrics })),
          ),
        ),
        RTE.map((outcomes) => ({
          next: outcomes.reduce((sofar, { group, next }) => withGroup(sofar, group, next), {
            ...state,
            step: state.step + 1,
          }),
          metrics: mergeMetrics<T>(outcomes.map((each) => labelled(each))),
        })),
      ),
  ),
  foresee: foreseenIn([{ ...updating, name: 'update' }]),
});
