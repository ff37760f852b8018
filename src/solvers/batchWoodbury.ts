/**
 * K-FAC from the batch itself, for layers wider than the batch: with ā the rows of a batch of N, A = āᵀā / N and
 *
 *   (A + δ I)⁻¹ = 1/δ (I − āᵀ (N δ I + ā āᵀ)⁻¹ ā),
 *
 * exactly (Woodbury), and G likewise. Only matrices of the order of the batch are factorised, and nothing is averaged:
 * it is K-FAC with decay 0, without an `updateFactors` stage. A factor narrower than the batch is inverted as it is.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../core/backends/backend.ts';
import type { KfacError } from '../core/errors.ts';
import type { BlockOperator, LinearOperator, LowRankFactor } from '../core/operators/linearOperator.ts';
import { blockDiagonal, lowRankKronecker } from '../core/operators/linearOperator.ts';
import type { Params } from '../core/params.ts';
import { mapParams } from '../core/params.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { Captured, Context, SiteCapture } from '../core/pipeline/context.ts';
import type { Env } from '../core/pipeline/env.ts';
import { readScalars } from '../core/pipeline/read.ts';
import type { SolverState } from '../core/pipeline/trainState.ts';
import type { Shaped } from '../core/tensor.ts';
import { homogeneous } from '../curvature/statistics/dense.ts';
import { parameterStatistics } from '../curvature/statistics/site.ts';
import { means } from '../curvature/statistics/statistics.ts';
import { calculate, invertDiagonal, unsupported } from './blockwise.ts';
import { factoredTikhonov } from './damping.ts';
import type { Schedule } from './schedules.ts';
import type { Solver } from './solver.ts';
import { applyPrepared, dampingAt } from './solver.ts';

/** Settings of {@link batchWoodbury}. */
export interface BatchWoodburyOptions {
  /** Damping λ, greater than 0. */
  readonly damping: number | Schedule;
}

/** The fields that it needs: the capture, and no curvature. */
export type BatchWoodburyNeeds = 'state' | 'sites' | 'gradient' | 'captured' | 'metrics';

/** Rows x with M = xᵀx / weight. */
interface Rows<T> {
  readonly x: T;
  readonly weight: number;
}

/** (xᵀx / N + δ I)⁻¹. */
const invertRows = <T extends Shaped>(
  backend: Backend<T>,
  { x, weight }: Rows<T>,
  delta: number,
): TE.TaskEither<KfacError, LowRankFactor<T>> => {
  const { ops, linearAlgebra } = backend;
  const [rows, n] = x.shape;
  if (rows >= n) {
    return pipe(
      calculate(() => ops.addDiagonal(ops.scale(1 / weight, ops.gram(x)), delta)),
      TE.chain((m) => linearAlgebra.inverse(m)),
      TE.chain((core) => calculate(() => ({ U: ops.addDiagonal(ops.full([n, n], 0), 1), core, shift: 0 }))),
    );
  }
  return pipe(
    calculate(() => {
      const U = ops.transposed(x);
      return { U, m: ops.addDiagonal(ops.gram(U), weight * delta) };
    }),
    TE.chain(({ U, m }) =>
      pipe(
        linearAlgebra.inverse(m),
        TE.chain((inverse) => calculate(() => ({ U, core: ops.scale(-1 / delta, inverse), shift: 1 / delta }))),
      ),
    ),
  );
};

/** Rows of A and of G for a site, from all its passes. */
const rowsOf = <T extends Shaped>(
  ops: Ops<T>,
  captures: ReadonlyArray<SiteCapture<T>>,
): { readonly A: Rows<T>; readonly G: Rows<T> } => {
  const weight = captures.reduce((sum, { input }) => sum + input.shape[0], 0);
  const stacked = (parts: ReadonlyArray<T>): T => (parts.length === 1 ? parts[0] : ops.concat(parts, 0));
  return {
    A: { x: stacked(captures.map((capture) => homogeneous(ops, capture))), weight },
    G: { x: stacked(captures.flatMap(({ cotangents }) => cotangents)), weight },
  };
};

const invertSite = <T extends Shaped>(
  backend: Backend<T>,
  name: string,
  captures: ReadonlyArray<SiteCapture<T>>,
  lambda: number,
): TE.TaskEither<KfacError, BlockOperator<T>> => {
  const { ops } = backend;
  const meanOf = ({ x, weight }: Rows<T>): T => ops.scale(1 / (weight * x.shape[1]), ops.dot(x, x));
  return pipe(
    calculate(() => rowsOf(ops, captures)),
    TE.bindTo('rows'),
    TE.bind('traces', ({ rows }) => readScalars(backend, [meanOf(rows.A), meanOf(rows.G)])),
    TE.chain(({ rows, traces: [meanA, meanG] }) => {
      const { ofA, ofG } = factoredTikhonov(lambda, meanA, meanG);
      return pipe(TE.Do, TE.apS('A', invertRows(backend, rows.A, ofA)), TE.apS('G', invertRows(backend, rows.G, ofG)));
    }),
    TE.bimap(
      (error) => (error._tag === 'NotPositiveDefinite' ? { ...error, where: name, damping: lambda } : error),
      ({ A, G }) => lowRankKronecker(A, G),
    ),
  );
};

/** Inverses of all blocks of a capture. */
const invertCaptured = <T extends Shaped>(
  backend: Backend<T>,
  captured: Captured<T>,
  lambda: number,
): TE.TaskEither<KfacError, LinearOperator<T>> => {
  const { ops } = backend;
  const names = [...new Set(captured.sites.map(({ site }) => site.path))];
  const parameters = (): Params<BlockOperator<T>> =>
    mapParams(captured.uncovered[0] ?? {}, (_, path) => {
      const passes = captured.uncovered.map((pass) => pass[path]);
      const { second } = means(ops, parameterStatistics(ops, passes, captured.examples));
      return invertDiagonal(ops, second, lambda);
    });
  return pipe(
    names,
    TE.traverseArray((name) =>
      pipe(
        invertSite(
          backend,
          name,
          captured.sites.filter(({ site }) => site.path === name),
          lambda,
        ),
        TE.map((block) => [name, block] as const),
      ),
    ),
    TE.chain((sites) => calculate(() => blockDiagonal({ ...Object.fromEntries(sites), ...parameters() }))),
  );
};

/**
 * K-FAC of the captured batch alone, inverted through the batch. A step without a capture uses the last inverse.
 *
 * @param options - damping
 */
export const batchWoodbury = (options: BatchWoodburyOptions): Solver<BatchWoodburyNeeds> => ({
  name: 'batchWoodbury',
  run: <T extends Shaped>(context: Context<T, BatchWoodburyNeeds>) => {
    const { state, captured } = context;
    const damping = dampingAt(state, options.damping);
    const prepare = (env: Env<T>): TE.TaskEither<KfacError, SolverState<T>> =>
      captured === null
        ? TE.right(state.solver)
        : captured.more.length > 0
          ? TE.left(unsupported('batchWoodbury', 'estimator', 'passes that are held at once', 'an estimator with more'))
          : pipe(
              invertCaptured(env.backend, captured, damping),
              TE.map((prepared) => ({ ...state.solver, prepared, preparedAt: state.step })),
            );
    return pipe(
      prepare,
      RTE.chain((solver: SolverState<T>) => applyPrepared(context, damping, { solver, metrics: {} })),
    );
  },
});
