/**
 * Solvers without curvature: the gradient itself, and Adam's direction.
 *
 * @module
 */
import type { AdamOptions } from './moments.ts';
import { adamDirection, momentsWith } from './moments.ts';
import { ownMemory, remembering } from './ownMemory.ts';
import type { Solver } from './solver.ts';
import { computing } from './solver.ts';

/** The fields that a solver without curvature needs. */
export type FirstOrderNeeds = 'state' | 'gradient';

/** The gradient as direction: SGD. */
export const identity: Solver<FirstOrderNeeds> = computing((_, { state, gradient }) => ({
  direction: gradient,
  state,
  metrics: {},
}));

/**
 * Adam [KB15, algorithm 1]: m̂ / (√v̂ + ε) with bias-corrected moments.
 *
 * @param options - β₁, β₂, ε
 * @example
 * ```ts
 * import { backward, forward, pipeline } from 'kfac-ts/core';
 * import { adam, solve, update } from 'kfac-ts/solvers';
 *
 * const step = pipeline(forward, backward, solve(adam({ beta2: 0.99 })), update({ learningRate: 1e-3 }));
 * ```
 */
export const adam = (options: AdamOptions = {}): Solver<FirstOrderNeeds> =>
  computing((ops, { state, gradient }) => {
    const { slots, begun, t } = ownMemory(state, 'm');
    const { m, v } = momentsWith(ops, options, slots, gradient, t);
    const direction = adamDirection(ops, options, { m, v }, t);
    return { direction, state: remembering(state, begun, { m, v }), metrics: {} };
  });
