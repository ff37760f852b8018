/**
 * Directions of length 1.
 *
 * A direction of K-FAC is as long as its curvature is small: one that was taken where there was next to none is a million times as long as
 * others, and a momentum would remember it alone. Where something else says how far to go (`graft`), each direction counts as
 * much as any other.
 *
 * @module
 */
import type { Ops } from '../../../core/ops/ops.ts';
import type { Params } from '../../../core/params.ts';
import { mapParams } from '../../../core/params.ts';
import type { Shaped } from '../../../core/tensor.ts';
import type { Grafting } from './grouped.ts';
import { byGroup } from './grouped.ts';
import { measured } from './measured.ts';
import type { UpdateRule } from './rule.ts';
import { rule } from './rule.ts';

/** Settings of {@link normalise}. */
export interface NormaliseOptions {
  /** What has a length of 1: each parameter array, each layer (weight and bias together), or the whole; `whole` unless given. */
  readonly by?: Grafting;
}

const ofOne = <T extends Shaped>(ops: Ops<T>, direction: Params<T>): Params<T> => {
  const { scale, norm } = measured(ops, Object.values(direction));
  const length = ops.select(ops.equal(norm, ops.full([], 0)), ops.full([], 1), norm);
  return mapParams(direction, (d) => ops.div(ops.div(d, scale), length));
};

/**
 * d / ‖d‖; zeros, which have no direction, stay.
 *
 * @param options - what has a length
 * @example
 * ```ts
 * import { graft, momentum, normalise, update } from 'kfac-ts/solvers';
 *
 * // Where to go by the mean of past directions, how far by Adam.
 * const step = update({ learningRate: 1e-3, rules: [normalise(), momentum(0.9), graft({ by: 'whole' })] });
 * ```
 */
export const normalise = ({ by = 'whole' }: NormaliseOptions = {}): UpdateRule =>
  rule({
    name: 'normalise',
    remembers: {},
    revise: (ops, { direction }) => ({ direction: byGroup(by, direction, (group) => ofOne(ops, group)) }),
  });
