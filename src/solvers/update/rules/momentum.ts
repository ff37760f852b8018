/**
 * Momentum: heavy ball [P64], v ← μ v + d, and Nesterov's form of it as in [S13].
 *
 * The velocity is in units of directions, as in PyTorch, so a change of learning rate acts on past directions too.
 *
 * @module
 */
import { mapParams, zipParams } from '../../../core/params.ts';
import type { UpdateRule } from './rule.ts';
import { rule } from './rule.ts';

/** Settings of {@link momentum}. */
export interface MomentumOptions {
  /** Whether to look ahead: d + μ v instead of v. */
  readonly nesterov?: boolean;
}

/**
 * Heavy-ball momentum.
 *
 * @param mu - μ in [0, 1)
 * @param options - Nesterov's form or not
 * @example
 * ```ts
 * import { momentum, update } from 'kfac-ts/solvers';
 *
 * const move = update({ learningRate: 0.1, rules: [momentum(0.9, { nesterov: true })] });
 * ```
 */
export const momentum = (mu: number, options: MomentumOptions = {}): UpdateRule =>
  rule({
    name: 'momentum',
    remembers: { velocity: 'params' },
    revise: (ops, { direction }, memory) => {
      const velocity =
        memory === null
          ? direction
          : zipParams(direction, memory.velocity, (d, v) => ops.linearCombination(mu, v, 1, d));
      return {
        direction:
          options.nesterov === true
            ? mapParams(direction, (d, path) => ops.linearCombination(1, d, mu, velocity[path]))
            : velocity,
        memory: { velocity },
        metrics: { momentum: mu },
      };
    },
  });
