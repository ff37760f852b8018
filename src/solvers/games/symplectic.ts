/**
 * Symplectic gradient adjustment [B18]: ξ + τ Kᵀ ξ, with K the skew part of the game's Jacobian.
 *
 * K turns the flow in circles; the adjustment bends it inwards. Two products for each step and nothing to solve.
 *
 * @module
 */
import type { Solver } from '../solver/solver.ts';
import { computing } from '../solver/solver.ts';
import { combine } from '../krylov/vectors.ts';
import { innerProduct } from '../../core/ops/innerProduct.ts';
import { mapParams } from '../../core/params.ts';
import { sizeOf } from '../../core/tensor.ts';
import type { GameNeeds } from './game.ts';
import { jacobianAt } from './game.ts';
import type { AnyGame } from './networks.ts';
import { posed } from './networks.ts';

/** Settings of {@link symplectic}. */
export interface SymplecticOptions {
  /** τ, how much of the adjustment is added; 1 unless given. */
  readonly tau?: number;
  /**
   * Whether τ takes the sign that pulls towards stable fixed points and away from unstable ones, that of
   * ⟨ξ, ∇H⟩ ⟨Kᵀξ, ∇H⟩ / d + 1/10 with H = ½ ‖ξ‖² and d parameters (Algorithm 1 of the paper); not unless given.
   */
  readonly align?: boolean;
}

/**
 * ξ + τ Kᵀ ξ with Kᵀ ξ = (Jᵀ ξ − J ξ) / 2.
 *
 * @param game - the players
 * @param options - τ and its sign
 * @example
 * ```ts
 * import { pipeline } from 'kfac-ts/core';
 * import { playGame, solve, symplectic, update, type Game } from 'kfac-ts/solvers';
 *
 * const game: Game = [
 *   { name: 'f', owns: (path) => path === 'x', loss: (ops, { x, y }) => ops.dot(x, y) },
 *   { name: 'g', owns: (path) => path === 'y', loss: (ops, { x, y }) => ops.neg(ops.dot(x, y)) },
 * ];
 * const step = pipeline(playGame(game), solve(symplectic(game)), update({ learningRate: 0.1 }));
 * ```
 */
export const symplectic = (game: AnyGame, options: SymplecticOptions = {}): Solver<GameNeeds> => {
  const { tau = 1, align = false } = options;
  return computing((ops, { state, batch, gradient }) => {
    const { game: programs, inputs } = posed(game, { state, batch });
    const { forward, transposed } = jacobianAt(ops, programs, state.params, inputs);
    const pulled = transposed(ops, gradient);
    const pushed = forward(ops, gradient);
    const adjustment = combine(ops, 0.5 * tau, pulled, -0.5 * tau, pushed);
    if (!align) return { direction: combine(ops, 1, gradient, 1, adjustment), state, metrics: {} };
    const count = Object.values(gradient).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const product = ops.mul(innerProduct(ops, gradient, pulled), innerProduct(ops, adjustment, pulled));
    const sign = ops.unary('sign', ops.add(ops.scale(1 / count, product), ops.full([], 0.1)));
    return {
      direction: mapParams(gradient, (g, path) => ops.add(g, ops.mul(sign, adjustment[path]))),
      state,
      metrics: { adjustmentSign: sign },
    };
  });
};
