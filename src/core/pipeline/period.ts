/**
 * When something that is not done in every step is due.
 *
 * @module
 */
import { extent, notNegative, positive } from '../settings.ts';

/** A period that is 1 at the start of a run, where curvature and parameters change fastest, and grows to what it stays. */
export interface Growing {
  /** What it stays, in steps, unless that is too dear. */
  readonly to: number;
  /** Steps in which it grows, after the first ten; with 0 it is what it stays from the first step on. */
  readonly over: number;
  /** Part of a step's own work, forwards and backwards, that it may cost in the mean: longer where it would cost more. */
  readonly share: number;
  /** The longest that it gets for that, in steps. */
  readonly atMost: number;
}

/** Steps between two times, always or in the end. */
export type Period = number | Growing;

/**
 * A period that grows: the first ten steps are all due, unless it has no time to grow in.
 *
 * @param to - what it stays, in steps
 * @param options - steps in which it grows, 40 unless given; the part of a step's work that it may cost, any unless given;
 *   how long it gets for that, 100 steps unless given
 * @example
 * ```ts
 * import { growing, isDue } from 'kfac-ts/core';
 *
 * const steps = Array.from({ length: 30 }, (_, step) => step).filter((step) => step > 8);
 * steps.filter((step) => isDue(growing(4, { over: 6 }), step)); // => [9, 10, 12, 14, 16, 20, 24, 28]
 * ```
 */
export const growing = (to: number, options: Partial<Omit<Growing, 'to'>> = {}): Growing => {
  const { over = 40, share = Infinity, atMost = 100 } = options;
  return {
    to: extent('growing.to', to),
    over: notNegative('growing.over', over),
    share: share === Infinity ? share : positive('growing.share', share),
    atMost: extent('growing.atMost', atMost),
  };
};

/** The first steps, all of which are due. */
const young = 10;

/** Time on a clock that ticks once a period: 1 a step at first, slower by and by, 1 / n in the end. */
const clock = (n: number, over: number, step: number): number => {
  if (n === 1) return step;
  // The period 1 + s / a after s steps is n after `over`.
  const a = over / (n - 1);
  return step < over ? a * Math.log1p(step / a) : a * Math.log(n) + (step - over) / n;
};

/**
 * Whether a step is one of a period's.
 *
 * @param period - the period
 * @param step - number of the step, from 0
 * @param dearness - what is due costs so many times a step's own work, forwards and backwards; 0 unless given
 * @example
 * ```ts
 * import { growing, isDue } from 'kfac-ts/core';
 *
 * isDue(5, 10); // => true
 * // What costs as much as two steps, and may cost a quarter of one, is due every eight.
 * isDue(growing(5, { share: 0.25 }), 100, 2); // => false
 * isDue(growing(5, { share: 0.25 }), 104, 2); // => true
 * ```
 */
export const isDue = (period: Period, step: number, dearness = 0): boolean => {
  if (typeof period === 'number') return step % period === 0;
  const { to, over, share, atMost } = period;
  const n = Math.max(to, Math.min(atMost, Math.ceil(dearness / share)));
  if (over === 0) return step % n === 0;
  if (step <= young) return true;
  // Multiples of n from the first one after it has grown: the last tick before that is at most n steps earlier.
  if (step >= n * Math.ceil((young + over) / n)) return step % n === 0;
  const age = step - young;
  return Math.floor(clock(n, over, age)) > Math.floor(clock(n, over, age - 1));
};

/**
 * A period whose numbers are in their ranges; a `BadConfig` is raised else.
 *
 * @param path - where it was given
 * @param period - what was given
 */
export const checkedPeriod = (path: string, period: Period): Period =>
  typeof period === 'number' ? extent(path, period) : growing(period.to, period);
