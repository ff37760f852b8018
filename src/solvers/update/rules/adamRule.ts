/**
 * Adam as an update rule: for a direction that is to be scaled by its own moments, and for lengths (see `graft`).
 *
 * @module
 */
import type { AdamOptions } from '../../solver/moments.ts';
import { adamDirection, momentsWith } from '../../solver/moments.ts';
import type { UpdateRule } from './rule.ts';
import { rule } from './rule.ts';

/**
 * d ← m̂ / (√v̂ + ε) with the moments of the directions so far [KB15, algorithm 1]. After the solver `identity` it is Adam.
 *
 * @param options - β₁, β₂, ε
 * @example
 * ```ts
 * import { adamRule, onlyFor, update } from 'kfac-ts/solvers';
 *
 * // Biases, gains and shifts by Adam, weights as the solver says.
 * const move = update({ learningRate: 1e-3, rules: [onlyFor('vectors', adamRule({ beta2: 0.99 }))] });
 * ```
 */
export const adamRule = (options: AdamOptions = {}): UpdateRule =>
  rule({
    name: 'adam',
    remembers: { m: 'params', v: 'params', count: 'number' },
    revise: (ops, { direction }, memory) => {
      const count = (memory?.count ?? 0) + 1;
      const moments = momentsWith(ops, options, memory ?? {}, direction, count);
      return { direction: adamDirection(ops, options, moments, count), memory: { ...moments, count } };
    },
  });
