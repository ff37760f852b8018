/**
 * Burn-in: the first steps only gather statistics, so that the first change of the parameters is not made with the
 * curvature of a single batch.
 *
 * @module
 */
import { computation } from '../../core/pipeline/compute.ts';
import type { Stage } from '../../core/pipeline/stage.ts';

/**
 * Undoes what a step did to parameters, update rules and adapted numbers while the state's step is below the given
 * number; statistics and the count of steps go on. What a solver prepared is dropped, so the first step that counts
 * prepares from all statistics gathered. It comes after `update`.
 *
 * @param steps - length of the burn-in, at least 0
 * @example
 * ```ts
 * import { backward, forward, pipeline } from 'kfac-ts/core';
 * import { capture, exact, kfac, updateFactors } from 'kfac-ts/curvature';
 * import { burnIn, damp, identity, solve, update } from 'kfac-ts/solvers';
 *
 * // Twenty steps that only gather statistics.
 * const curved = pipeline(forward, backward, capture(exact()), updateFactors(kfac()));
 * const step = pipeline(curved, damp(0.1), solve(identity), update({ learningRate: 0.1 }), burnIn(20));
 * ```
 */
export const burnIn = (steps: number): Stage<'state' | 'next', 'next'> =>
  computation('burnIn', (_, { state, next }) => ({
    next:
      state.step < steps
        ? {
            ...next,
            params: state.params,
            rules: state.rules,
            scalars: state.scalars,
            solver: { ...next.solver, prepared: null, pending: null },
          }
        : next,
  }));
