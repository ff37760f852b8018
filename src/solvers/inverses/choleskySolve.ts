/**
 * The K-FAC solver that keeps Cholesky factors and solves two triangular systems per factor in every step: direction
 * G⁻¹ V A⁻¹ without an inverse.
 *
 * A factor takes a third of the operations of an inverse, and a solve is backward stable where a product with an inverse
 * is not; triangular solves are slower than products, so with long refresh periods `kroneckerInverse` costs less.
 *
 * What is prepared is the inverse with Cholesky factors in the place of inverted matrices; diagonals are inverted as they
 * are. It acts by triangular solves, which operations alone do not offer, hence it is no preconditioner for other solvers.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import { applyOn } from '../../core/operators/applyOn.ts';
import { cholesky } from '../../core/operators/factors/factor.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import type { Prepared } from '../../core/pipeline/prepared.ts';
import type { Env } from '../../core/pipeline/env.ts';
import type { Shaped } from '../../core/tensor.ts';
import { fromBlocks, toBlocks } from '../../curvature/blocks.ts';
import { calculate } from './factors/blockwise.ts';
import type { InvertMatrix } from './factors/factorInverse.ts';
import { invertKroneckerBlocks } from './factors/factorInverse.ts';
import type { RefreshOptions } from '../solver/refresh.ts';
import type { SolveNeeds, Solver, UsePrepared } from '../solver/solver.ts';
import { refreshingReported } from '../solver/solver.ts';

const solver = 'choleskySolve';

const factorise: InvertMatrix<null> = (backend, m) =>
  pipe(
    backend.linearAlgebra.cholesky(m),
    TE.map((L) => ({ inverse: cholesky(L), report: null })),
  );

/**
 * The inverse of all damped factors by their Cholesky factors. Damping and its escalation are those of `kroneckerInverse`.
 *
 * @param backend - where to factorise
 * @param operator - block-diagonal curvature with Kronecker, dense and diagonal blocks
 * @param lambda - damping λ, greater than 0
 */
export const factoriseBlocks = <T extends Shaped>(
  backend: Backend<T>,
  operator: LinearOperator<T>,
  lambda: number,
): TE.TaskEither<KfacError, LinearOperator<T>> =>
  pipe(
    invertKroneckerBlocks(solver, factorise, backend, operator, lambda, null),
    TE.map((factorised) => factorised.operator),
  );

const useFactors: UsePrepared = (context, refreshed) => {
  const { state, blocks, gradient } = context;
  const { prepared, preparedAt } = refreshed.solver;
  return pipe(
    RTE.ask<Env<(typeof gradient)[string]>>(),
    RTE.chainTaskEitherK(({ backend }) =>
      pipe(
        calculate(() => toBlocks(backend.ops, blocks, gradient)),
        TE.chain((v) => (prepared === null ? TE.right(v) : applyOn(backend, prepared, v))),
        TE.chain((solved) => calculate(() => fromBlocks(backend.ops, blocks, solved))),
      ),
    ),
    RTE.map((direction) => ({
      direction,
      state: { ...state, solver: refreshed.solver },
      metrics: { ...refreshed.metrics, inverseAge: state.step - preparedAt },
    })),
  );
};

/**
 * K-FAC by triangular solves with the Cholesky factors of the damped factors.
 *
 * @param options - refresh period
 */
export const choleskySolve = (options: RefreshOptions = {}): Solver<SolveNeeds> =>
  refreshingReported(
    solver,
    <T extends Shaped>(
      backend: Backend<T>,
      operator: LinearOperator<T>,
      damping: number,
    ): TE.TaskEither<KfacError, Prepared<T>> =>
      pipe(
        factoriseBlocks(backend, operator, damping),
        TE.map((prepared) => ({ operator: prepared, metrics: {} })),
      ),
    options,
    useFactors,
  );
