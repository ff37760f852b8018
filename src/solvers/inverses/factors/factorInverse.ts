/**
 * Inverses of Kronecker-factored blocks, whatever the way in which one matrix is inverted.
 *
 * Damping is factored Tikhonov [MG15 §6.3] and rises when a factor is not positive definite. A direct sum takes one π for
 * all its parts, from the traces of the whole: every product of two added diagonals is then λ, and each part is inverted
 * once. A π for each pair of parts would need every A_i inverted anew for every G_j. A diagonal is inverted element by
 * element, so the diagonal A of an embedding never becomes a matrix of the order of its vocabulary.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../../core/backends/backend.ts';
import type { KfacError } from '../../../core/errors.ts';
import type { BlockOperator, Kronecker } from '../../../core/operators/blockOperator.ts';
import { kronecker } from '../../../core/operators/blockOperator.ts';
import type { Factor } from '../../../core/operators/factors/factor.ts';
import { directSum, orderOf } from '../../../core/operators/factors/factor.ts';
import { scaledFactor } from '../../../core/operators/factors/scaled.ts';
import { matrixOf } from '../../../core/operators/factors/measures.ts';
import type { LinearOperator } from '../../../core/operators/linearOperator.ts';
import { blockDiagonal } from '../../../core/operators/linearOperator.ts';
import { mapParams } from '../../../core/params.ts';
import type { Ops } from '../../../core/ops/ops.ts';
import type { Prepared } from '../../../core/pipeline/prepared.ts';
import { chained, mapped } from '../../../core/tasks.ts';
import type { Shaped } from '../../../core/tensor.ts';
import type { Prepare } from '../../solver/inverse.ts';
import { calculate } from '../../../core/pipeline/compute.ts';
import { tidilyDone } from '../../../core/pipeline/tidied.ts';
import { unsupported } from '../../solver/unsupported.ts';
import { byFactors, eachBlock, invertDiagonal } from './blockwise.ts';
import { meanEigenvalues } from './dampedFactors.ts';
import type { Escalated } from './escalation.ts';
import { escalating, inBlock, raisedMetrics } from './escalation.ts';
import { factoredTikhonov } from './factoredTikhonov.ts';

/** An inverse and what its maker has to say of it. */
export interface FactorInverse<T, R> {
  readonly inverse: Factor<T>;
  readonly report: R;
}

/**
 * A way to invert one symmetric positive definite matrix. Fails with `NotPositiveDefinite`. `previous` is an inverse of
 * the same matrix from an earlier time, of the same way to invert, or `null`.
 */
export type InvertMatrix<R> = <T extends Shaped>(
  backend: Backend<T>,
  m: T,
  previous: Factor<T> | null,
) => TE.TaskEither<KfacError, FactorInverse<T, R>>;

/** An inverse, and what was reported of each matrix in it. */
interface Inverted<Op, R> {
  readonly inverse: Op;
  readonly reports: ReadonlyArray<R>;
}

/** A block's inverse, and the λ that it took. */
type InvertedBlock<T, R> = Escalated<Inverted<BlockOperator<T>, R>>;

/** (F + δ I)⁻¹, part by part. */
const invertFactor = <T extends Shaped, R>(
  backend: Backend<T>,
  invert: InvertMatrix<R>,
  factor: Factor<T>,
  delta: number,
  previous: Factor<T> | undefined,
): TE.TaskEither<KfacError, Inverted<Factor<T>, R>> => {
  const { ops } = backend;
  switch (factor._tag) {
    case 'diagonal':
      return calculate(() => ({ inverse: invertDiagonal(ops, factor.values, delta), reports: [] }));
    case 'identity':
      return calculate(() => ({ inverse: invertDiagonal(ops, ops.full([factor.order], 1), delta), reports: [] }));
    case 'directSum': {
      const before = previous?._tag === 'directSum' ? previous.parts : [];
      return pipe(
        factor.parts,
        TE.traverseArrayWithIndex((i, part) => invertFactor(backend, invert, part, delta, before[i])),
        mapped((parts) => ({
          inverse: directSum(parts.map(({ inverse }) => inverse)),
          reports: parts.flatMap(({ reports }) => reports),
        })),
      );
    }
    default:
      return pipe(
        tidilyDone(backend, [{ shape: [orderOf(factor), orderOf(factor)] }], (inner) =>
          pipe(
            calculate(() => inner.ops.addDiagonal(matrixOf(inner.ops, factor), delta)),
            chained((damped) => invert(inner, damped, previous ?? null)),
          ),
        ),
        mapped(({ inverse, report }) => ({ inverse, reports: [report] })),
      );
  }
};

/** Powers of two by which the scales of two factors may differ from their mean: 32 bits go to 2¹²⁷. */
const within = 32;

/**
 * The product of two inverses, in scales of which neither is far from that of the product: inverses of a factor of 1e-26, whose
 * companion is 1e25, take gradients beyond 32 bits, though the product of both does not. Powers of two change no digit.
 */
