/**
 * The K-FAC solver that keeps Cholesky factors and solves two triangular systems per factor in every step: direction
 * G⁻¹ V A⁻¹ without an inverse.
 *
 * A factor takes a third of the operations of an inverse, and a solve is backward stable where a product with an inverse
 * is not; triangular solves are slower than products, so with long refresh periods `kroneckerInverse` costs less.
 *
 * What is prepared has the form of the inverse, with Cholesky factors in the place of inverted matrices; diagonals are
 * inverted as they are. It is no inverse by itself, hence no preconditioner for other solvers.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as R from 'fp-ts/lib/Record.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { BlockOperator } from '../../core/operators/blockOperator.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import { unvec, vec } from '../../core/operators/vec.ts';
import type { Params } from '../../core/params.ts';
import type { Prepared } from '../../core/pipeline/prepared.ts';
import type { Env } from '../../core/pipeline/env.ts';
import type { Shaped } from '../../core/tensor.ts';
import { fromBlocks, toBlocks } from '../../curvature/blocks.ts';
import { calculate, unsupported } from './factors/blockwise.ts';
import type { InvertFactor } from './factors/factorInverse.ts';
import { invertKroneckerBlocks } from './factors/factorInverse.ts';
import type { RefreshOptions } from '../solver/refresh.ts';
import type { SolveNeeds, Solver, UsePrepared } from '../solver/solver.ts';
import { refreshingReported } from '../solver/solver.ts';

const solver = 'choleskySolve';

const factorise: InvertFactor<null> = (backend, m) =>
  pipe(
    backend.linearAlgebra.cholesky(m),
    TE.map((factor) => ({ inverse: factor, report: null })),
  );

/**
 * Cholesky factors of all damped factors, in the form of the inverse. Damping and its escalation are those of
 * `kroneckerInverse`.
 *
 * @param backend - where to factorise
 * @param operator - block-diagonal curvature with Kronecker (partitioned or with diagonal A), dense and diagonal blocks
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

/** (⊕ L_j L_jᵀ)⁻¹ V. */
const solveRows = <T extends Shaped>(
  { ops, linearAlgebra }: Backend<T>,
  factors: ReadonlyArray<T>,
  v: T,
): TE.TaskEither<KfacError, T> => {
  if (factors.length === 1) return linearAlgebra.choleskySolve(factors[0], v);
  return pipe(
    factors,
    TE.traverseArrayWithIndex((j, factor) => {
      const begin = factors.slice(0, j).reduce((sum, { shape }) => sum + shape[0], 0);
      return pipe(
        calculate(() => ops.slice(v, [begin, 0], [factor.shape[0], v.shape[1]])),
        TE.chain((part) => linearAlgebra.choleskySolve(factor, part)),
      );
    }),
    TE.chain((parts) => calculate(() => ops.concat(parts, 0))),
  );
};

/** (⊕ G_j)⁻¹ V (⊕ A_i)⁻¹ from Cholesky factors. */
const solveBoth = <T extends Shaped>(
  backend: Backend<T>,
  As: ReadonlyArray<T>,
  Gs: ReadonlyArray<T>,
  v: T,
): TE.TaskEither<KfacError, T> => {
  const { ops } = backend;
  return pipe(
    solveRows(backend, Gs, v),
    TE.chain((rows) => calculate(() => ops.transposed(rows))),
    TE.chain((columns) => solveRows(backend, As, columns)),
    TE.chain((solved) => calculate(() => ops.transposed(solved))),
  );
};

const solveBlock = <T extends Shaped>(
  backend: Backend<T>,
  name: string,
  block: BlockOperator<T>,
  v: T,
): TE.TaskEither<KfacError, T> => {
  const { ops, linearAlgebra } = backend;
  switch (block._tag) {
    case 'kronecker':
      return solveBoth(backend, [block.A], [block.G], v);
    case 'partitionedKronecker':
      return solveBoth(backend, block.As, block.Gs, v);
    case 'diagonalKronecker':
      return pipe(
        solveRows(backend, block.Gs, v),
        TE.chain((rows) => calculate(() => ops.mul(rows, block.a))),
      );
    case 'dense':
      return pipe(
        calculate(() => vec(ops, v)),
        TE.chain((column) => linearAlgebra.choleskySolve(block.matrix, column)),
        TE.chain((column) => calculate(() => unvec(ops, column, v.shape))),
      );
    case 'diagonal':
      return calculate(() => ops.mul(block.values, v));
    default:
      return TE.left(unsupported(solver, name, 'what factoriseBlocks prepares', block._tag));
  }
};

/**
 * The direction from Cholesky factors.
 *
 * @param backend - where to solve
 * @param factors - of {@link factoriseBlocks}
 * @param v - arrays by block
 */
export const solveWithFactors = <T extends Shaped>(
  backend: Backend<T>,
  factors: LinearOperator<T>,
  v: Params<T>,
): TE.TaskEither<KfacError, Params<T>> =>
  factors._tag === 'blockDiagonal'
    ? pipe(
        factors.blocks,
        R.traverseWithIndex(TE.ApplicativePar)((name, block) => solveBlock(backend, name, block, v[name])),
      )
    : TE.left(unsupported(solver, 'operator', 'what factoriseBlocks prepares', factors._tag));

const useFactors: UsePrepared = (context, refreshed) => {
  const { state, blocks, gradient } = context;
  const { prepared, preparedAt } = refreshed.solver;
  return pipe(
    RTE.ask<Env<(typeof gradient)[string]>>(),
    RTE.chainTaskEitherK(({ backend }) =>
      pipe(
        calculate(() => toBlocks(backend.ops, blocks, gradient)),
        TE.chain((v) => (prepared === null ? TE.right(v) : solveWithFactors(backend, prepared, v))),
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
