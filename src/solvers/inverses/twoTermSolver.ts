/**
 * The two-term solve [MG15 App. B] by itself: curvature that is a sum of two Kronecker products, as that of two classes,
 * is inverted by its factors, without iterations.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import type { Shaped } from '../../core/tensor.ts';
import { eachBlock, unsupported } from './factors/blockwise.ts';
import { invertClassWise } from './classWiseInverse.ts';
import type { RefreshOptions } from '../solver/refresh.ts';
import type { SolveNeeds, Solver } from '../solver/solver.ts';
import { refreshing } from '../solver/solver.ts';

const solver = 'twoTerm';

/**
 * Inverses of all blocks: of sums of two Kronecker products by the two-term solve, of others by their factors.
 *
 * @param backend - where to factorise
 * @param operator - block-diagonal, no block with more than two terms
 * @param lambda - damping λ, greater than 0
 */
export const invertTwoTerms = <T extends Shaped>(
  backend: Backend<T>,
  operator: LinearOperator<T>,
  lambda: number,
): TE.TaskEither<KfacError, LinearOperator<T>> =>
  pipe(
    eachBlock(solver, operator, (name, block) =>
      block._tag === 'sum' && block.operators.length > 2
        ? TE.left(unsupported(solver, name, 'a sum of two terms', `${block.operators.length} terms`))
        : TE.right(block),
    ),
    TE.chain(() => invertClassWise(backend, operator, lambda, 'auto')),
  );

/**
 * K-FAC of sums of two Kronecker products.
 *
 * @param options - refresh period
 */
export const twoTermSolver = (options: RefreshOptions = {}): Solver<SolveNeeds> =>
  refreshing(solver, invertTwoTerms, options);
