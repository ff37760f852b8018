/**
 * Small games with known answers, and how to play them.
 *
 * @module
 */
import type { Program } from '../../../src/core/autodiff/program.ts';
import type { Params } from '../../../src/core/params.ts';
import type { Context, Given } from '../../../src/core/pipeline/context.ts';
import type { Stage } from '../../../src/core/pipeline/stage.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import type { Game, GameNeeds } from '../../../src/solvers/games/game.ts';
import { playGame } from '../../../src/solvers/games/playGame.ts';
import type { Solver } from '../../../src/solvers/solver/solver.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { update } from '../../../src/solvers/update/update.ts';
import { referenceEnv, runStage } from '../../support/training.ts';

export const { backend } = referenceEnv();
export const { ops } = backend;

/** Players of `x` and `y` with the given losses. */
export const gameOf = (f: Program, g: Program): Game => [
  { name: 'first', loss: f, owns: (path) => path === 'x' },
  { name: 'second', loss: g, owns: (path) => path === 'y' },
];

const negative =
  (program: Program): Program =>
  (on, params, inputs) =>
    on.neg(program(on, params, inputs));

/** One player's gain is the other's loss. */
export const zeroSum = (value: Program): Game => gameOf(value, negative(value));

/** xᵀ M y with M as the batch's inputs: x lowers it, y raises it. */
export const bilinear: Game = zeroSum((on, { x, y }, [M]) =>
  on.reshape(on.matmul(x, on.matmul(M, y), { transposeA: true }), []),
);

/** −log(1 + exp(−t)). */
const f: Program = (on, { t }) => on.neg(on.softplus(on.neg(t)));

/**
 * The Dirac-GAN (Mescheder et al. 2018): f(θ ψ) + f(0), a generator at θ, a discriminator of slope ψ, data at 0. Its
 * only equilibrium is θ = ψ = 0.
 */
export const diracGan: Game = zeroSum((on, { x, y }, inputs) =>
  on.reshape(on.add(f(on, { t: on.mul(x, y) }, inputs), f(on, { t: on.full([1], 0) }, inputs)), []),
);

/** A batch whose inputs are a matrix, for games that need no data. */
export const batchOf = (inputs: Tensor): { readonly inputs: Tensor; readonly targets: Tensor } => ({
  inputs,
  targets: tensor([0], [1]),
});

/** All elements, x's before y's. */
export const elementsOf = (params: Params<Tensor>): ReadonlyArray<number> =>
  Object.values(params).flatMap(({ data }) => Array.from(data));

/** ‖z‖. */
export const normOf = (params: Params<Tensor>): number => Math.hypot(...elementsOf(params));

/** A step of a solver with a learning rate. */
export const stepOf = (game: Game, solver: Solver<GameNeeds>, learningRate: number): Stage<Given, 'next' | 'metrics'> =>
  pipeline(playGame(game), solve(solver), update({ learningRate }));

/** One step. */
export const stepFrom = async (
  game: Game,
  solver: Solver<GameNeeds>,
  learningRate: number,
  state: TrainState<Tensor>,
  inputs: Tensor,
): Promise<Context<Tensor, 'next' | 'metrics'>> => runStage(stepOf(game, solver, learningRate), state, batchOf(inputs));

/** The parameters after some steps. */
export const play = async (
  game: Game,
  solver: Solver<GameNeeds>,
  learningRate: number,
  start: Params<Tensor>,
  inputs: Tensor,
  steps: number,
): Promise<Params<Tensor>> => {
  let state = initialState(start, keyOf(1));
  for (let i = 0; i < steps; i += 1) state = (await stepFrom(game, solver, learningRate, state, inputs)).next;
  return state.params;
};
