/**
 * K-FAC from the batch itself, for layers wider than the batch: with ā the rows of a batch of N, A = āᵀā / N and
 *
 *   (A + δ I)⁻¹ = 1/δ (I − āᵀ (N δ I + ā āᵀ)⁻¹ ā),
 *
 * exactly (Woodbury), and G likewise. Only matrices of the order of the batch are factorised, and nothing is averaged:
 * it is K-FAC with decay 0, without an `updateFactors` stage. A factor narrower than the batch is inverted as it is, and so
 * are the blocks of embeddings, gains and shifts, which have no wide factor that is full.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { BlockOperator } from '../../core/operators/blockOperator.ts';
import { kronecker } from '../../core/operators/blockOperator.ts';
import type { Factor, Identity } from '../../core/operators/factors/factor.ts';
import { dense, identity, lowRank } from '../../core/operators/factors/factor.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Captured, Context, SiteCapture } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import { readScalars } from '../../core/pipeline/read.ts';
import type { Shaped } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';
import { kroneckerBlock } from '../../curvature/kfac.ts';
import { capturesOf } from '../../curvature/sites/captures.ts';
import { siteBlock } from '../../curvature/sites/kinds.ts';
import type { SiteOptions } from '../../curvature/sites/options.ts';
import { orderOfSite, siteStatistics } from '../../curvature/sites/statistics.ts';
import { parameterStatistics } from '../../curvature/statistics/parameters.ts';
import type { SharedRows } from '../../curvature/statistics/sharing.ts';
import { means } from '../../curvature/statistics/statistics.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import { unsupported } from '../solver/unsupported.ts';
import { invertDiagonal } from './factors/blockwise.ts';
import { factoredTikhonov } from './factors/factoredTikhonov.ts';
import { kroneckerInverse } from './kroneckerInverse.ts';
import type { Refreshed } from '../solver/inverse.ts';
import { directed } from '../solver/preconditioned.ts';
import type { Solver } from '../solver/solver.ts';

/** The fields that it needs: the capture, and no curvature. */
export type BatchWoodburyNeeds = 'state' | 'blocks' | 'gradient' | 'captured' | 'damping';

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
): TE.TaskEither<KfacError, Factor<T>> => {
  const { ops, linearAlgebra } = backend;
  const [rows, n] = x.shape;
  if (rows >= n) {
    return pipe(
      calculate(() => ops.addDiagonal(ops.scale(1 / weight, ops.gram(x)), delta)),
      TE.chain((m) => linearAlgebra.inverse(m)),
      TE.map((inverse) => dense(inverse)),
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
        TE.chain((inverse) => calculate(() => lowRank(U, dense(ops.scale(-1 / delta, inverse)), 1 / delta))),
      ),
    ),
  );
};

/** Rows of a matrix from all passes. */
const stacked = <T extends Shaped>(ops: Ops<T>, parts: ReadonlyArray<T>): T =>
  parts.length === 1 ? parts[0] : ops.concat(parts, 0);

/** tr M / dim M of M = xᵀx / weight. */
const meanOf = <T extends Shaped>(ops: Ops<T>, { x, weight }: Rows<T>): T =>
  ops.scale(1 / (weight * x.shape[1]), ops.dot(x, x));

/** Of a site whose two factors are full: through the batch, given its rows. */
const invertThroughRows = <T extends Shaped>(
  backend: Backend<T>,
  found: SharedRows<T>,
  lambda: number,
): TE.TaskEither<KfacError, BlockOperator<T>> => {
  const { ops } = backend;
  return pipe(
    calculate((): { readonly A: Rows<T>; readonly G: Rows<T> | Identity } => {
      const { input, cotangents, positions, isotropic = false } = found;
      const weight = input.shape[0] / positions;
      return {
        A: { x: input, weight },
        G: isotropic ? identity(cotangents[0].shape[1]) : { x: stacked(ops, cotangents), weight: weight * positions },
      };
    }),
    TE.bindTo('rows'),
    TE.bind('traces', ({ rows: { A, G } }) =>
      readScalars(backend, [meanOf(ops, A), '_tag' in G ? ops.full([], 1) : meanOf(ops, G)]),
    ),
    TE.chain(({ rows, traces: [meanA, meanG] }) => {
      const { ofA, ofG } = factoredTikhonov(lambda, meanA, meanG);
      const { A, G } = rows;
      const ofOutputs: TE.TaskEither<KfacError, Factor<T>> = '_tag' in G
        ? calculate(() => invertDiagonal(ops, ops.full([G.order], 1), ofG))
        : invertRows(backend, G, ofG);
      return pipe(TE.Do, TE.apS('A', invertRows(backend, A, ofA)), TE.apS('G', ofOutputs));
    }),
    TE.map(({ A, G }) => kronecker(A, G)),
  );
};

