/**
 * Solvers with a damping of their own, for tables of solvers that are run without a `damp` stage.
 *
 * @module
 */
import type { Context } from '../../src/core/pipeline/context.ts';
import type { Shaped } from '../../src/core/tensor.ts';
import type { KfacCgNeeds } from '../../src/solvers/iterative/kfacCg.ts';
import type { SolveNeeds, Solver } from '../../src/solvers/solver/solver.ts';

/** What a solver with curvature may need, apart from λ. */
export type Undamped = Exclude<SolveNeeds, 'damping'> | 'captured';

/** What {@link withDamping} makes of a solver that looks at the batch itself, too. */
export type UndampedOfBatch = Undamped | Exclude<KfacCgNeeds, 'damping'>;

/** The solver with a λ. */
export const withDamping = (damping: number, solver: Solver<Undamped | 'damping'>): Solver<Undamped> => ({
  run: <T extends Shaped>(context: Context<T, Undamped>) => solver.run<T>({ ...context, damping }),
});

/** Like {@link withDamping}. */
export const withDampingOfBatch = (
  damping: number,
  solver: Solver<UndampedOfBatch | 'damping'>,
): Solver<UndampedOfBatch> => ({
  run: <T extends Shaped>(context: Context<T, UndampedOfBatch>) => solver.run<T>({ ...context, damping }),
});
