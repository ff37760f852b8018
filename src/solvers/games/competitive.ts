/**
 * Competitive gradient descent [S19]: each player takes the Nash equilibrium of the local bilinear
 * approximation of the game.
 *
 * The paper's pair of solves, (I − η² D_xy f D_yx g) Δx = −η (∇_x f − η D_xy f ∇_y g) and its mirror image, are what is
 * left of one system, (I + η B) Δ = −η ξ with B the mixed part of the Jacobian, after eliminating a player. We solve the
 * one system: it is better conditioned, and costs the same.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Context } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Action } from '../../core/operators/action.ts';
import { gmres } from '../krylov/gmres.ts';
import { combine, computing } from '../krylov/vectors.ts';
import type { Schedule } from '../schedules.ts';
import { scheduleOf } from '../schedules.ts';
import type { Solver } from '../solver/solver.ts';
import type { GameNeeds } from './game.ts';
import { interactionAt } from './game.ts';
import type { AnyGame } from './networks.ts';
import { posed } from './networks.ts';

/** Settings of {@link competitive}. */
export interface CompetitiveOptions {
  /** η of the local game: the learning rate of the update that follows. */
  readonly learningRate: number | Schedule;
  /** Relative residual of the solve, 1e-6 unless given. */
  readonly tolerance?: number;
  /** Iterations per step at most, 100 unless given. */
  readonly maxIterations?: number;
}

/**
 * d with (I + η B) d = ξ, by GMRES. It reports `solveIterations` and `solveResidual`.
 *
 * @param game - the players
 * @param options - η, stopping rules
 * @example
 * ```ts
 * import { pipeline } from 'kfac-ts/core';
 * import { competitive, playGame, solve, update, type Game } from 'kfac-ts/solvers';
 *
 * const game: Game = [
 *   { name: 'f', owns: (path) => path === 'x', loss: (ops, { x, y }) => ops.dot(x, y) },
 *   { name: 'g', owns: (path) => path === 'y', loss: (ops, { x, y }) => ops.neg(ops.dot(x, y)) },
 * ];
 * const learningRate = 0.2;
 * const step = pipeline(playGame(game), solve(competitive(game, { learningRate })), update({ learningRate }));
 * ```
 */
export const competitive = (game: AnyGame, options: CompetitiveOptions): Solver<GameNeeds> => {
  const { tolerance = 1e-6, maxIterations = 100 } = options;
  return {
    run:
      <T extends Shaped>({ state, batch, gradient }: Context<T, GameNeeds>) =>
      ({ backend }: Env<T>) => {
        const eta = scheduleOf(options.learningRate)(state.step);
        const { game: programs, inputs } = posed(game, { state, batch });
        const systemOf =
          (mixed: Action<T>): Action<T> =>
          (ops, v) =>
            combine(ops, 1, v, eta, mixed(ops, v));
        return pipe(
          computing(() => interactionAt(backend.ops, programs, state.params, inputs)),
          TE.chain((mixed) => gmres(backend, systemOf(mixed), gradient, { tolerance, maxIterations })),
          TE.map(({ x, iterations, residual }) => ({
            direction: x,
            state,
            metrics: { solveIterations: iterations, solveResidual: residual },
          })),
        );
      },
  };
};