/** Sites whose factors are small, or diagonal, are inverted as they are. */
const invertFormed = <T extends Shaped>(
  backend: Backend<T>,
  capture: SiteCapture<T>,
  lambda: number,
  options: SiteOptions,
): TE.TaskEither<KfacError, BlockOperator<T>> => {
  const { ops } = backend;
  const { site } = capture;
  return pipe(
    calculate(() =>
      kroneckerBlock(ops, { kind: 'site', name: site.path, site }, means(ops, siteStatistics(ops, capture, options))),
    ),
    TE.chain((block) => kroneckerInverse.prepare(backend, blockDiagonal({ [site.path]: block }), lambda, null)),
    TE.chain(({ operator: inverted }) =>
      inverted._tag === 'blockDiagonal'
        ? TE.right(inverted.blocks[site.path])
        : TE.left(unsupported('batchWoodbury', site.path, 'a block', inverted._tag)),
    ),
  );
};

/** Whether there are as many rows as either factor has, so that nothing is gained by them: patches would only take room. */
const isNarrow = <T extends Shaped>(capture: SiteCapture<T>, { sharing = 'expand' }: SiteOptions): boolean => {
  const [{ shape }] = capture.cotangents;
  const out = shape[shape.length - 1];
  const rows = sharing === 'reduce' ? shape[0] : sizeOf(shape) / out;
  return rows >= Math.max(out, orderOfSite(capture) / out);
};

const invertSite = <T extends Shaped>(
  backend: Backend<T>,
  capture: SiteCapture<T>,
  lambda: number,
  options: SiteOptions,
): TE.TaskEither<KfacError, BlockOperator<T>> => {
  const { site, isotropic = false } = capture;
  const { rows } = siteBlock(site);
  return pipe(
    calculate(() =>
      rows === null || isNarrow(capture, options) ? null : rows(backend.ops, capture, options.sharing ?? 'expand'),
    ),
    TE.chain((found) =>
      // What is known of cotangents without chance is in the statistics, where it is not in the rows.
      found === null || (isotropic && found.isotropic !== true)
        ? invertFormed(backend, capture, lambda, rows === null ? options : { ...options, maxFactor: Infinity })
        : invertThroughRows(backend, found, lambda),
    ),
    TE.mapLeft((error) =>
      error._tag === 'NotPositiveDefinite' ? { ...error, where: site.path, damping: lambda } : error,
    ),
  );
};

/** Inverses of all blocks of a capture. */
const invertCaptured = <T extends Shaped>(
  backend: Backend<T>,
  captured: Captured<T>,
  lambda: number,
  options: SiteOptions,
): TE.TaskEither<KfacError, LinearOperator<T>> => {
  const { ops } = backend;
  const parameters = (): Params<BlockOperator<T>> =>
    mapParams(captured.uncovered[0] ?? {}, (_, path) => {
      const passes = captured.uncovered.map((pass) => pass[path]);
      const { second } = means(ops, parameterStatistics(ops, passes, captured.examples));
      return invertDiagonal(ops, second, lambda);
    });
  return pipe(
    calculate(() => capturesOf(ops, captured)),
    TE.chain(
      TE.traverseArray((capture) =>
        pipe(
          invertSite(backend, capture, lambda, options),
          TE.map((block) => [capture.site.path, block] as const),
        ),
      ),
    ),
    TE.chain((sites) => calculate(() => blockDiagonal({ ...Object.fromEntries(sites), ...parameters() }))),
  );
};

/**
 * K-FAC of the captured batch alone, inverted through the batch. A step without a capture uses the last inverse.
 *
 * @param options - how sites are treated
 *
 * @example
 * ```ts
 * import { backward, forward, pipeline } from 'kfac-ts/core';
 * import { capture, exact } from 'kfac-ts/curvature';
 * import { batchWoodbury, damp, solve, update } from 'kfac-ts/solvers';
 *
 * // No `updateFactors`: the captured batch itself is inverted.
 * const step = pipeline(forward, backward, capture(exact()), damp(0.1), solve(batchWoodbury()), update({ learningRate: 1 }));
 * step.name; // => 'forward → backward → capture → damp → solve → update'
 * ```
 */
export const batchWoodbury = (options: SiteOptions = {}): Solver<BatchWoodburyNeeds> => ({
  run: <T extends Shaped>(context: Context<T, BatchWoodburyNeeds>) => {
    const { state, blocks, captured, damping } = context;
    if (blocks.some(({ units }) => units !== undefined)) {
      return RTE.left(unsupported('batchWoodbury', 'equilibrate', 'blocks without units', 'units of the curvature'));
    }
    const prepare = (env: Env<T>): TE.TaskEither<KfacError, Refreshed<T>> =>
      captured === null
        ? TE.right({ state, metrics: {} })
        : captured.more.length > 0
          ? TE.left(unsupported('batchWoodbury', 'estimator', 'passes that are held at once', 'an estimator with more'))
          : pipe(
              invertCaptured(env.backend, captured, damping, options),
              TE.map((prepared) => ({
                state: { ...state, solver: { ...state.solver, prepared, preparedAt: state.step } },
                metrics: {},
              })),
            );
    return pipe(
      prepare,
      RTE.chain((refreshed) => directed(context, refreshed)),
    );
  },
});
