/**
 * What a figure shows of a run: its losses as points, smoothed and thinned out.
 *
 * @module
 */
import * as RA from 'fp-ts/lib/ReadonlyArray.js';

/** Where a run stood after some steps. */
export interface Mark {
  readonly step: number;
  /** Training time until then. */
  readonly seconds: number;
  readonly loss: number;
}

/** Shorter runs are shown as they are. */
const fewest = 40;

/** Part of a run over which it is smoothed. */
const part = 1 / 40;

/**
 * Number of steps that a smoothed loss is the mean of: odd, and 1 where a run is short.
 *
 * @param steps - length of the run
 */
export const windowOf = (steps: number): number => (steps < fewest ? 1 : 2 * Math.ceil((steps * part) / 2) + 1);

/**
 * The mean over a window around each step, which is cut at both ends of the run.
 *
 * @param marks - one for each step
 * @param window - odd number of steps
 */
export const smoothed = <A extends Mark>(marks: ReadonlyArray<A>, window: number): ReadonlyArray<A> => {
  const half = (window - 1) / 2;
  const sums = RA.scanLeft(0, (sum: number, { loss }: A) => sum + loss)(marks);
  return marks.map((mark, i) => {
    const reach = Math.min(half, i, marks.length - 1 - i);
    return { ...mark, loss: (sums[i + reach + 1] - sums[i - reach]) / (2 * reach + 1) };
  });
};

/** More points than this in a line are not seen. */
const mostPoints = 800;

/** Every so many marks, and the last. */
export const thinned = <A>(marks: ReadonlyArray<A>): ReadonlyArray<A> => {
  const stride = Math.ceil(marks.length / mostPoints);
  return marks.filter((_, i) => i % stride === 0 || i === marks.length - 1);
};
