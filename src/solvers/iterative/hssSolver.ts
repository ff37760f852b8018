/**
 * Hermitian and skew-Hermitian splitting as the solver of a step, for curvature whose operator is not symmetric.
 *
 * @module
 */
import { scaled, sumOf } from '../../core/operators/composite.ts';
import { identity } from '../../core/operators/factors/factor.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import { blockDiagonal, damped } from '../../core/operators/linearOperator.ts';
import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
import type { Context, Field } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';
import type { IterativeOptions } from './iterative.ts';
import { solveIteratively } from './iterative.ts';
import { hss } from '../krylov/hss.ts';
import { splittingOfOperator } from '../krylov/splitting.ts';
import type { SiteDamping } from '../solver/siteDamping.ts';
import { dampingBySite } from '../solver/siteDamping.ts';
import type { SolveNeeds, Solver } from '../solver/solver.ts';

/** Settings of {@link hssSolver}. The preconditioner serves the inner conjugate gradients. */
export interface HssSolverOptions<Needs extends Field = never> extends IterativeOptions<Needs> {
  /** α, greater than 0; the bound on the rate is least at √(μ_min μ_max) of the damped symmetric part. */
  readonly alpha: number;
}

/** curvature + λ I, with a λ of each block's own where some are given. */
const dampedCurvature = <T extends Shaped>(
  { operator, damping }: Context<T, 'operator' | 'damping'>,
  siteDamping: SiteDamping,
  b: Params<T>,
): LinearOperator<T> => {
  if (Object.keys(siteDamping).length === 0) return damped(operator, damping);
  const dampingOf = dampingBySite(siteDamping, damping);
  const multiples = mapParams(b, ({ shape }, name) => scaled(dampingOf(name), identity(sizeOf(shape))));
  return sumOf<LinearOperator<T>>([operator, blockDiagonal<T>(multiples)]);
};

/**
 * (curvature + λ I) d = ∇ by splitting the curvature into its symmetric and its skew part.
 *
 * @param options - α, preconditioner, stopping rules, warm start
 *
 * @example
 * ```ts
 * import { hssSolver } from 'kfac-ts/solvers';
 *
 * const solver = hssSolver({ alpha: 0.3, tolerance: 1e-4 });
 * ```
 */
export const hssSolver = <Needs extends Field = never>(
  options: HssSolverOptions<Needs>,
): Solver<SolveNeeds | Needs> => ({
  run: <T extends Shaped>(context: Context<T, SolveNeeds | Needs>) =>
    solveIteratively(options, context, (backend, b, krylov) =>
      hss(backend, splittingOfOperator(dampedCurvature(context, options.siteDamping ?? {}, b)), b, {
        ...krylov,
        alpha: options.alpha,
      }),
    ),
});
