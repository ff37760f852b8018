/**
 * Solvers: from a gradient (and a curvature) to a direction.
 *
 * @module
 */
import type { Computation } from '../../core/pipeline/compute.ts';
import { computation } from '../../core/pipeline/compute.ts';
import type { Field } from '../../core/pipeline/context.ts';
import type { Stage, StageRun } from '../../core/pipeline/stage.ts';
import { stage } from '../../core/pipeline/stage.ts';
import { tidied } from '../../core/pipeline/tidied.ts';

/** What every solver adds to a step. */
export type Solved = 'direction' | 'state' | 'metrics';

/** A way to a direction that needs the given fields of the context. */
export interface Solver<Needs extends Field> {
  readonly run: StageRun<Needs, Solved>;
}

/**
 * The solve stage.
 *
 * @param solver - any solver
 *
 * @example
 * ```ts
 * import { kroneckerInverse, preconditioned, solve } from 'kfac-ts/solvers';
 *
 * solve(preconditioned(kroneckerInverse)).name; // => 'solve'
 * ```
 */
export const solve = <Needs extends Field>(solver: Solver<Needs>): Stage<Needs | 'state', Solved> =>
  tidied(stage('solve', solver.run));

/**
 * A solver that only computes.
 *
 * @example
 * ```ts
 * import { mapParams } from 'kfac-ts/core';
 * import { computing } from 'kfac-ts/solvers';
 *
 * // The sign of every entry of the gradient.
 * const signs = computing<'state' | 'gradient'>((ops, { state, gradient }) => ({
 *   direction: mapParams(gradient, (g) => ops.sub(ops.greater(g, ops.full([], 0)), ops.greater(ops.neg(g), ops.full([], 0)))),
 *   state,
 *   metrics: {},
 * }));
 * ```
 */
export const computing = <Needs extends Field>(run: Computation<Needs, Solved>): Solver<Needs> => ({
  run: computation('solve', run).run,
});

/** The fields that a solver with curvature needs. */
export type SolveNeeds = 'state' | 'blocks' | 'gradient' | 'operator' | 'damping';
