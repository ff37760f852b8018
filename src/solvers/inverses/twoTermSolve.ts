/**
 * The two-term solve [MG15 App. B] by itself: curvature that is a sum of two Kronecker products, as that of two classes,
 * is inverted by its factors, without iterations.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Preconditioner } from '../solver/inverse.ts';
import { classWiseInverse } from './classWiseInverse.ts';
import { unsupported } from '../solver/unsupported.ts';
import { eachBlock } from './factors/blockwise.ts';

const name = 'twoTermSolve';

/**
 * Inverses of block-diagonal curvature, no block with more than two terms: of sums of two Kronecker products by the
 * two-term solve, of others by their factors.
 */
export const twoTermSolve: Preconditioner = {
  name,
  prepare: (backend, curvature, lambda, previous) =>
    pipe(
      eachBlock(name, curvature, (at, block) =>
        block._tag === 'sum' && block.operators.length > 2
          ? TE.left(unsupported(name, at, 'a sum of two terms', `${block.operators.length} terms`))
          : TE.right(block),
      ),
      TE.chain(() => classWiseInverse().prepare(backend, curvature, lambda, previous)),
    ),
};
