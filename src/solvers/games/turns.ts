/**
 * Players in turn: each lowers an objective of its own by its own parameters, with an optimizer of its own.
 *
 * The games beside this file solve for all players together. Here each takes a whole step, forward and backward through its
 * own model, while the others' parameters are constants: how generators and discriminators are usually trained, with any
 * optimizer for each. Everyone sees the same batch and draws with the same key of the step.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { compute } from '../../core/pipeline/compute.ts';
import type { Batch, Context, StepFields } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import type { Group } from '../../core/pipeline/group.ts';
import { movedOn, stateOfGroup, withGroup } from '../../core/pipeline/group.ts';
import type { Scalars } from '../../core/pipeline/metrics.ts';
import { mergeMetrics } from '../../core/pipeline/metrics.ts';
import type { Stage } from '../../core/pipeline/stage.ts';
import { stage } from '../../core/pipeline/stage.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { Shaped } from '../../core/tensor.ts';
import { foreseenIn } from '../groups/foreseen.ts';
import { groupsOf } from '../groups/members.ts';
import { labelled } from '../groups/metrics.ts';
import type { Optimizer } from '../presets/optimizer.ts';
import type { NetworkPlayer } from './networks.ts';

/** One who moves some of the parameters with an optimizer of its own. */
export interface TurnPlayer extends NetworkPlayer {
  readonly optimizer: Optimizer;
}

/** Settings of {@link turns}. */
export interface TurnsOptions {
  /** Whether all see the parameters as they were before the step; no unless given: each sees what those before it left. */
  readonly simultaneous?: boolean;
}

/** A player with its parameters among those that are trained. */
interface Seated {
  readonly player: TurnPlayer;
  readonly group: Group;
}

/** How far a round has come. */
interface Round<T extends Shaped> {
  readonly state: TrainState<T>;
  /** What each player knew at the end of its move. */
  readonly parts: StepFields<T>['parts'];
  readonly reported: ReadonlyArray<{ readonly name: string; readonly metrics: Scalars<T> }>;
}

const seated = <T extends Shaped>(players: ReadonlyArray<TurnPlayer>, state: TrainState<T>): ReadonlyArray<Seated> => {
  const groups = groupsOf(players, state);
  return players.map((player, i) => ({ player, group: groups[i] })).filter(({ group }) => group.paths.length > 0);
};

/** One player's move: a step of its optimizer from what it sees. */
const move = <T extends Shaped>(
  { player, group }: Seated,
  { state, parts, reported }: Round<T>,
  seen: TrainState<T>,
  batch: Batch<T>,
): RTE.ReaderTaskEither<Env<T>, KfacError, Round<T>> => {
  const { name, objective, optimizer } = player;
  return pipe(
    optimizer.step.run<T>({ state: stateOfGroup(seen, group), batch, objective }),
    RTE.map((ended) => ({
      state: {
        ...withGroup(state, group, ended.next),
        running: movedOn(state.running, seen.running, ended.next.running),
      },
      parts: [...parts, ended],
      reported: [...reported, { name, metrics: ended.metrics }],
    })),
  );
};

/**
 * A step in which players move one after another, each with a memory of its own in the state's `groups`. Its metrics are
 * those of the players under their names (`generator.loss`), seconds summed; `loss` is the first player's.
 *
 * @param players - in the order of their moves
 * @param options - whether they move at once
 * @example
 * ```ts
 * import { dense, model, squaredError } from 'kfac-ts/core';
 * import { adamOptimizer, kfacOptimizer, turns } from 'kfac-ts/solvers';
 *
 * // Each network learns an array of targets of its own, by an optimizer of its own.
 * const [low, high] = ['low', 'high'].map((targets) => ({
 *   model: model(targets, [3], dense({ in: 3, out: 1 })),
 *   loss: squaredError,
 *   targets,
 * }));
 * const step = turns([
 *   { name: 'first', parameters: ['weight'], objective: low, optimizer: kfacOptimizer() },
 *   { name: 'second', parameters: ['bias'], objective: high, optimizer: adamOptimizer() },
 * ]);
 * ```
 */
export const turns = (
  players: ReadonlyArray<TurnPlayer>,
  { simultaneous = false }: TurnsOptions = {},
): Stage<'state' | 'batch', 'next' | 'metrics'> => {
  const round = stage<'state' | 'batch', 'next' | 'parts' | 'metrics'>(
    'turns',
    <T extends Shaped>({ state: before, batch }: Context<T, 'state' | 'batch'>) =>
      pipe(
        compute<T, ReadonlyArray<Seated>>(() => seated(players, before)),
        RTE.chain((moving) =>
          moving.reduce(
            (round: RTE.ReaderTaskEither<Env<T>, KfacError, Round<T>>, player) =>
              pipe(
                round,
                RTE.chain((sofar) => move(player, sofar, simultaneous ? before : sofar.state, batch)),
              ),
            RTE.right({ state: before, parts: [], reported: [] }),
          ),
        ),
        RTE.map(({ state, parts, reported }) => {
          const loss: Scalars<T> = reported.length === 0 ? {} : { loss: reported[0].metrics['loss'] };
          return {
            next: { ...state, step: before.step + 1 },
            parts,
            metrics: mergeMetrics([...reported.map((each) => labelled(each)), loss]),
          };
        }),
      ),
  );
  return { ...round, foresee: foreseenIn(players.map(({ name, optimizer }) => ({ ...optimizer.step, name }))) };
};
