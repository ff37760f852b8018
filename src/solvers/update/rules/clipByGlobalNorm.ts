/**
 * Clipping by global norm [PMB13]: of directions of any size that the precision holds, also where their squares are not.
 *
 * @module
 */
import { mapParams } from '../../../core/params.ts';
import { measured } from './measured.ts';
import { withinBoundOf } from './withinBound.ts';
import type { UpdateRule } from './rule.ts';
import { rule } from './rule.ts';

/**
 * Scales the direction so that its norm over all parameters is at most a bound.
 *
 * @param bound - largest norm, greater than 0
 * @example
 * ```ts
 * import { clipByGlobalNorm, update } from 'kfac-ts/solvers';
 *
 * const move = update({ learningRate: 0.1, rules: [clipByGlobalNorm(1)] });
 * ```
 */
export const clipByGlobalNorm = (bound: number): UpdateRule =>
  rule({
    name: 'clipByGlobalNorm',
    remembers: {},
    revise: (ops, { direction }) => {
      const factor = withinBoundOf(ops, bound, measured(ops, Object.values(direction)));
      return { direction: mapParams(direction, (d) => ops.mul(factor, d)), metrics: { clipScale: factor } };
    },
  });
