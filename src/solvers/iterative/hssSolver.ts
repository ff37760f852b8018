/**
 * Hermitian and skew-Hermitian splitting as the solver of a step, for curvature whose operator is not symmetric.
 *
 * @module
 */
import { damped } from '../../core/operators/linearOperator.ts';
import type { Context } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { IterativeOptions } from './iterative.ts';
import { solveIteratively } from './iterative.ts';
import { hss } from '../krylov/hss.ts';
import { splittingOfOperator } from '../krylov/splitting.ts';
import type { SolveNeeds, Solver } from '../solver/solver.ts';

/** Settings of {@link hssSolver}. The preconditioner serves the inner conjugate gradients. */
export interface HssSolverOptions extends IterativeOptions {
  /** α, greater than 0; the bound on the rate is least at √(μ_min μ_max) of the damped symmetric part. */
  readonly alpha: number;
}

/**
 * (curvature + λ I) d = ∇ by splitting the curvature into its symmetric and its skew part.
 *
 * @param options - α, preconditioner, stopping rules, warm start
 */
export const hssSolver = (options: HssSolverOptions): Solver<SolveNeeds> => ({
  name: 'hss',
  run: <T extends Shaped>(context: Context<T, SolveNeeds>) =>
    solveIteratively<T>(options, context, (backend, b, krylov, lambda) =>
      hss(backend, splittingOfOperator(damped(context.operator, lambda)), b, { ...krylov, alpha: options.alpha }),
    ),
});
