/**
 * Directions of length 1.
 *
 * A direction of K-FAC is as long as its curvature is small: one that was taken where there was next to none is a million times as long as
 * others, and a momentum would remember it alone. Where something else says how far to go (`graft`), each direction counts as
 * much as any other.
 *
 * @module
 */
import type { Grafting } from './grouped.ts';
import { byGroup } from './grouped.ts';
import { unit } from './measured.ts';
import type { UpdateRule } from './rule.ts';
import { rule } from './rule.ts';

/** Settings of {@link normalise}. */
export interface NormaliseOptions {
  /** What has a length of 1: each parameter array, each layer (weight and bias together), or the whole; `whole` unless given. */
  readonly by?: Grafting;
}

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
    revise: (ops, { direction }) => ({ direction: byGroup(by, direction, (group) => unit(ops, group)) }),
  });
