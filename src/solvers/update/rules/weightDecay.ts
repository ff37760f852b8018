/**
 * Decoupled weight decay [LH19]: the direction gains w θ.
 *
 * It is the last of the rules: one that comes after it, momentum or a clip, would act on the decay as well, and the
 * parameters would not shrink by 1 − η w.
 *
 * @module
 */
import { zipParams } from '../../../core/params.ts';
import { onlyFor } from './onlyFor.ts';
import type { UpdateRule } from './rule.ts';
import { rule } from './rule.ts';

/**
 * Adds w θ to the direction, so that each step shrinks the parameters by the factor 1 − η w. Put it last.
 *
 * @param weight - w ≥ 0
 * @example
 * ```ts
 * import { momentum, update, weightDecay } from 'kfac-ts/solvers';
 *
 * const move = update({ learningRate: 0.1, rules: [momentum(0.9), weightDecay(1e-4)] });
 * ```
 */
export const weightDecay = (weight: number): UpdateRule =>
  rule({
    name: 'weightDecay',
    remembers: {},
    revise: (ops, { direction, params }) => ({
      direction: zipParams(direction, params, (d, p) => ops.linearCombination(1, d, weight, p)),
    }),
  });

/** Names of what may decay. */
export const decays = ['all', 'weights'] as const;

/** Which parameters decay: all, or weights with two axes and more; biases, gains and shifts are as often left out. */
export type Decays = (typeof decays)[number];

/** Settings of {@link decayedBy}. */
export interface DecaySettings {
  /** w ≥ 0. */
  readonly weightDecay: number;
  readonly decayed: Decays;
}

/**
 * The last rules of a preset: decay, or none at all where nothing decays.
 *
 * @param settings - w, and which parameters
 */
export const decayedBy = ({ weightDecay: weight, decayed }: DecaySettings): ReadonlyArray<UpdateRule> => {
  if (weight === 0) return [];
  return [decayed === 'all' ? weightDecay(weight) : onlyFor(decayed, weightDecay(weight))];
};
