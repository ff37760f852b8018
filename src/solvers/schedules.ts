/**
 * Schedules: numbers that depend on the step, for learning rates and damping.
 *
 * A schedule is a function, so any function will do; these are the usual ones and the ways to combine them.
 *
 * @module
 */

/** A number for each step, counted from 0. */
export type Schedule = (step: number) => number;

/** The same number always. */
export const constant =
  (value: number): Schedule =>
  () =>
    value;

/**
 * Rises linearly from 1/steps to 1 in the given number of steps, then stays: a factor for another schedule.
 *
 * @param steps - length of the rise, at least 1
 */
export const warmUp =
  (steps: number): Schedule =>
  (step) =>
    Math.min(1, (step + 1) / steps);

/**
 * Half a cosine from `start` to `end` [LH17], without restarts.
 *
 * @param start - value at step 0
 * @param steps - steps until `end`
 * @param end - value from then on, 0 unless given
 */
export const cosine =
  (start: number, steps: number, end = 0): Schedule =>
  (step) =>
    end + ((start - end) * (1 + Math.cos(Math.PI * Math.min(1, step / steps)))) / 2;

/**
 * Multiplied by a factor at each boundary.
 *
 * @param start - value before the first boundary
 * @param factor - factor at each boundary
 * @param boundaries - steps from which the factor applies once more
 */
export const piecewise =
  (start: number, factor: number, boundaries: ReadonlyArray<number>): Schedule =>
  (step) =>
    start * factor ** boundaries.filter((boundary) => step >= boundary).length;

/**
 * start · factor^(step / steps), not below `end`.
 *
 * @param start - value at step 0
 * @param factor - factor per `steps`
 * @param steps - steps per factor
 * @param end - lower bound, 0 unless given
 */
export const exponential =
  (start: number, factor: number, steps: number, end = 0): Schedule =>
  (step) =>
    Math.max(end, start * factor ** (step / steps));

/**
 * value / √(step / steps) from `steps` on, value before.
 *
 * @param value - value until `steps`
 * @param steps - step at which the decay begins, at least 1
 */
export const inverseSquareRoot =
  (value: number, steps: number): Schedule =>
  (step) =>
    value / Math.sqrt(Math.max(1, step / steps));

/** The product of schedules, for example a warm-up times a cosine. */
export const product =
  (...schedules: ReadonlyArray<Schedule>): Schedule =>
  (step) =>
    schedules.reduce((value, schedule) => value * schedule(step), 1);

/**
 * One schedule until a step, another from then on with its own count from 0.
 *
 * @param first - until `at`
 * @param at - step of the change
 * @param second - from `at`
 */
export const after =
  (first: Schedule, at: number, second: Schedule): Schedule =>
  (step) =>
    step < at ? first(step) : second(step - at);

/** A number as the schedule that always gives it; a schedule as it is. */
export const scheduleOf = (value: number | Schedule): Schedule => (typeof value === 'number' ? constant(value) : value);
