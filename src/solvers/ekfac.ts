/**
 * EKFAC [G18]: K-FAC's eigenbasis, made seldom, with second moments of per-example gradients in it, taken whenever there
 * is a capture: direction U_G [(U_Gᵀ V U_A) ⊘ (S + λ)] U_Aᵀ.
 *
 * The basis of an embedding is I ⊗ U_G, and its S is summed by index. Blocks that are full matrices (gain and shift) have
 * their own eigenbasis, are made with it, and stay until the next.
 *
 * S belongs to a basis, so its average starts again when the basis changes: from the captured batch of that step, or, in
 * a step without a capture, from K-FAC's own λ_G λ_Aᵀ until the next capture replaces it.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../core/backends/backend.ts';
import type { KfacError } from '../core/errors.ts';
import type { BlockOperator } from '../core/operators/linearOperator.ts';
import { blockDiagonal, partitionedEigenKronecker } from '../core/operators/linearOperator.ts';
import type { Params } from '../core/params.ts';
import { mapParams } from '../core/params.ts';
import type { Ops } from '../core/ops/ops.ts';
import { calculate } from '../core/pipeline/compute.ts';
import type { Context } from '../core/pipeline/context.ts';
import type { Env } from '../core/pipeline/env.ts';
import type { TrainState } from '../core/pipeline/trainState.ts';
import type { Shaped } from '../core/tensor.ts';
import type { Basis } from '../curvature/statistics/eigenbasis.ts';
import { blockEigenMoments } from '../curvature/statistics/eigenbasis.ts';
import type { Sharing } from '../curvature/statistics/sharing.ts';
import { averageInto } from '../curvature/statistics/statistics.ts';
import { statisticsOfWindows } from '../curvature/statistics/windows.ts';
import { dampedReciprocal, eachBlock, invertDiagonal, unsupported } from './blockwise.ts';
import type { Extremes, Inverted, KroneckerEigen } from './eigen.ts';
import { eigenMetrics, eigenOf, invertMatrixInEigenbasis } from './eigen.ts';
import type { SiteDamping } from './siteDamping.ts';
import { siteDampingError } from './siteDamping.ts';
import type { RefreshOptions, SolveNeeds, Solver } from './solver.ts';
import { dampingAt, dueAt, precondition } from './solver.ts';

/** Settings of {@link ekfac}. */
export interface EkfacOptions extends RefreshOptions {
  /** ρ of the moving average of S, in [0, 1); 0.95 unless given. */
  readonly decay?: number;
  /** How S treats positions, `expand` unless given; the curvature has the same option for the basis. */
  readonly sharing?: Sharing;
}

/** The fields that EKFAC needs. */
export type EkfacNeeds = SolveNeeds | 'captured';

/** A basis with the second moments in it, and how many batches they average. */
interface Moments<T> {
  readonly bases: Readonly<Record<string, Basis<T>>>;
  /** Blocks that are full matrices, inverted exactly when the bases are made. */
  readonly matrices: Readonly<Record<string, BlockOperator<T>>>;
  readonly second: Params<T>;
  readonly updates: number;
  readonly preparedAt: number;
  readonly extremes: ReadonlyArray<Extremes<T>>;
}

/** Name of the slot that holds S, and of the number that counts its batches. */
const memory = 'ekfac';

/** The basis of the last refresh, from the prepared inverse. */
const remembered = <T>({ solver, scalars }: TrainState<T>): Moments<T> => {
  const blocks = solver.prepared?._tag === 'blockDiagonal' ? Object.entries(solver.prepared.blocks) : [];
  return {
    bases: Object.fromEntries(
      blocks.flatMap(([name, block]) =>
        block._tag === 'eigenKronecker'
          ? [[name, { UAs: block.UA === null ? [] : [block.UA], UGs: [block.UG] }] as const]
          : block._tag === 'partitionedEigenKronecker'
            ? [[name, { UAs: block.UAs, UGs: block.UGs }] as const]
            : [],
      ),
    ),
    matrices: Object.fromEntries(blocks.filter(([, block]) => block._tag === 'lowRankPlusDiagonal')),
    second: solver.slots[memory] ?? {},
    updates: scalars[memory] ?? 0,
    preparedAt: solver.preparedAt,
    extremes: [],
  };
};

/** What is decomposed of one block. */
interface Decomposed<T> {
  readonly eigen: KroneckerEigen<T> | null;
  readonly matrix: Inverted<T> | null;
}

const decomposeBlock = <T extends Shaped>(
  backend: Backend<T>,
  name: string,
  block: BlockOperator<T>,
  lambda: number,
): TE.TaskEither<KfacError, Decomposed<T>> => {
  switch (block._tag) {
    case 'kronecker':
    case 'partitionedKronecker':
    case 'diagonalKronecker':
      return pipe(
        eigenOf(backend, block),
        TE.map((found) => ({ eigen: found, matrix: null })),
      );
    case 'dense':
      return pipe(
        invertMatrixInEigenbasis(backend, block.matrix, lambda),
        TE.map((matrix) => ({ eigen: null, matrix })),
      );
    case 'diagonal':
      return TE.right({ eigen: null, matrix: null });
    default:
      return TE.left(
        unsupported(
          'ekfac',
          name,
          'blocks of kind kronecker, partitionedKronecker, diagonalKronecker, dense or diagonal',
          block._tag,
        ),
      );
  }
};

