/**
 * What schedules must give: checked at each step, and for a whole run before its first one.
 *
 * A schedule is any function of the step, so that a damping which becomes 0 after a thousand steps cannot be told from its
 * settings. A run knows how long it is, and asks.
 *
 * @module
 */
import type { BadConfig } from '../core/errors.ts';
import { raise } from '../core/errors.ts';
import type { Foresee } from '../core/pipeline/stage.ts';
import type { Schedule } from './schedules.ts';

/** What a schedule must give at every step. */
export interface Demand {
  /** The setting that it is. */
  readonly path: string;
  readonly expected: string;
  readonly holds: (value: number) => boolean;
}

/** What every learning rate must be. */
export const ofLearningRate: Demand = { path: 'learningRate', expected: 'a finite number', holds: Number.isFinite };

const demandError = ({ path, expected, holds }: Demand, value: number, step: number): BadConfig | null =>
  holds(value)
    ? null
    : { _tag: 'BadConfig', path, expected: `${expected} at every step`, actual: `${value} at step ${step}` };

/** Steps that are looked at one by one; of a longer run the last one besides. */
const horizon = 1e6;

/**
 * Whether a schedule will give what it must.
 *
 * @param schedule - a number for each step
 * @param demand - what it must give
 */
export const foreseeing =
  (schedule: Schedule, demand: Demand): Foresee =>
  (from, to) => {
    const count = Math.min(Math.max(0, to - from), horizon);
    for (let i = 0; i < count; i += 1) {
      const error = demandError(demand, schedule(from + i), from + i);
      if (error !== null) return error;
    }
    return count < to - from ? demandError(demand, schedule(to - 1), to - 1) : null;
  };

/**
 * A schedule's value at a step, or the `BadConfig` that it is raised as.
 *
 * @param demand - what it must be
 * @param value - what the schedule gave
 * @param step - where
 */
export const demanded = (demand: Demand, value: number, step: number): number => {
  const error = demandError(demand, value, step);
  return error === null ? value : raise(error);
};
