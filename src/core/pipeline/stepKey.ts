/**
 * The keys of a step: one for each use of randomness, so that no two draw the same numbers.
 *
 * @module
 */
import type { Key } from '../random/key.ts';
import { foldIn } from '../random/split.ts';
import type { TrainState } from './trainState.ts';

/** What a step draws besides its estimator's targets, each use with a number of its own. */
const uses = {
  /** Which examples of the batch curvature is looked at. */
  sample: 0,
  /** How examples are grouped for parameters without a site. */
  groups: 1,
  /** What layers draw: the units that dropout leaves, the noise of a generator. */
  layers: 2,
  /** Which positions statistics look at. */
  positions: 3,
} as const;

/** A use of a step's randomness. */
export type RandomUse = keyof typeof uses;

/**
 * The key of a step, that of its estimator's draws, or the key of another use.
 *
 * @param state - the state before the step
 * @param use - what is drawn
 */
export const stepKey = ({ key, step }: Pick<TrainState<unknown>, 'key' | 'step'>, use?: RandomUse): Key => {
  const ofStep = foldIn(key, step);
  return use === undefined ? ofStep : foldIn(ofStep, uses[use]);
};
