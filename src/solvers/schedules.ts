/**
 * Schedules: numbers that depend on the step, for learning rates and damping.
 *
 * A schedule is a function, so any function will do; these are the usual ones and the ways to combine them.
 *
 * @module
 */

/** A number for each step, counted from 0. */
export type Schedule = (step: number) => number;

/**
 * The same number always.
 *
 * @example
 * ```ts
 * import { constant, damp } from 'kfac-ts/solvers';
 *
 * const damping = damp(constant(0.1)); // as damp(0.1)
 * ```
 */
export const constant =
  (value: number): Schedule =>
  () =>
    value;

/**
 * Rises linearly from 1/steps to 1 in the given number of steps, then stays: a factor for another schedule.
 *
 * @param steps - length of the rise, at least 1
 * @example
 * ```ts
 * import { product, constant, warmUp } from 'kfac-ts/solvers';
 *
 * const rate = product(warmUp(4), constant(0.5));
 * [0, 1, 3, 100].map(rate); // => [0.125, 0.25, 0.5, 0.5]
 * ```
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
 * @example
 * ```ts
 * import { cosine, damp } from 'kfac-ts/solvers';
 *
 * const damping = damp(cosine(10, 1000, 0.1));
 * cosine(10, 1000)(500).toFixed(6); // => '5.000000'
 * ```
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
 * @example
 * ```ts
 * import { piecewise } from 'kfac-ts/solvers';
 *
 * const rate = piecewise(1, 0.5, [100, 200]);
 * [0, 100, 250].map(rate); // => [1, 0.5, 0.25]
 * ```
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
 * @example
 * ```ts
 * import { exponential } from 'kfac-ts/solvers';
 *
 * // Halved every 100 steps, down to 0.1.
 * const damping = exponential(1, 0.5, 100, 0.1);
 * [0, 100, 200, 1000].map(damping); // => [1, 0.5, 0.25, 0.1]
 * ```
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
 * @example
 * ```ts
 * import { inverseSquareRoot } from 'kfac-ts/solvers';
 *
 * [0, 100, 400].map(inverseSquareRoot(1, 100)); // => [1, 1, 0.5]
 * ```
 */
export const inverseSquareRoot =
  (value: number, steps: number): Schedule =>
  (step) =>
    value / Math.sqrt(Math.max(1, step / steps));

/**
 * The product of schedules, for example a warm-up times a cosine.
 *
 * @example
 * ```ts
 * import { cosine, product, update, warmUp } from 'kfac-ts/solvers';
 *
 * const move = update({ learningRate: product(warmUp(20), cosine(0.5, 1000)) });
 * ```
 */
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
 * @example
 * ```ts
 * import { after, constant, cosine } from 'kfac-ts/solvers';
 *
 * // As it is for 500 steps, then down to 0 in 1000.
 * const rate = after(constant(0.1), 500, cosine(0.1, 1000));
 * [0, 499, 500, 1500].map(rate); // => [0.1, 0.1, 0.1, 0]
 * ```
 */
export const after =
  (first: Schedule, at: number, second: Schedule): Schedule =>
  (step) =>
    step < at ? first(step) : second(step - at);

/**
 * A number as the schedule that always gives it; a schedule as it is.
 *
 * @example
 * ```ts
 * import { scheduleOf } from 'kfac-ts/solvers';
 *
 * scheduleOf(0.1)(1000); // => 0.1
 * scheduleOf((step) => 1 / (step + 1))(3); // => 0.25
 * ```
 */
export const scheduleOf = (value: number | Schedule): Schedule => (typeof value === 'number' ? constant(value) : value);
