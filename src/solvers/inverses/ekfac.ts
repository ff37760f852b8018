/**
 * EKFAC [G18]: K-FAC's eigenbasis, made seldom, with second moments of per-example gradients in it, taken whenever there
 * is a capture: direction U_G [(U_Gᵀ V U_A) ⊘ (S + λ)] U_Aᵀ. The basis comes of the curvature, with what that assumes of
 * positions; S assumes nothing of them.
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

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { BlockOperator } from '../../core/operators/blockOperator.ts';
import { eigenKronecker } from '../../core/operators/blockOperator.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
import type { Ops } from '../../core/ops/ops.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import type { Context } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import type { SolverState, TrainState } from '../../core/pipeline/trainState.ts';
import type { Shaped } from '../../core/tensor.ts';
import { blockEigenMoments } from '../../curvature/sites/eigenMoments.ts';
import type { Basis } from '../../curvature/sites/kind.ts';
import { averageInto } from '../../curvature/statistics/statistics.ts';
import { statisticsOfWindows } from '../../curvature/statistics/windows.ts';
import { byFactors, dampedReciprocal, eachBlock, invertDiagonal, unsupported } from './factors/blockwise.ts';
import type { Inverted } from './eigen.ts';
import { eigenMetrics, eigenOf, invertMatrixInEigenbasis } from './eigen.ts';
import type { SiteDamping } from '../solver/siteDamping.ts';
import type { Refreshed, RefreshOptions } from '../solver/refresh.ts';
import type { PrepareReported, SolveNeeds, Solver } from '../solver/solver.ts';
import { precondition, renew } from '../solver/solver.ts';

/** Settings of {@link ekfac}. */
export interface EkfacOptions extends RefreshOptions {
  /** ρ of the moving average of S, in [0, 1); 0.95 unless given. */
  readonly decay?: number;
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
}

/** Name of the slot that holds S, and of the number that counts its batches. */
const memory = 'ekfac';

/** A basis and what belongs to it: remembered, or K-FAC's eigenvalues where the basis is new. */
const momentsOf = <T>({ solver: before, scalars }: TrainState<T>, { prepared, slots }: SolverState<T>): Moments<T> => {
  const blocks = prepared?._tag === 'blockDiagonal' ? Object.entries(prepared.blocks) : [];
  const found = blocks.flatMap(([name, block]): ReadonlyArray<readonly [string, Basis<T>, T]> => {
    return block._tag === 'eigenKronecker' ? [[name, block, block.S]] : [];
  });
  const isNew = prepared !== before.prepared;
  return {
    bases: Object.fromEntries(found.map(([name, { UA, UG }]) => [name, { UA, UG }])),
    matrices: Object.fromEntries(blocks.filter(([, block]) => block._tag === 'lowRank')),
    second: isNew ? Object.fromEntries(found.map(([name, , S]) => [name, S])) : (slots[memory] ?? {}),
    updates: isNew ? 0 : (scalars[memory] ?? 0),
  };
};

const decomposeBlock = <T extends Shaped>(
  backend: Backend<T>,
  name: string,
  block: BlockOperator<T>,
  lambda: number,
): TE.TaskEither<KfacError, Inverted<T>> => {
  switch (block._tag) {
    case 'kronecker':
      return pipe(
        eigenOf(backend, block),
        TE.map(({ UA, UG, values, extremes }) => ({
          operator: eigenKronecker(UA, UG, values),
          extremes: [extremes],
        })),
      );
    case 'dense':
      return invertMatrixInEigenbasis(backend, block.matrix, lambda);
    case 'diagonal':
      return TE.right({ operator: block, extremes: [] });
    default:
      return TE.left(unsupported('ekfac', name, byFactors, block._tag));
  }
};

/** A new basis with K-FAC's eigenvalues in the place of the second moments, not yet inverted. */
const decomposed: PrepareReported = (backend, operator, lambda) =>
  pipe(
    eachBlock('ekfac', operator, (name, block) => decomposeBlock(backend, name, block, lambda)),
    TE.chain((blocks) =>
      calculate(() => ({
        operator: blockDiagonal(mapParams(blocks, (block) => block.operator)),
        metrics: eigenMetrics(
          backend.ops,
          Object.values(blocks).flatMap(({ extremes }) => extremes),
        ),
      })),
    ),
  );

/** Averages the second moments of the captured batch in. */
const averaged = <T extends Shaped>(
  backend: Backend<T>,
  moments: Moments<T>,
  captured: Context<T, 'captured'>['captured'],
  { decay = 0.95 }: EkfacOptions,
): Moments<T> => {
  if (captured === null) return moments;
  const updates = moments.updates + 1;
  const sums = statisticsOfWindows(backend, captured, (ops, window) => blockEigenMoments(ops, window, moments.bases));
  const second = Object.entries(sums).map(([name, statistics]): readonly [string, T] => [
    name,
    averageInto(backend.ops, decay, updates, { S: moments.second[name] }, statistics)['S'],
  ]);
  return { ...moments, updates, second: { ...moments.second, ...Object.fromEntries(second) } };
};

const directed = <T extends Shaped>(
  ops: Ops<T>,
  context: Context<T, EkfacNeeds>,
  found: Refreshed<T>,
  moments: Moments<T>,
  siteDamping: SiteDamping,
): Context<T, 'direction' | 'state' | 'metrics'> => {
  const { state, operator, damping: lambda } = context;
  const { bases, matrices, second } = moments;
  const lambdaOf = (name: string): number => lambda * (siteDamping[name] ?? 1);
  const invert = (block: BlockOperator<T>, name: string): BlockOperator<T> => {
    if (block._tag === 'diagonal') return invertDiagonal(ops, block.values, lambdaOf(name));
    return name in matrices
      ? matrices[name]
      : eigenKronecker(bases[name].UA, bases[name].UG, dampedReciprocal(ops, second[name], lambdaOf(name)));
  };
  const blocks = operator._tag === 'blockDiagonal' ? operator.blocks : {};
  const solver = {
    ...found.solver,
    prepared: blockDiagonal(mapParams(blocks, invert)),
    slots: { ...state.solver.slots, [memory]: second },
  };
  return {
    direction: precondition(ops, context, solver),
    state: { ...state, solver, scalars: { ...state.scalars, [memory]: moments.updates } },
    metrics: { ...found.metrics, inverseAge: state.step - solver.preparedAt },
  };
};

/**
 * EKFAC.
 *
 * @param options - damping, period of the basis, decay of the second moments
 */
export const ekfac = (options: EkfacOptions = {}): Solver<EkfacNeeds> => ({
  name: 'ekfac',
  run: <T extends Shaped>(context: Context<T, EkfacNeeds>) =>
    pipe(
      renew<T>(decomposed, options, context),
      RTE.chain(
        (found: Refreshed<T>) =>
          ({ backend }: Env<T>) =>
            calculate(() =>
              directed(
                backend.ops,
                context,
                found,
                averaged(backend, momentsOf(context.state, found.solver), context.captured, options),
                options.siteDamping ?? {},
              ),
            ),
      ),
    ),
});
