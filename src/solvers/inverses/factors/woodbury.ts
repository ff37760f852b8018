/**
 * Matrices by their leading eigenvectors, M ≈ U diag(D) Uᵀ + ρ I, and inverses of those.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../../core/backends/backend.ts';
import type { KfacError } from '../../../core/errors.ts';
import type { Factor } from '../../../core/operators/factors/factor.ts';
import { diagonal, lowRank } from '../../../core/operators/factors/factor.ts';
import type { Ops } from '../../../core/ops/ops.ts';
import { calculate } from '../../../core/pipeline/compute.ts';
import { readScalars } from '../../../core/pipeline/read.ts';
import type { Shaped } from '../../../core/tensor.ts';
import { dampedReciprocal } from './blockwise.ts';
import type { LeadingEigen } from './rangeFinder.ts';

/** What one factor is approximated by: U diag(D) Uᵀ + ρ I. */
export interface Approximation<T> {
  /** Orthonormal columns (or zero ones), `[n, r]`. */
  readonly U: T;
  /** At least 0, `[r]`. */
  readonly D: T;
  readonly rho: number;
}

/** max(0, values − ρ). */
const above = <T extends Shaped>(ops: Ops<T>, values: T, rho: number): T =>
  ops.maximum(ops.sub(values, ops.full([], rho)), ops.full([], 0));

/**
 * The approximation with some leading eigenvalues and the trace as they are: ρ is the mean of the eigenvalues left out.
 *
 * @param backend - where to compute
 * @param m - M `[n, n]`
 * @param found - its leading eigenvectors
 */
export const approximationBy = <T extends Shaped>(
  backend: Backend<T>,
  m: T,
  found: LeadingEigen<T>,
): TE.TaskEither<KfacError, Approximation<T>> => {
  const { ops } = backend;
  return pipe(
    readScalars(backend, [ops.sub(ops.trace(m), ops.sum(found.values, [0]))]),
    TE.chain(([others]) => {
      const left = m.shape[0] - found.values.shape[0];
      const rho = left === 0 ? 0 : Math.max(0, others / left);
      return calculate(() => ({ U: found.vectors, D: above(ops, found.values, rho), rho }));
    }),
  );
};

/**
 * (U diag(D) Uᵀ + c I)⁻¹. Where nothing is left out it is U diag(1 / (D + c)) Uᵀ, since 1/c and what Woodbury takes from it
 * would cancel each other.
 *
 * @param ops - interpreter
 * @param approximation - U and D
 * @param c - above 0
 */
export const woodbury = <T extends Shaped>(
  ops: Ops<T>,
  { U, D }: Pick<Approximation<T>, 'U' | 'D'>,
  c: number,
): Factor<T> => {
  if (U.shape[0] === U.shape[1]) return lowRank(U, diagonal(dampedReciprocal(ops, D, c)), 0);
  // In this order, since a product of two small numbers may be 0.
  const taken = ops.scale(1 / c, ops.div(D, ops.add(D, ops.full([], c))));
  return lowRank(U, diagonal(ops.neg(taken)), 1 / c);
};
