/**
 * The K-FAC inverse: a Cholesky inverse of each damped factor, direction G⁻¹ V A⁻¹ [MG15 §4.2, §6.3].
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';

import { dense } from '../../core/operators/factors/factor.ts';
import { mapped } from '../../core/tasks.ts';
import type { Preconditioner } from '../solver/inverse.ts';
import type { InvertMatrix } from './factors/factorInverse.ts';
import { preparingFactors } from './factors/factorInverse.ts';

const name = 'kroneckerInverse';

/** M⁻¹ by a Cholesky factor of M. */
export const byCholesky: InvertMatrix<null> = (backend, m) =>
  pipe(
    backend.linearAlgebra.inverse(m),
    mapped((inverse) => ({ inverse: dense(inverse), report: null })),
  );

/**
 * (⊕ (A + π√λ I) ⊗ (G + π⁻¹√λ I))⁻¹ by explicit inverses, of block-diagonal curvature with Kronecker, dense and diagonal
 * blocks. λ of a block rises where it must, which is reported as `raisedDamping.` and the block's name.
 */
export const kroneckerInverse: Preconditioner = { name, prepare: preparingFactors(name, byCholesky) };
