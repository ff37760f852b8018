/**
 * How long steps may be where gradients are noisy.
 *
 * The gradient of a batch is that of all examples and noise. What the noise promises is had on the batch alone, so on other
 * examples a step gains less than the model says however short it is and whatever λ is. What is wrong with a step is not how
 * much of its promise is had, but that it goes too far: along the line from where it began the loss of all examples falls at
 * first, as their own slope there says, and by the end of the line it has turned. Gain over slope is 1 for a step that is
 * too short to tell, ½ for one to the least loss on the line, and 0 for one to where the loss is what it was.
 *
 * Training is on a set of examples, of which the batch is a part: its own gain counts by its share in them, and that of the
 * next batch stands for all others. With one batch for all the two are the same; where every example is seen once the next
 * batch alone counts.
 *
 * @module
 */
import type { TrainState } from '../../core/pipeline/trainState.ts';

/** Changes of a loss along a line, and its slopes in units of the line. */
export interface Along {
  /** The change from the beginning to the end. */
  readonly gain: number;
  /** The slope at the beginning. */
  readonly slope: number;
}

/**
 * A line of which the slope at its end is known: that of the parabola through both.
 *
 * @param gain - the change from the beginning to the end
 * @param end - the slope at the end
 */
export const fromEnd = (gain: number, end: number): Along => ({ gain, slope: 2 * gain - end });

/**
 * What a step is worth over all examples.
 *
 * @param own - on the examples that it was made from
 * @param others - on others
 * @param share - of the former among all, from 0 to 1
 */
export const overAll = (own: Along, others: Along, share: number): Along => ({
  gain: share * own.gain + (1 - share) * others.gain,
  slope: share * own.slope + (1 - share) * others.slope,
});

/**
 * Gain over slope: 1 where steps are short, ½ where they go to the least loss on their way, below 0 where they lose; `null`
 * where there is neither.
 *
 * @param along - sums of gains and slopes
 */
export const gainOverSlope = ({ gain, slope }: Along): number | null =>
  slope === 0 && gain === 0 ? null : slope < 0 ? gain / slope : -Infinity;

/**
 * The part of their length that steps have, in (0, 1]: 1 until they went too far.
 *
 * @param scalars - of a training state
 */
export const lengthOf = (scalars: TrainState<unknown>['scalars']): number => scalars['stepLength'] ?? 1;

/** Steps do not get shorter than this part of themselves. */
const shortest = 0.01;

/**
 * The next length: shorter where steps gain less than a part of what their slope says, twice as fast where they lose, longer
 * where they gain more than another.
 *
 * @param length - so far
 * @param ratio - gain over slope
 * @param rate - factor in (0, 1]
 * @param bounds - between which it stays
 */
export const lengthAfter = (
  length: number,
  ratio: number | null,
  rate: number,
  { low, high }: { readonly low: number; readonly high: number },
): number => {
  if (ratio === null) return length;
  if (ratio > high) return Math.min(1, length / rate);
  return ratio < low ? Math.max(shortest, length * (ratio < 0 ? rate ** 2 : rate)) : length;
};
