/**
 * The damping of a step: λ, decided once for all that use it.
 *
 * Solvers, the quadratic model and its adaptation take λ from the step, so that it is said in one place and a stage that
 * wants another for a while (the inverses' own γ²) runs a solver with another.
 *
 * @module
 */
import { computation } from '../../core/pipeline/compute.ts';
import type { Stage } from '../../core/pipeline/stage.ts';
import type { Demand } from '../demand.ts';
import { demanded, foreseeing } from '../demand.ts';
import type { Schedule } from '../schedules.ts';
import { scheduleOf } from '../schedules.ts';

const demand: Demand = {
  path: 'damping',
  expected: 'a finite number above 0',
  holds: (lambda) => lambda > 0 && lambda < Infinity,
};

/**
 * Adds λ to the step: the adapted one when the state has one, else the given one. It reports `damping`.
 *
 * @param damping - λ, greater than 0, in units of the loss per example and squared parameter; or one for each step
 * @example
 * ```ts
 * import { backward, forward, pipeline } from 'kfac-ts/core';
 * import { cosine, damp, identity, solve, update } from 'kfac-ts/solvers';
 *
 * // λ is decided once; every stage after it takes it from the step.
 * const step = pipeline(forward, backward, damp(cosine(10, 1000, 0.1)), solve(identity), update({ learningRate: 0.1 }));
 * ```
 */
export const damp = (damping: number | Schedule): Stage<'state', 'damping' | 'metrics'> => {
  const schedule = scheduleOf(damping);
  const given = computation<'state', 'damping' | 'metrics'>('damp', (_, { state }) => {
    const lambda = demanded(demand, state.scalars['damping'] ?? schedule(state.step), state.step);
    return { damping: lambda, metrics: { damping: lambda } };
  });
  return { ...given, foresee: foreseeing(schedule, demand) };
};
