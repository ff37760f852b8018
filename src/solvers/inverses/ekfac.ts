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
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { BlockOperator } from '../../core/operators/blockOperator.ts';
import { eigenKronecker } from '../../core/operators/blockOperator.ts';
import type { Diagonal, Factor } from '../../core/operators/factors/factor.ts';
import { dense, diagonal, directSum, orderOf } from '../../core/operators/factors/factor.ts';
import { rowsIn } from '../../core/operators/factors/parts.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import type { Context } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { blockEigenMoments } from '../../curvature/sites/eigenMoments.ts';
import type { Basis } from '../../curvature/sites/kind.ts';
import { averageInto } from '../../curvature/statistics/statistics.ts';
import { statisticsOfWindows } from '../../curvature/statistics/windows.ts';
import { unsupported } from '../solver/unsupported.ts';
import { byFactors, dampedReciprocal, eachBlock, invertDiagonal } from './factors/blockwise.ts';
import type { Inverted } from './eigen.ts';
import { eigenMetrics, eigenOf, invertMatrixInEigenbasis } from './eigen.ts';
import type { DampingOf, Follow, Preconditioner, Prepare, Refreshed } from '../solver/inverse.ts';
import type { SolveNeeds } from '../solver/solver.ts';

/** Settings of {@link ekfac}. */
export interface EkfacOptions {
  /** ρ of the moving average of S, in [0, 1); 0.95 unless given. */
  readonly decay?: number;
}

/** Name of the slot that holds S, and of the number that counts its batches. */
const name = 'ekfac';

/** A block's inverse in the basis of its factors, with their eigenvalues λ_G λ_Aᵀ, which S starts from. */
interface Decomposed<T> extends Inverted<T> {
  readonly eigenvalues: T | null;
}

const decomposeBlock = <T extends Shaped>(
  backend: Backend<T>,
  at: string,
  block: BlockOperator<T>,
  lambda: number,
): TE.TaskEither<KfacError, Decomposed<T>> => {
  const { ops } = backend;
  switch (block._tag) {
    case 'kronecker':
      return pipe(
        eigenOf(backend, block),
        TE.chain(({ UA, UG, values, extremes }) =>
          calculate(() => ({
            operator: eigenKronecker(UA, UG, dampedReciprocal(ops, values, lambda)),
            extremes: [extremes],
            eigenvalues: values,
          })),
        ),
      );
    case 'dense':
      return pipe(
        invertMatrixInEigenbasis(backend, block.matrix, lambda),
        TE.map((inverted) => ({ ...inverted, eigenvalues: null })),
      );
    case 'diagonal':
      return calculate(() => ({
        operator: invertDiagonal(ops, block.values, lambda),
        extremes: [],
        eigenvalues: null,
      }));
    default:
      return TE.left(unsupported(name, at, byFactors, block._tag));
  }
};

/** The inverse in a new basis, with K-FAC's eigenvalues in the place of the second moments. */
const prepare: Prepare = (backend, curvature, lambda) =>
  pipe(
    eachBlock(name, curvature, (at, block) => decomposeBlock(backend, at, block, lambda)),
    TE.chain((blocks) =>
      calculate(() => ({
        operator: blockDiagonal(mapParams(blocks, (block) => block.operator)),
        metrics: eigenMetrics(
          backend.ops,
          Object.values(blocks).flatMap(({ extremes }) => extremes),
        ),
        slots: {
          [name]: Object.fromEntries(
            Object.entries(blocks).flatMap(([at, { eigenvalues }]) =>
              eigenvalues === null ? [] : [[at, eigenvalues]],
            ),
          ),
        },
      })),
    ),
  );

/** Second moments in the bases, and how many batches they average; none where the bases are new. */
interface Moments<T> {
  readonly bases: Readonly<Record<string, Basis<T>>>;
  readonly second: Params<T>;
  readonly updates: number;
}

const averageOf = <T>(second: Params<T>, at: string): Params<T> | undefined =>
  Object.hasOwn(second, at) ? { S: second[at] } : undefined;

/** Averages the second moments of the captured batch in. */
const averaged = <T extends Shaped>(
  backend: Backend<T>,
  moments: Moments<T>,
  captured: Context<T, 'captured'>['captured'],
  decay: number,
): Moments<T> => {
  if (captured === null) return moments;
  const updates = moments.updates + 1;
  const sums = statisticsOfWindows(backend, captured, (ops, window) => blockEigenMoments(ops, window, moments.bases));
  const second = Object.entries(sums).map(([at, statistics]): readonly [string, T] => [
    at,
    averageInto(backend.ops, decay, updates, averageOf(moments.second, at), statistics)['S'],
  ]);
  return { ...moments, updates, second: { ...moments.second, ...Object.fromEntries(second) } };
};