const balanced = <T extends Shaped>(
  ops: Ops<T>,
  A: Factor<T>,
  G: Factor<T>,
  means: { readonly ofA: number; readonly ofG: number },
): Kronecker<T> => {
  const apart = Math.round(Math.log2(means.ofA / means.ofG) / 2);
  return Number.isFinite(apart) && Math.abs(apart) > within
    ? kronecker(scaledFactor(ops, 2 ** apart, A), scaledFactor(ops, 2 ** -apart, G))
    : kronecker(A, G);
};

/** (A + π√λ I)⁻¹ ⊗ (G + π⁻¹√λ I)⁻¹. */
const invertProduct = <T extends Shaped, R>(
  backend: Backend<T>,
  invert: InvertMatrix<R>,
  block: Kronecker<T>,
  previous: BlockOperator<T> | undefined,
  lambda: number,
): TE.TaskEither<KfacError, Inverted<BlockOperator<T>, R>> => {
  const before: Partial<Kronecker<T>> = previous?._tag === 'kronecker' ? previous : {};
  return pipe(
    meanEigenvalues(backend, [block]),
    chained(([means]) => {
      const { ofA, ofG } = factoredTikhonov(lambda, means.ofA, means.ofG);
      return pipe(
        TE.Do,
        TE.apS('A', invertFactor(backend, invert, block.A, ofA, before.A)),
        TE.apS('G', invertFactor(backend, invert, block.G, ofG, before.G)),
        TE.chain(({ A, G }) =>
          calculate(() => ({
            inverse: balanced(backend.ops, A.inverse, G.inverse, means),
            reports: [...A.reports, ...G.reports],
          })),
        ),
      );
    }),
  );
};

const invertBlock = <T extends Shaped, R>(
  backend: Backend<T>,
  solver: string,
  invert: InvertMatrix<R>,
  name: string,
  block: BlockOperator<T>,
  previous: BlockOperator<T> | undefined,
  lambda: number,
): TE.TaskEither<KfacError, InvertedBlock<T, R>> => {
  switch (block._tag) {
    case 'kronecker':
      return escalating(lambda, (raised) =>
        pipe(invertProduct(backend, invert, block, previous, raised), TE.mapLeft(inBlock(name))),
      );
    case 'dense':
    case 'diagonal':
      return escalating(lambda, (raised) =>
        pipe(
          invertFactor(
            backend,
            invert,
            block,
            raised,
            previous?._tag === 'dense' || previous?._tag === 'lowRank' ? previous : undefined,
          ),
          TE.mapLeft(inBlock(name)),
        ),
      );
    default:
      return TE.left(unsupported(solver, name, byFactors, block._tag));
  }
};

/** Nothing to say of any matrix. */
const silent = (): Readonly<Record<string, number>> => ({});

/**
 * (⊕ (A + π√λ I) ⊗ (G + π⁻¹√λ I))⁻¹ of block-diagonal curvature with Kronecker, dense and diagonal blocks. A factor that is
 * not positive definite raises the block's λ by 10, at most 6 times, which is reported; then the error names the block.
 *
 * @param name - who asks, for errors
 * @param invert - inverts one matrix
 * @param summary - metrics of what was reported of each matrix
 *
 * @example
 * ```ts
 * import { pipe } from 'fp-ts/lib/function.js';
 * import * as TE from 'fp-ts/lib/TaskEither.js';
 * import { denseOperator } from 'kfac-ts/core';
 * import { preconditioned, preparingFactors, type Inverse } from 'kfac-ts/solvers';
 *
 * // K-FAC with matrices inverted through their eigenvectors.
 * const byEigenvectors: Inverse = {
 *   name: 'byEigenvectors',
 *   prepare: preparingFactors('byEigenvectors', ({ ops, linearAlgebra }, m) =>
 *     pipe(
 *       linearAlgebra.eigh(m),
 *       TE.map(({ values, vectors }) => ({
 *         inverse: denseOperator(ops.matmul(ops.div(vectors, values), vectors, { transposeB: true })),
 *         report: null,
 *       })),
 *     ),
 *   ),
 * };
 * const solver = preconditioned(byEigenvectors);
 * ```
 */
export const preparingFactors =
  <R>(
    name: string,
    invert: InvertMatrix<R>,
    summary: (reports: ReadonlyArray<R>) => Readonly<Record<string, number>> = silent,
  ): Prepare =>
  <T extends Shaped>(
    backend: Backend<T>,
    curvature: LinearOperator<T>,
    lambda: number,
    previous: LinearOperator<T> | null,
  ): TE.TaskEither<KfacError, Prepared<T>> => {
    const before = previous?._tag === 'blockDiagonal' ? previous.blocks : {};
    return pipe(
      eachBlock(name, curvature, (block, operator) =>
        invertBlock(backend, name, invert, block, operator, before[block], lambda),
      ),
      mapped((blocks) => ({
        operator: blockDiagonal(mapParams(blocks, ({ found }) => found.inverse)),
        metrics: {
          ...summary(Object.values(blocks).flatMap(({ found }) => found.reports)),
          ...raisedMetrics(lambda, blocks),
        },
      })),
    );
  };
