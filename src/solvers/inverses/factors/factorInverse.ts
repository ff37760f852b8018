/**
 * Inverses of Kronecker-factored blocks, whatever the way in which one factor is inverted.
 *
 * Damping is factored Tikhonov [MG15 §6.3] and rises when a factor is not positive definite. A partitioned block takes
 * one π for all its parts, from the traces of the whole: every product of two added diagonals is then λ, and each part
 * is inverted once. A π for each pair of parts would need every A_i inverted anew for every G_j.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../../core/backends/backend.ts';
import type { KfacError } from '../../../core/errors.ts';
import type { BlockOperator, DiagonalKronecker } from '../../../core/operators/blockOperator.ts';
import type { LinearOperator } from '../../../core/operators/linearOperator.ts';
import { dense, diagonalKronecker, kronecker, partitionedKronecker } from '../../../core/operators/blockOperator.ts';
import { blockDiagonal } from '../../../core/operators/linearOperator.ts';
import { mapParams } from '../../../core/params.ts';
import type { Shaped } from '../../../core/tensor.ts';
import { calculate, eachBlock, invertDiagonal, unsupported } from './blockwise.ts';
import { factoredTikhonov } from './factoredTikhonov.ts';
import { dampDiagonalKronecker } from './diagonalKronecker.ts';
import { escalating, inBlock } from './escalation.ts';
import type { FactorParts } from './factorParts.ts';
import { meanEigenvaluesOfParts, partsOf } from './factorParts.ts';

/** An inverse and what its maker has to say of it. */
export interface FactorInverse<T, R> {
  readonly inverse: T;
  readonly report: R;
}

/**
 * A way to invert one symmetric positive definite matrix. Fails with `NotPositiveDefinite`. `previous` is an inverse of
 * the same factor from an earlier time, or `null`.
 */
export type InvertFactor<R> = <T extends Shaped>(
  backend: Backend<T>,
  m: T,
  previous: T | null,
) => TE.TaskEither<KfacError, FactorInverse<T, R>>;

const factorsOf = <T>(block: BlockOperator<T> | undefined): FactorParts<T> | null =>
  block?._tag === 'kronecker' || block?._tag === 'partitionedKronecker' ? partsOf(block) : null;

interface Inverted<T, R> {
  readonly operator: BlockOperator<T>;
  readonly reports: ReadonlyArray<R>;
}

/** (diag(a) + π√λ I)⁻¹ ⊗ (⊕ G_j + π⁻¹√λ I)⁻¹ with what was reported of each G_j. */
const invertDiagonalKronecker = <T extends Shaped, R>(
  backend: Backend<T>,
  invert: InvertFactor<R>,
  name: string,
  block: DiagonalKronecker<T>,
  previous: BlockOperator<T> | undefined,
  lambda: number,
): TE.TaskEither<KfacError, Inverted<T, R>> => {
  const before = previous?._tag === 'diagonalKronecker' ? previous.Gs : [];
  return pipe(
    dampDiagonalKronecker(backend, block, lambda),
    TE.chain(({ inverseA, ofG }) =>
      pipe(
        block.Gs,
        TE.traverseArrayWithIndex((j, G) =>
          pipe(
            calculate(() => backend.ops.addDiagonal(G, ofG)),
            TE.chain((damped) => invert(backend, damped, before[j] ?? null)),
          ),
        ),
        TE.map((Gs) => ({
          operator: diagonalKronecker(
            inverseA,
            Gs.map(({ inverse }) => inverse),
          ),
          reports: Gs.map(({ report }) => report),
        })),
      ),
    ),
    TE.mapLeft(inBlock(name)),
  );
};

/** (F + λ I)⁻¹. */
const invertMatrix = <T extends Shaped, R>(
  backend: Backend<T>,
  invert: InvertFactor<R>,
  name: string,
  matrix: T,
  previous: BlockOperator<T> | undefined,
  lambda: number,
): TE.TaskEither<KfacError, Inverted<T, R>> =>
  pipe(
    calculate(() => backend.ops.addDiagonal(matrix, lambda)),
    TE.chain((damped) => invert(backend, damped, previous?._tag === 'dense' ? previous.matrix : null)),
    TE.bimap(inBlock(name), ({ inverse, report }) => ({ operator: dense(inverse), reports: [report] })),
  );

