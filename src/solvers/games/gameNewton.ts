/**
 * Damped Newton steps for games: (J + λ I) d = ξ, by HSS or by GMRES.
 *
 * At a bilinear game it is the proximal point method, which converges where descent spirals outward. HSS needs the
 * symmetric part of J + λ I to be positive definite, and where it turns out not to be, λ is raised; GMRES does not.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { Context, Field } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import type { SolverState } from '../../core/pipeline/trainState.ts';
import type { Shaped } from '../../core/tensor.ts';
import { fromBlocks, toBlocks } from '../../curvature/blocks.ts';
import type { Action, Applicable } from '../../core/operators/action.ts';
import { act, shifted } from '../../core/operators/action.ts';
import type { Escalated, Raises } from '../inverses/factors/escalation.ts';
import { escalating } from '../inverses/factors/escalation.ts';
import { gmres } from '../krylov/gmres.ts';
import { hss } from '../krylov/hss.ts';
import type { Outcome } from '../krylov/outcome.ts';
import { spectralRadius } from '../krylov/spectralRadius.ts';
import { splittingOf } from '../krylov/splitting.ts';
import { computing } from '../krylov/vectors.ts';
import type { Preconditioner } from '../solver/inverse.ts';
import type { RefreshOptions } from '../solver/refresh.ts';
import { refresh } from '../solver/refresh.ts';
import type { SolveNeeds, Solver } from '../solver/solver.ts';
import type { GameNeeds, JacobianOfGame } from './game.ts';
import { jacobianAt } from './game.ts';
import type { AnyGame } from './networks.ts';
import { posed } from './networks.ts';

/** Settings of {@link gameNewton}. */
export interface GameNewtonOptions {
  /** `gmres` unless given. */
  readonly method?: 'hss' | 'gmres';
  /**
   * α of HSS; unless given √(λ (λ + γ)), at which the bound on its rate is least (Corollary 2.3 of [BGN03]) if the symmetric part of J
   * is semidefinite and γ the largest of its eigenvalues, which some power iterations estimate.
   */
  readonly alpha?: number;
  /** Relative residual of the solve, 1e-6 unless given. */
  readonly tolerance?: number;
  /** Iterations per step at most, 100 unless given. */
  readonly maxIterations?: number;
}

/** The fields that a damped step needs. */
export type DampedGameNeeds = GameNeeds | 'damping';

/** How λ is raised until the symmetric part is definite, as far as HSS can tell: it ends, and no further from the solution than 0 is. */
const whereHssBreaksDown: Raises<Outcome<unknown>> = {
  factor: 4,
  times: 8,
  areNeeded: (outcome) => E.isRight(outcome) && (outcome.right._tag === 'Breakdown' || outcome.right.residual > 1),
};

/** Power iterations for γ: it need not be known better than to a factor. */
const powers = 6;

/** What is to be solved: J, and the α of HSS that goes with a λ; 0 with GMRES. */
interface PosedSystem<T extends Shaped> extends JacobianOfGame<T> {
  readonly alphaFor: (lambda: number) => number;
}

const pose = <T extends Shaped>(
  game: AnyGame,
  { method, alpha }: GameNewtonOptions,
  { state, batch, gradient }: Context<T, DampedGameNeeds>,
  { backend }: Env<T>,
): TE.TaskEither<KfacError, PosedSystem<T>> =>
  pipe(
    computing(() => {
      const { game: programs, inputs } = posed(game, { state, batch });
      return jacobianAt(backend.ops, programs, state.params, inputs);
    }),
    TE.bind('alphaFor', ({ forward, transposed }): TE.TaskEither<KfacError, PosedSystem<T>['alphaFor']> => {
      if (method !== 'hss') return TE.right(() => 0);
      if (alpha !== undefined) return TE.right(() => alpha);
      return pipe(
        spectralRadius(backend, splittingOf(forward, transposed).symmetric, gradient, powers),
        TE.map((gamma) => (lambda) => Math.sqrt(lambda * (lambda + gamma))),
      );
    }),
  );

/** d with (J + λ I) d = ξ, and the λ that it is for. */
const solveGame = <T extends Shaped>(
  { forward, transposed, alphaFor }: PosedSystem<T>,
  options: GameNewtonOptions,
  { gradient, damping }: Context<T, DampedGameNeeds>,
  { backend }: Env<T>,
  preconditioner: Applicable<T> | null,
): TE.TaskEither<KfacError, Escalated<Outcome<T>>> => {
  const { method = 'gmres', tolerance = 1e-6, maxIterations = 100 } = options;
  const shared = { tolerance, maxIterations, ...(preconditioner === null ? {} : { preconditioner }) };
  if (method === 'gmres') {
    return pipe(
      gmres(backend, shifted(forward, damping), gradient, shared),
      TE.map((found) => ({ found, lambda: damping })),
    );
  }
  const bySplitting = (lambda: number): TE.TaskEither<KfacError, Outcome<T>> => {
    const splitting = splittingOf(shifted(forward, lambda), shifted(transposed, lambda));
    return hss(backend, splitting, gradient, { alpha: alphaFor(lambda), ...shared });
  };
  return escalating(damping, bySplitting, whereHssBreaksDown);
};

