/**
 * The K-FAC solver: a Cholesky inverse of each damped factor, direction G⁻¹ V A⁻¹ [MG15 §4.2, §6.3].
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import { dense } from '../../core/operators/factors/factor.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { InvertMatrix } from './factors/factorInverse.ts';
import { invertKroneckerBlocks } from './factors/factorInverse.ts';
import type { RefreshOptions } from '../solver/refresh.ts';
import type { SolveNeeds, Solver } from '../solver/solver.ts';
import { refreshing } from '../solver/solver.ts';

const byCholesky: InvertMatrix<null> = (backend, m) =>
  pipe(
    backend.linearAlgebra.inverse(m),
    TE.map((inverse) => ({ inverse: dense(inverse), report: null })),
  );

/**
 * (⊕ (A + π√λ I) ⊗ (G + π⁻¹√λ I))⁻¹ as an operator. A factor that is not positive definite raises the block's λ by 10, at
 * most 6 times; then the error names the block.
 *
 * @param backend - where to factorise
 * @param operator - block-diagonal curvature with Kronecker, dense and diagonal blocks
 * @param lambda - damping λ, greater than 0
 */
export const invertFactors = <T extends Shaped>(
  backend: Backend<T>,
  operator: LinearOperator<T>,
  lambda: number,
): TE.TaskEither<KfacError, LinearOperator<T>> =>
  pipe(
    invertKroneckerBlocks('kroneckerInverse', byCholesky, backend, operator, lambda, null),
    TE.map((inverted) => inverted.operator),
  );

/**
 * K-FAC by explicit inverses of the damped factors.
 *
 * @param options - refresh period
 */
export const kroneckerInverse = (options: RefreshOptions = {}): Solver<SolveNeeds> =>
  refreshing('kroneckerInverse', invertFactors, options);
