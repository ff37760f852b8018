/**
 * Stochastic gradient descent with momentum.
 *
 * @module
 */
import { descent } from '../../core/pipeline/descent.ts';
import { identity } from '../solver/firstOrder.ts';
import { momentum } from '../update/rules/momentum.ts';
import { decayed } from '../update/rules/weightDecay.ts';
import { solve } from '../solver/solver.ts';
import { update } from '../update/update.ts';
import type { GradientOptimizer } from './optimizer.ts';
import { gradientOptimizer } from './optimizer.ts';

/** Settings of {@link sgd}. */
export interface SgdOptions {
  /** η, 0.01 unless given. */
  readonly learningRate?: number;
  /** μ, 0.9 unless given. */
  readonly momentum?: number;
  /** Decoupled weight decay, 0 unless given. */
  readonly weightDecay?: number;
}

/**
 * SGD: the gradient, heavy-ball momentum.
 *
 * @param options - learning rate, momentum, weight decay
 * @example
 * ```ts
 * import { sgdOptimizer } from 'kfac-ts/solvers';
 *
 * sgdOptimizer({ learningRate: 0.05, momentum: 0.9 }).name; // => 'sgd'
 * ```
 */
export const sgd = (options: SgdOptions = {}): GradientOptimizer => {
  const settings = { learningRate: 0.01, momentum: 0.9, weightDecay: 0, ...options };
  return gradientOptimizer({
    name: 'sgd',
    hyperparameters: settings,
    descent: descent(
      solve(identity),
      update({
        learningRate: settings.learningRate,
        rules: [momentum(settings.momentum), ...decayed(settings.weightDecay)],
      }),
    ),
  });
};
