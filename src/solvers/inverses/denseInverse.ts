/**
 * The solver for small models: each block as a full matrix, (block + λ I)⁻¹ by Cholesky factorisation.
 *
 * It takes every kind of block, forming those that are not full already, so it is also the oracle of the other solvers.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { BlockOperator } from '../../core/operators/blockOperator.ts';
import { shapeOf } from '../../core/operators/blockOperator.ts';
import { dense } from '../../core/operators/factors/factor.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import { materialise } from '../../core/operators/materialise.ts';
import type { Shaped } from '../../core/tensor.ts';
import { calculate, eachBlock, invertDiagonal } from './factors/blockwise.ts';
import type { RefreshOptions } from '../solver/refresh.ts';
import type { SolveNeeds, Solver } from '../solver/solver.ts';
import { refreshing } from '../solver/solver.ts';

const invertBlock = <T extends Shaped>(
  backend: Backend<T>,
  name: string,
  block: BlockOperator<T>,
  lambda: number,
): TE.TaskEither<KfacError, BlockOperator<T>> => {
  const { ops } = backend;
  if (block._tag === 'diagonal') return calculate(() => invertDiagonal(ops, block.values, lambda));
  return pipe(
    calculate(() => {
      const matrix = block._tag === 'dense' ? block.matrix : materialise(ops, block, shapeOf(block));
      return ops.addDiagonal(matrix, lambda);
    }),
    TE.chain((matrix) => backend.linearAlgebra.inverse(matrix)),
    TE.bimap(
      (error) => (error._tag === 'NotPositiveDefinite' ? { ...error, where: name, damping: lambda } : error),
      (inverse) => dense(inverse),
    ),
  );
};

/**
 * (⊕ block + λ I)⁻¹ as an operator, exactly. A block that is not positive definite is an error that names it.
 *
 * @param backend - where to factorise
 * @param operator - block-diagonal curvature with symmetric blocks of any kind
 * @param lambda - damping λ, at least 0
 */
export const invertDensely = <T extends Shaped>(
  backend: Backend<T>,
  operator: LinearOperator<T>,
  lambda: number,
): TE.TaskEither<KfacError, LinearOperator<T>> =>
  pipe(
    eachBlock('denseInverse', operator, (name, block) => invertBlock(backend, name, block, lambda)),
    TE.map((blocks) => blockDiagonal(blocks)),
  );

/**
 * Full inverses of the damped blocks.
 *
 * @param options - refresh period
 */
export const denseInverse = (options: RefreshOptions = {}): Solver<SolveNeeds> =>
  refreshing('denseInverse', invertDensely, options);
