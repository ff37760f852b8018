/**
 * The K-FAC inverse that keeps Cholesky factors and solves two triangular systems per factor in every step: direction
 * G⁻¹ V A⁻¹ without an explicit inverse.
 *
 * A factor takes a third of the operations of an inverse, and a solve is backward stable where a product with an inverse
 * is not; triangular solves are slower than products, so with long refresh periods `kroneckerInverse` costs less. They are
 * the business of a backend, not of its operations, hence this is no preconditioner for iterative solvers.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { cholesky } from '../../core/operators/factors/factor.ts';
import type { Inverse } from '../solver/inverse.ts';
import type { InvertMatrix } from './factors/factorInverse.ts';
import { preparingFactors } from './factors/factorInverse.ts';

const name = 'choleskySolve';

const factorise: InvertMatrix<null> = (backend, m) =>
  pipe(
    backend.linearAlgebra.cholesky(m),
    TE.map((L) => ({ inverse: cholesky(L), report: null })),
  );

/** The inverse of all damped factors by their Cholesky factors. Damping and its escalation are those of `kroneckerInverse`. */
export const choleskySolve: Inverse = { name, prepare: preparingFactors(name, factorise), acts: 'bySolves' };
