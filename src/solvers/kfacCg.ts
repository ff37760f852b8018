/**
 * Hessian-free optimisation with a curvature as preconditioner: conjugate gradients on the exact damped Gauss–Newton
 * operator of the batch [M10], preconditioned by the K-FAC inverse, or by any other preparation of any curvature.
 *
 * The curvature no longer decides where to go, only how soon one is there; its errors cost iterations, not quality.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../core/errors.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { Params } from '../core/params.ts';
import { mapParams } from '../core/params.ts';
import { compute } from '../core/pipeline/compute.ts';
import type { Context } from '../core/pipeline/context.ts';
import type { Env } from '../core/pipeline/env.ts';
import type { Objective } from '../core/pipeline/forward.ts';
import type { SolverState } from '../core/pipeline/trainState.ts';
import type { Shaped } from '../core/tensor.ts';
import type { Block } from '../curvature/blocks.ts';
import { blocksOf, fromBlocks, toBlocks } from '../curvature/blocks.ts';
import { gaussNewtonAction } from './gaussNewton.ts';
import { invertFactors } from './kroneckerInverse.ts';
import { shifted } from './krylov/action.ts';
import type { CgOutcome } from './krylov/conjugateGradient.ts';
import { conjugateGradient } from './krylov/conjugateGradient.ts';
import type { MartensRule } from './krylov/martens.ts';
import type { Prepare, RefreshOptions, SolveNeeds, Solved, Solver } from './solver.ts';
import { dampingAt, dueAt } from './solver.ts';

/** Settings of {@link kfacCg}. Damping and period are those of the preconditioner, too. */
export interface KfacCgOptions extends RefreshOptions {
  /** Makes the preconditioner; the inverse of the damped K-FAC factors unless given. */
  readonly prepare?: Prepare;
  /** Iterations per step at most, 100 unless given. */
  readonly maxIterations?: number;
  /** Stop at this relative residual, 1e-6 unless given. */
  readonly tolerance?: number;
  /** Stop when the model hardly falls any more; `null` never does. */
  readonly martens?: MartensRule | null;
  /** ζ: the last direction times this is where the iteration starts, 0.95 unless given; 0 starts from nothing. */
  readonly warmStart?: number;
}

/** The fields that the solver needs: those of every curvature solver, and the batch itself. */
export type KfacCgNeeds = SolveNeeds | 'batch' | 'outputs';

/** Name of the memory that holds the last direction. */
const lastDirection = 'lastDirection';

const refresh =
  <T extends Shaped>(options: KfacCgOptions, context: Context<T, KfacCgNeeds>) =>
  (env: Env<T>): TE.TaskEither<KfacError, SolverState<T>> => {
    const { state, operator } = context;
    if (!dueAt(state, options.every)) return TE.right(state.solver);
    return pipe(
      (options.prepare ?? invertFactors)(env.backend, operator, dampingAt(state, options.damping)),
      TE.map((prepared) => ({ ...state.solver, prepared, preparedAt: state.step })),
    );
  };

/** ζ times the last direction, as a block vector. */
const startAt = <T extends Shaped>(
  ops: Ops<T>,
  blocks: ReadonlyArray<Block>,
  solver: SolverState<T>,
  zeta: number,
): { readonly initial?: Params<T> } =>
  lastDirection in solver.slots && zeta !== 0
    ? { initial: mapParams(toBlocks(ops, blocks, solver.slots[lastDirection]), (d) => ops.scale(zeta, d)) }
    : {};

/**
 * (E[Jᵀ H_ℓ J] + λ I) d = ∇ by preconditioned conjugate gradients.
 *
 * It reports `cgIterations` and `cgResidual`, the relative residual at the end.
 *
 * @param objective - model and loss
 * @param options - damping, preconditioner, stopping rules, warm start
 */
export const kfacCg = (objective: Objective, options: KfacCgOptions): Solver<KfacCgNeeds> => {
  const { maxIterations = 100, tolerance = 1e-6, martens = {}, warmStart = 0.95 } = options;
  return {
    name: 'kfacCg',
    run: <T extends Shaped>(context: Context<T, KfacCgNeeds>) => {
      const { state, sites, gradient, metrics } = context;
      const blocks = blocksOf(sites, Object.keys(state.params));
      const lambda = dampingAt(state, options.damping);

      const iterate = (solver: SolverState<T>) => (env: Env<T>) => {
        const { backend } = env;
        return pipe(
          compute((ops: Ops<T>) => ({
            b: toBlocks(ops, blocks, gradient),
            start: startAt(ops, blocks, solver, warmStart),
          }))(env),
          TE.chain(({ b, start }) =>
            conjugateGradient(backend, shifted(gaussNewtonAction(objective, context, blocks), lambda), b, {
              ...start,
              ...(solver.prepared === null ? {} : { preconditioner: solver.prepared }),
              ...(martens === null ? {} : { martens }),
              tolerance,
              maxIterations,
            }),
          ),
        );
      };

      const finish =
        (solver: SolverState<T>, outcome: CgOutcome<T>) =>
        (ops: Ops<T>): Context<T, Solved> => {
          const direction = fromBlocks(ops, blocks, outcome.x);
          return {
            direction,
            state: { ...state, solver: { ...solver, slots: { ...solver.slots, [lastDirection]: direction } } },
            metrics: {
              ...metrics,
              damping: lambda,
              inverseAge: state.step - solver.preparedAt,
              cgIterations: outcome.iterations,
              cgResidual: outcome.residual,
            },
          };
        };

      return pipe(
        refresh(options, context),
        RTE.bindTo('solver'),
        RTE.bind('outcome', ({ solver }) => iterate(solver)),
        RTE.chain(({ solver, outcome }) => compute(finish(solver, outcome))),
      );
    },
  };
};