/** A new basis, with K-FAC's eigenvalues for second moments. */
const decomposed = <T extends Shaped>(
  backend: Backend<T>,
  { state, operator }: Context<T, EkfacNeeds>,
  lambda: number,
  siteDamping: SiteDamping,
): TE.TaskEither<KfacError, Moments<T>> => {
  const error = siteDampingError(siteDamping, operator);
  if (error !== null) return TE.left(error);
  return pipe(
    eachBlock('ekfac', operator, (name, block) =>
      decomposeBlock(backend, name, block, lambda * (siteDamping[name] ?? 1)),
    ),
    TE.map((blocks) => {
      const eigens = Object.entries(blocks).flatMap(([name, { eigen }]) =>
        eigen === null ? [] : [[name, eigen] as const],
      );
      const matrices = Object.entries(blocks).flatMap(([name, { matrix }]) =>
        matrix === null ? [] : [[name, matrix] as const],
      );
      return {
        bases: Object.fromEntries(eigens.map(([name, { UAs, UGs }]) => [name, { UAs, UGs }])),
        matrices: Object.fromEntries(matrices.map(([name, inverted]) => [name, inverted.operator])),
        second: Object.fromEntries(eigens.map(([name, { values }]) => [name, values])),
        updates: 0,
        preparedAt: state.step,
        extremes: [...eigens.map(([, eigen]) => eigen.extremes), ...matrices.flatMap(([, found]) => found.extremes)],
      };
    }),
  );
};

/** Averages the second moments of the captured batch in. */
const averaged = <T extends Shaped>(
  backend: Backend<T>,
  moments: Moments<T>,
  captured: Context<T, 'captured'>['captured'],
  { decay = 0.95, sharing = 'expand' }: EkfacOptions,
): Moments<T> => {
  if (captured === null) return moments;
  const updates = moments.updates + 1;
  const sums = statisticsOfWindows(backend, captured, (ops, window) =>
    blockEigenMoments(ops, window, moments.bases, sharing),
  );
  const second = Object.entries(sums).map(([name, statistics]): readonly [string, T] => [
    name,
    averageInto(backend.ops, decay, updates, { S: moments.second[name] }, statistics)['S'],
  ]);
  return { ...moments, updates, second: { ...moments.second, ...Object.fromEntries(second) } };
};

const directed = <T extends Shaped>(
  ops: Ops<T>,
  context: Context<T, EkfacNeeds>,
  moments: Moments<T>,
  lambda: number,
  siteDamping: SiteDamping,
): Context<T, 'direction' | 'state' | 'metrics'> => {
  const { state, operator, metrics } = context;
  const { bases, matrices, second } = moments;
  const lambdaOf = (name: string): number => lambda * (siteDamping[name] ?? 1);
  const invert = (block: BlockOperator<T>, name: string): BlockOperator<T> => {
    if (block._tag === 'diagonal') return invertDiagonal(ops, block.values, lambdaOf(name));
    return name in matrices
      ? matrices[name]
      : partitionedEigenKronecker(
          bases[name].UAs,
          bases[name].UGs,
          dampedReciprocal(ops, second[name], lambdaOf(name)),
        );
  };
  const blocks = operator._tag === 'blockDiagonal' ? operator.blocks : {};
  const solver = {
    prepared: blockDiagonal(mapParams(blocks, invert)),
    preparedAt: moments.preparedAt,
    slots: { ...state.solver.slots, [memory]: second },
  };
  return {
    direction: precondition(ops, context, solver),
    state: { ...state, solver, scalars: { ...state.scalars, [memory]: moments.updates } },
    metrics: {
      ...metrics,
      ...eigenMetrics(ops, moments.extremes),
      damping: lambda,
      inverseAge: state.step - moments.preparedAt,
    },
  };
};

/**
 * EKFAC.
 *
 * @param options - damping, period of the basis, decay of the second moments
 */
export const ekfac = (options: EkfacOptions): Solver<EkfacNeeds> => ({
  name: 'ekfac',
  run: <T extends Shaped>(context: Context<T, EkfacNeeds>) =>
    pipe(
      (env: Env<T>): TE.TaskEither<KfacError, Moments<T>> =>
        dueAt(context.state, options.every)
          ? decomposed(env.backend, context, dampingAt(context.state, options.damping), options.siteDamping ?? {})
          : TE.right(remembered(context.state)),
      RTE.chain(
        (moments: Moments<T>) =>
          ({ backend }: Env<T>) =>
            calculate(() =>
              directed(
                backend.ops,
                context,
                averaged(backend, moments, context.captured, options),
                dampingAt(context.state, options.damping),
                options.siteDamping ?? {},
              ),
            ),
      ),
    ),
});
