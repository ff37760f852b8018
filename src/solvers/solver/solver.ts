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

/** What every solver adds to a step. */
export type Solved = 'direction' | 'state' | 'metrics';

/** A way to a direction that needs the given fields of the context. */
export interface Solver<Needs extends Field> {
  readonly name: string;
  readonly run: StageRun<Needs, Solved>;
}

/**
 * The solve stage.
 *
 * @param solver - any solver
 */
export const solve = <Needs extends Field>(solver: Solver<Needs>): Stage<Needs, Solved> => stage('solve', solver.run);

/** A solver that only computes. */
export const computing = <Needs extends Field>(name: string, run: Computation<Needs, Solved>): Solver<Needs> =>
  computation(name, run);

/** The fields that a solver with curvature needs. */
export type SolveNeeds = 'state' | 'blocks' | 'gradient' | 'operator' | 'damping';
