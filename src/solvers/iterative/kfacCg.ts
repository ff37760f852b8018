/**
 * Hessian-free optimisation with a curvature as preconditioner: conjugate gradients on the exact damped Gauss–Newton
 * operator of the batch [M10], preconditioned by the K-FAC inverse, or by any other preparation of any curvature.
 *
 * The curvature no longer decides where to go, only how soon one is there; its errors cost iterations, not quality.
 *
 * @module
 */
import type { Context, Field } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { gaussNewtonAction } from './gaussNewton.ts';
import type { IterativeOptions } from './iterative.ts';
import { solveIteratively } from './iterative.ts';
import { kroneckerInverse } from '../inverses/kroneckerInverse.ts';
import { shifted } from '../../core/operators/action.ts';
import { conjugateGradient } from '../krylov/conjugateGradient.ts';
import type { MartensRule } from '../krylov/martens.ts';
import type { SolveNeeds, Solver } from '../solver/solver.ts';

/** Settings of {@link kfacCg}. The preconditioner is {@link kroneckerInverse} unless one is given. */
export interface KfacCgOptions<Needs extends Field = never> extends IterativeOptions<Needs> {
  /** Stop when the model hardly falls any more; `null` never does. */
  readonly martens?: MartensRule | null;
}

/** The fields that the solver needs: those of every curvature solver, and the batch itself. */
export type KfacCgNeeds = SolveNeeds | 'objective' | 'weights' | 'outputs' | 'pushforward' | 'pullback';

/**
 * (E[Jᵀ H_ℓ J] + λ I) d = ∇ by preconditioned conjugate gradients. It reports `solveIterations` and `solveResidual`.
 *
 * @param options - preconditioner, stopping rules, warm start
 *
 * @example
 * ```ts
 * import { kfacCg, newtonSchulz } from 'kfac-ts/solvers';
 *
 * const solver = kfacCg({ preconditioner: newtonSchulz({ tolerance: 1e-3 }), maxIterations: 20 });
 * ```
 */
export const kfacCg = <Needs extends Field = never>(
  options: KfacCgOptions<Needs> = {},
): Solver<KfacCgNeeds | Needs> => {
  const { martens = {}, preconditioner = kroneckerInverse } = options;
  const stopping = martens === null ? {} : { martens };
  return {
    run: <T extends Shaped>(context: Context<T, KfacCgNeeds | Needs>) =>
      solveIteratively({ ...options, preconditioner }, context, (backend, b, krylov, dampingOf) => {
        const system = shifted(gaussNewtonAction(context), dampingOf);
        return conjugateGradient(backend, system, b, { ...krylov, ...stopping });
      }),
  };
};