const invertFactors = <T extends Shaped, R>(
  backend: Backend<T>,
  invert: InvertFactor<R>,
  name: string,
  factors: FactorParts<T>,
  previous: FactorParts<T> | null,
  lambda: number,
): TE.TaskEither<KfacError, readonly [ReadonlyArray<FactorInverse<T, R>>, ReadonlyArray<FactorInverse<T, R>>]> => {
  const all = (
    parts: ReadonlyArray<T>,
    before: ReadonlyArray<T> | undefined,
    added: number,
  ): TE.TaskEither<KfacError, ReadonlyArray<FactorInverse<T, R>>> =>
    pipe(
      parts,
      TE.traverseArray((m) => calculate(() => backend.ops.addDiagonal(m, added))),
      TE.chain(TE.traverseArrayWithIndex((i, m) => invert(backend, m, before?.[i] ?? null))),
    );
  return pipe(
    meanEigenvaluesOfParts(backend, factors),
    TE.chain((means) => {
      const { ofA, ofG } = factoredTikhonov(lambda, means.ofA, means.ofG);
      return pipe(
        TE.Do,
        TE.apS('As', all(factors.As, previous?.As, ofA)),
        TE.apS('Gs', all(factors.Gs, previous?.Gs, ofG)),
      );
    }),
    TE.map(({ As, Gs }) => [As, Gs] as const),
    TE.mapLeft(inBlock(name)),
  );
};

const invertBlock = <T extends Shaped, R>(
  backend: Backend<T>,
  solver: string,
  invert: InvertFactor<R>,
  name: string,
  block: BlockOperator<T>,
  previous: BlockOperator<T> | undefined,
  lambda: number,
): TE.TaskEither<KfacError, Inverted<T, R>> => {
  switch (block._tag) {
    case 'kronecker':
    case 'partitionedKronecker':
      return pipe(
        escalating(lambda, (raised) =>
          invertFactors(backend, invert, name, partsOf(block), factorsOf(previous), raised),
        ),
        TE.map(([As, Gs]) => ({
          operator:
            block._tag === 'kronecker'
              ? kronecker(As[0].inverse, Gs[0].inverse)
              : partitionedKronecker(
                  As.map(({ inverse }) => inverse),
                  Gs.map(({ inverse }) => inverse),
                ),
          reports: [...As, ...Gs].map(({ report }) => report),
        })),
      );
    case 'diagonalKronecker':
      return escalating(lambda, (raised) => invertDiagonalKronecker(backend, invert, name, block, previous, raised));
    case 'dense':
      return escalating(lambda, (raised) => invertMatrix(backend, invert, name, block.matrix, previous, raised));
    case 'diagonal':
      return calculate(() => ({ operator: invertDiagonal(backend.ops, block.values, lambda), reports: [] }));
    default:
      return TE.left(
        unsupported(
          solver,
          name,
          'blocks of kind kronecker, partitionedKronecker, diagonalKronecker, dense or diagonal',
          block._tag,
        ),
      );
  }
};

/** An inverse of all blocks, and what was reported of each factor. */
export interface InvertedBlocks<T, R> {
  readonly operator: LinearOperator<T>;
  readonly reports: ReadonlyArray<R>;
}

/**
 * (⊕ (A + π√λ I) ⊗ (G + π⁻¹√λ I))⁻¹ as an operator. A factor that is not positive definite raises the block's λ by 10, at
 * most 6 times; then the error names the block.
 *
 * @param solver - who asks, for errors
 * @param invert - inverts one factor
 * @param backend - where to compute
 * @param operator - block-diagonal curvature with Kronecker (partitioned or with diagonal A), dense and diagonal blocks
 * @param lambda - damping λ, greater than 0
 * @param previous - what was prepared before, or `null`
 */
export const invertKroneckerBlocks = <T extends Shaped, R>(
  solver: string,
  invert: InvertFactor<R>,
  backend: Backend<T>,
  operator: LinearOperator<T>,
  lambda: number,
  previous: LinearOperator<T> | null,
): TE.TaskEither<KfacError, InvertedBlocks<T, R>> => {
  const before = previous?._tag === 'blockDiagonal' ? previous.blocks : {};
  return pipe(
    eachBlock(solver, operator, (name, block) =>
      invertBlock(backend, solver, invert, name, block, before[name], lambda),
    ),
    TE.map((blocks) => ({
      operator: blockDiagonal(mapParams(blocks, (block) => block.operator)),
      reports: Object.values(blocks).flatMap((block) => block.reports),
    })),
  );
};