const report = <T extends Shaped>({ found, lambda }: Escalated<Outcome<T>>): Context<T, 'direction' | 'metrics'> => ({
  direction: found.x,
  metrics: {
    solveIterations: found.iterations,
    solveResidual: found.residual,
    solveDamping: lambda,
  },
});

/**
 * A damped Newton step. It reports `solveIterations`, `solveResidual` and `solveDamping`, λ: with HSS, that for which it did not break down.
 *
 * @param game - the players
 * @param options - method, stopping rules
 * @example
 * ```ts
 * import { pipeline } from 'kfac-ts/core';
 * import { damp, gameNewton, playGame, solve, update, type Game } from 'kfac-ts/solvers';
 *
 * const game: Game = [
 *   { name: 'f', owns: (path) => path === 'x', loss: (ops, { x, y }) => ops.dot(x, y) },
 *   { name: 'g', owns: (path) => path === 'y', loss: (ops, { x, y }) => ops.neg(ops.dot(x, y)) },
 * ];
 * const newton = gameNewton(game, { method: 'gmres', tolerance: 1e-6 });
 * const step = pipeline(playGame(game), damp(0.1), solve(newton), update({ learningRate: 1 }));
 * ```
 */
export const gameNewton = (game: AnyGame, options: GameNewtonOptions = {}): Solver<DampedGameNeeds> => ({
  run:
    <T extends Shaped>(context: Context<T, DampedGameNeeds>) =>
    (env: Env<T>) =>
      pipe(
        pose(game, options, context, env),
        TE.chain((system) => solveGame(system, options, context, env, null)),
        TE.map((solved) => ({ ...report(solved), state: context.state })),
      ),
});

/** Settings of {@link preconditionedGameNewton}. */
export interface PreconditionedGameNewtonOptions<Needs extends Field = never>
  extends GameNewtonOptions, Omit<RefreshOptions, 'siteDamping'> {
  /** Made from the players' curvature, for example `kroneckerInverse`. */
  readonly preconditioner: Preconditioner<Needs>;
}

/** The fields that a preconditioned step needs: those of the game, and a curvature of its players. */
export type PreconditionedGameNeeds = DampedGameNeeds | SolveNeeds;

/**
 * A damped Newton step, preconditioned by a curvature: K-FAC of each player stands for the symmetric part of J. With GMRES
 * it preconditions the whole system; with HSS the inner solves for α I + S.
 *
 * @param game - the players
 * @param options - method, preconditioner, refresh period, stopping rules
 * @example
 * ```ts no-run
 * import { kroneckerInverse, preconditionedGameNewton, solve, type Game } from 'kfac-ts/solvers';
 *
 * // K-FAC of each player stands for the symmetric part of the game's Jacobian.
 * declare const game: Game;
 * const direction = solve(preconditionedGameNewton(game, { preconditioner: kroneckerInverse, every: 10 }));
 * ```
 */
export const preconditionedGameNewton = <Needs extends Field = never>(
  game: AnyGame,
  options: PreconditionedGameNewtonOptions<Needs>,
): Solver<PreconditionedGameNeeds | Needs> => ({
  run:
    <T extends Shaped>(context: Context<T, PreconditionedGameNeeds | Needs>) =>
    (env: Env<T>) => {
      const { blocks, damping: lambda } = context;
      const onTrees = ({ prepared }: SolverState<T>): Action<T> | null =>
        prepared === null ? null : (ops, v) => fromBlocks(ops, blocks, act(ops, prepared, toBlocks(ops, blocks, v)));
      return pipe(
        pose(game, options, context, env),
        TE.bindTo('system'),
        TE.bind('refreshed', ({ system: { alphaFor } }) =>
          refresh<T, Needs>(options.preconditioner, options, { ...context, damping: lambda + alphaFor(lambda) })(env),
        ),
        TE.chain(({ system, refreshed: { state, metrics: reported } }) =>
          pipe(
            solveGame(system, options, context, env, onTrees(state.solver)),
            TE.map((solved) => {
              const { direction, metrics } = report(solved);
              const inverseAge = state.step - state.solver.preparedAt;
              return { direction, state, metrics: { ...metrics, ...reported, inverseAge } };
            }),
          ),
        ),
      );
    },
});
