/**
 * A claim to have converged, and its proof: what an iteration carries along as its residual drifts away from b − A x by
 * rounding, in 32 bits by whole digits, and goes on to fall where b − A x cannot. So b − A x is computed from x before
 * anything is claimed, and where it is too large the iteration begins anew from there.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { Applicable } from '../../core/operators/action.ts';
import { act } from '../../core/operators/action.ts';
import { innerProduct } from '../../core/ops/innerProduct.ts';
import type { Params } from '../../core/params.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Ending } from './outcome.ts';
import { relative } from './problem.ts';
import { combine, computing, readFinite } from './vectors.ts';

/** b − A x as it is. */
export interface Measured<T> {
  readonly r: Params<T>;
  /** ‖r‖. */
  readonly normR: number;
  /** ‖r‖ / ‖b‖. */
  readonly residual: number;
}

/**
 * b − A x from x.
 *
 * @param where - the solver, for errors
 * @param backend - where to compute
 * @param operator - A
 * @param b - right-hand side
 * @param normB - its norm
 * @param x - approximate solution
 */
export const measured = <T extends Shaped>(
  where: string,
  backend: Backend<T>,
  operator: Applicable<T>,
  b: Params<T>,
  normB: number,
  x: Params<T>,
): TE.TaskEither<KfacError, Measured<T>> => {
  const { ops } = backend;
  return pipe(
    computing(() => {
      const r = combine(ops, 1, b, -1, act(ops, operator, x));
      return { r, square: innerProduct(ops, r, r) };
    }),
    TE.bind('values', ({ square }) => readFinite(backend, where, [square])),
    TE.map(({ r, values: [rr] }) => {
      const normR = Math.sqrt(rr);
      return { r, normR, residual: relative(normR, normB) };
    }),
  );
};

/** Between two claims the residual must fall at least to this part of itself; rounding alone does not do that. */
const progress = 0.9;

/**
 * What becomes of a claim.
 *
 * @param residual - computed from x
 * @param tolerance - claimed to be reached
 * @param last - the residual, computed from x, where the iteration began or last began anew
 * @returns the ending, or `null` where it is worth beginning anew
 */
export const verdict = (residual: number, tolerance: number, last: number): Ending | null => {
  if (residual <= tolerance) return 'Converged';
  return residual <= progress * last ? null : 'Stagnation';
};
