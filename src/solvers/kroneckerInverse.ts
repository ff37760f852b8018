/**
 * The K-FAC solver: a Cholesky inverse of each damped factor, direction G⁻¹ V A⁻¹ [MG15 §4.2, §6.3].
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as R from 'fp-ts/lib/Record.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../core/backends/backend.ts';
import type { KfacError } from '../core/errors.ts';
import { attempt } from '../core/errors.ts';
import type { BlockOperator, Kronecker, LinearOperator } from '../core/operators/linearOperator.ts';
import { blockDiagonal, diagonal, kronecker } from '../core/operators/linearOperator.ts';
import type { Shaped } from '../core/tensor.ts';
import { factoredTikhonov } from './damping.ts';
import type { RefreshOptions, SolveNeeds, Solver } from './solver.ts';
import { refreshing } from './solver.ts';

/** λ is raised by this factor when a factor is not positive definite … */
const escalation = 10;
/** … at most this many times. */
const escalations = 6;

/** tr M / dim M as a number. */
const meanEigenvalue = <T extends Shaped>(backend: Backend<T>, m: T): TE.TaskEither<KfacError, number> =>
  pipe(
    backend.read(backend.ops.trace(m)),
    TE.map((trace) => trace.data[0] / Math.max(1, m.shape[0])),
  );

const invertKronecker = <T extends Shaped>(
  backend: Backend<T>,
  name: string,
  block: Kronecker<T>,
  lambda: number,
  tries = 0,
): TE.TaskEither<KfacError, BlockOperator<T>> =>
  pipe(
    TE.Do,
    TE.apS('meanA', meanEigenvalue(backend, block.A)),
    TE.apS('meanG', meanEigenvalue(backend, block.G)),
    TE.chain(({ meanA, meanG }) => {
      const { ofA, ofG } = factoredTikhonov(lambda, meanA, meanG);
      return pipe(
        TE.Do,
        TE.apS('A', backend.linearAlgebra.inverse(backend.ops.addDiagonal(block.A, ofA))),
        TE.apS('G', backend.linearAlgebra.inverse(backend.ops.addDiagonal(block.G, ofG))),
      );
    }),
    TE.map(({ A, G }) => kronecker(A, G)),
    TE.orElse((error) => {
      if (error._tag !== 'NotPositiveDefinite') return TE.left(error);
      return tries < escalations
        ? invertKronecker(backend, name, block, lambda * escalation, tries + 1)
        : TE.left({ ...error, where: name, damping: lambda });
    }),
  );

const invertBlock = <T extends Shaped>(
  backend: Backend<T>,
  name: string,
  block: BlockOperator<T>,
  lambda: number,
): TE.TaskEither<KfacError, BlockOperator<T>> => {
  switch (block._tag) {
    case 'kronecker':
      return invertKronecker(backend, name, block, lambda);
    case 'diagonal':
      return TE.fromEither(
        attempt(() => {
          const { ops } = backend;
          return diagonal(ops.div(ops.full([], 1), ops.add(block.values, ops.full([], lambda))));
        }),
      );
    default:
      return TE.left(unsupported(name, block._tag));
  }
};

const unsupported = (path: string, actual: string): KfacError => ({
  _tag: 'BadConfig',
  path,
  expected: 'blocks of kind kronecker or diagonal for kroneckerInverse',
  actual,
});

/**
 * (⊕ (A + π√λ I) ⊗ (G + π⁻¹√λ I))⁻¹ as an operator. A factor that is not positive definite raises the block's λ by 10, at
 * most 6 times; then the error names the block.
 *
 * @param backend - where to factorise
 * @param operator - block-diagonal curvature with Kronecker and diagonal blocks
 * @param lambda - damping λ, greater than 0
 */
export const invertFactors = <T extends Shaped>(
  backend: Backend<T>,
  operator: LinearOperator<T>,
  lambda: number,
): TE.TaskEither<KfacError, LinearOperator<T>> =>
  operator._tag === 'blockDiagonal'
    ? pipe(
        operator.blocks,
        R.traverseWithIndex(TE.ApplicativePar)((name, block) => invertBlock(backend, name, block, lambda)),
        TE.map((blocks) => blockDiagonal(blocks)),
      )
    : TE.left(unsupported('operator', operator._tag));

/**
 * K-FAC by explicit inverses of the damped factors.
 *
 * @param options - damping and refresh period
 */
export const kroneckerInverse = (options: RefreshOptions): Solver<SolveNeeds> =>
  refreshing('kroneckerInverse', invertFactors, options);
