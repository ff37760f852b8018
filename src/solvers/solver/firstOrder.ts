/**
 * Solvers without curvature: the gradient itself, and Adam's direction.
 *
 * @module
 */
import { mapParams } from '../../core/params.ts';
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

/** Settings of {@link adam}, with the defaults of the paper. */
export interface AdamOptions {
  /** β₁ of the first moment, 0.9 unless given. */
  readonly beta1?: number;
  /** β₂ of the second moment, 0.999 unless given. */
  readonly beta2?: number;
  /** ε added to the root of the second moment, 1e-8 unless given. */
  readonly epsilon?: number;
}

/** What 32 bits hold: a gradient of 0 over a floor of 0 would be no number. */
const leastFloor = 1e-37;

/**
 * Adam [KB15, algorithm 1]: m̂ / (√v̂ + ε) with bias-corrected moments.
 *
 * The corrections are folded into two scalars, m / (c √v + ε′) with c = (1 − β₁ᵗ) / √(1 − β₂ᵗ) and ε′ = ε (1 − β₁ᵗ), so no
 * corrected copy is made.
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
export const adam = (options: AdamOptions = {}): Solver<FirstOrderNeeds> => {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  return computing((ops, { state, gradient }) => {
    const { slots, prepared, preparedAt } = state.solver;
    // Another optimizer may have taken the steps before: those are not in the moments.
    const goesOn = 'm' in slots && prepared === null;
    const begun = goesOn ? preparedAt : state.step;
    const t = state.step - begun + 1;
    const moment = (name: string, beta: number, sample: typeof gradient): typeof gradient =>
      mapParams(sample, (x, path) =>
        goesOn ? ops.linearCombination(beta, slots[name][path], 1 - beta, x) : ops.scale(1 - beta, x),
      );
    const m = moment('m', beta1, gradient);
    const v = moment(
      'v',
      beta2,
      mapParams(gradient, (g) => ops.square(g)),
    );
    const correction = 1 - beta1 ** t;
    const c = correction / Math.sqrt(1 - beta2 ** t);
    const floor = ops.full([], Math.max(epsilon * correction, leastFloor));
    const direction = mapParams(m, (x, path) => ops.div(x, ops.add(ops.scale(c, ops.sqrt(v[path])), floor)));
    const solver = { ...state.solver, prepared: null, preparedAt: begun, slots: { m, v } };
    return { direction, state: { ...state, solver }, metrics: {} };
  });
};