/** The blocks that are diagonals, formed where they have units. */
const diagonalsIn = <T extends Shaped>(
  ops: Ops<T>,
  curvature: LinearOperator<T>,
): Readonly<Record<string, Diagonal<T> | undefined>> => {
  const inner = curvature._tag === 'congruent' ? curvature.operator : curvature;
  const blocks = inner._tag === 'blockDiagonal' ? Object.entries(inner.blocks) : [];
  const own = Object.fromEntries(blocks.flatMap(([at, block]) => (block._tag === 'diagonal' ? [[at, block]] : [])));
  return curvature._tag === 'congruent'
    ? mapParams(own, ({ values }, at) => diagonal(ops.mul(values, ops.square(curvature.scales[at]))))
    : own;
};

/** diag(u) U, part by part. */
const inUnitsOf = <T extends Shaped>(ops: Ops<T>, factor: Factor<T>, u: T): Factor<T> => {
  switch (factor._tag) {
    case 'dense':
      return dense(ops.mul(ops.reshape(u, [orderOf(factor), 1]), factor.matrix));
    case 'directSum': {
      const parts = rowsIn(ops, factor.parts.map(orderOf), ops.reshape(u, [orderOf(factor), 1]));
      return directSum(factor.parts.map((part, i) => inUnitsOf(ops, part, parts[i])));
    }
    default:
      return diagonal(ops.reshape(u, [orderOf(factor)]));
  }
};

/** The basis of a block's units as one of the block itself, where captures are. */
const inUnits = <T extends Shaped>(ops: Ops<T>, { UA, UG }: Basis<T>, units: T | undefined): Basis<T> => ({
  UA: units === undefined ? UA : inUnitsOf(ops, UA, units),
  UG,
});

/**
 * Averages second moments into the basis and inverts anew by them, λ of the step included. Diagonals are those of the step.
 *
 * @param decay - ρ of the average
 */
const following =
  (decay: number): Follow<'captured'> =>
  <T extends Shaped>(
    backend: Backend<T>,
    { state: before, blocks: inModel, operator: curvature, captured }: Context<T, SolveNeeds | 'captured'>,
    { state, metrics }: Refreshed<T>,
    dampingOf: DampingOf,
  ): TE.TaskEither<KfacError, Refreshed<T>> =>
    calculate(() => {
      const { ops } = backend;
      const { prepared, slots } = state.solver;
      // Until the first basis is due, what another inverse has left in the state.
      if (prepared?._tag !== 'blockDiagonal') return { state, metrics };
      const { blocks } = prepared;
      const bases = Object.fromEntries(
        inModel.flatMap(({ name: at, units }) => {
          const block = blocks[at];
          return block?._tag === 'eigenKronecker' ? [[at, inUnits(ops, block, units)] as const] : [];
        }),
      );
      const updates = prepared === before.solver.prepared ? (state.scalars[name] ?? 0) : 0;
      const found = averaged(backend, { bases, second: slots[name] ?? {}, updates }, captured, decay);
      const diagonals = diagonalsIn(ops, curvature);
      const inverted = mapParams(blocks, (block, at): BlockOperator<T> => {
        const own = diagonals[at];
        if (own !== undefined) return invertDiagonal(ops, own.values, dampingOf(at));
        // A basis without moments is one that another inverse has left in the state, and is used as it is.
        return block._tag === 'eigenKronecker' && Object.hasOwn(found.second, at)
          ? { ...block, S: dampedReciprocal(ops, found.second[at], dampingOf(at)) }
          : block;
      });
      return {
        state: {
          ...state,
          solver: { ...state.solver, prepared: blockDiagonal(inverted), slots: { ...slots, [name]: found.second } },
          scalars: { ...state.scalars, [name]: found.updates },
        },
        metrics,
      };
    });

/**
 * EKFAC.
 *
 * @param options - decay of the second moments
 *
 * @example
 * ```ts
 * import { ekfac, preconditioned } from 'kfac-ts/solvers';
 *
 * // A basis every 20 steps, second moments in it with every capture.
 * const solver = preconditioned(ekfac({ decay: 0.9 }), { every: 20 });
 * ```
 */
export const ekfac = ({ decay = 0.95 }: EkfacOptions = {}): Preconditioner<'captured'> => ({
  name,
  prepare,
  follow: following(decay),
});
