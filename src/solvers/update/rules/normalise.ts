/**
 * Directions of length 1.
 *
 * A direction of K-FAC is as long as its curvature is small: one that was taken where there was next to none is a million times as long as
 * others, and a momentum would remember it alone. Where something else says how far to go (`graft`), each direction counts as
 * much as any other.
 *
 * @module
 */
import { mapParams } from '../../../core/params.ts';
import { measured } from './measured.ts';
import type { UpdateRule } from './rule.ts';
import { rule } from './rule.ts';

/**
 * d / ‖d‖ over all parameters; zeros, which have no direction, stay.
 *
 * @example
 * ```ts
 * import { graft, momentum, normalise, update } from 'kfac-ts/solvers';
 *
 * // Where to go by the mean of past directions, how far by Adam.
 * const step = update({ learningRate: 1e-3, rules: [normalise(), momentum(0.9), graft({ by: 'whole' })] });
 * ```
 */
export const normalise = (): UpdateRule =>
  rule({
    name: 'normalise',
    remembers: {},
    revise: (ops, { direction }) => {
      const { scale, norm } = measured(ops, Object.values(direction));
      const length = ops.select(ops.equal(norm, ops.full([], 0)), ops.full([], 1), norm);
      return { direction: mapParams(direction, (d) => ops.div(ops.div(d, scale), length)) };
    },
  });
