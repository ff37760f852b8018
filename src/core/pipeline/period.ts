/**
 * When something that is not done in every step is due.
 *
 * @module
 */
import { extent } from '../settings.ts';

/** A period that grows: 1 at first, by 1 with every so many steps, up to its greatest. */
export interface Growing {
  /** The period in the end, in steps. */
  readonly atMost: number;
  /** Steps after which it grows by 1. */
  readonly after: number;
}

/** Steps between two times, always or in the end. */
export type Period = number | Growing;

/**
 * A period that is 1 at the start of a run, where curvature and parameters change fastest, and grows.
 *
 * @param atMost - the period in the end, in steps
 * @param after - steps after which it grows by 1, 10 unless given
 * @example
 * ```ts
 * import { growing, isDue } from 'kfac-ts/core';
 *
 * // Each of the first four steps, each second of the next four, then each third.
 * const steps = Array.from({ length: 16 }, (_, step) => step);
 * steps.filter((step) => isDue(growing(3, 4), step)); // => [0, 1, 2, 3, 4, 6, 9, 12, 15]
 * ```
 */
export const growing = (atMost: number, after = 10): Growing => ({
  atMost: extent('growing.atMost', atMost),
  after: extent('growing.after', after),
});

/**
 * Whether a step is one of a period's.
 *
 * @param period - the period
 * @param step - number of the step, from 0
 */
export const isDue = (period: Period, step: number): boolean => {
  if (typeof period === 'number') return step % period === 0;
  const { atMost, after } = period;
  const now = Math.min(atMost, 1 + Math.floor(step / after));
  return now === atMost ? step % atMost === 0 : (step % after) % now === 0;
};

/**
 * A period whose numbers are of at least one step.
 *
 * @param path - where it was given
 * @param period - what was given
 */
export const checkedPeriod = (path: string, period: Period): Period =>
  typeof period === 'number' ? extent(path, period) : growing(period.atMost, period.after);
