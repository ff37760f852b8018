/**
 * The K-FAC inverse where it can be afforded, and an inverse of low rank where it cannot.
 *
 * Applying G⁻¹ V A⁻¹ takes 2 m n (m + n) operations in every step, whatever the period of the inverses, and a batch of B
 * forwards and backwards 6 B m n: where layers are wide and batches small the first is a multiple of the second. Then factors
 * are kept by their r leading eigenvectors, as in `lowRankInverse`, with r as large as what they may cost pays for.
 * The choice looks at shapes alone.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { Factor } from '../../core/operators/factors/factor.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import type { Allowance } from '../../core/pipeline/trainState.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Field } from '../../core/pipeline/context.ts';
import type { Allowing, Preconditioner } from '../solver/inverse.ts';
import type { InvertMatrix } from './factors/factorInverse.ts';
import { preparingFactors } from './factors/factorInverse.ts';
import { rankOf, rankWithin } from './factors/rankWithin.ts';
import { firstEigen, trackedEigen } from './factors/trackedEigen.ts';
import { approximationBy, woodbury } from './factors/woodbury.ts';
import { byCholesky, kroneckerInverse } from './kroneckerInverse.ts';

const name = 'kroneckerInverseWithin';

const notPositiveDefinite = (order: number): KfacError => ({ _tag: 'NotPositiveDefinite', where: name, order });

/** The eigenvectors that an earlier inverse of a matrix `[n, n]` was made of, where it was one of rank r. */
const vectorsIn = <T extends Shaped>(factor: Factor<T> | null, n: number, r: number): T | null =>
  factor?._tag === 'lowRank' && factor.U.shape[0] === n && factor.U.shape[1] === r ? factor.U : null;

/** The inverse of M ≈ U diag(D) Uᵀ + ρ I; narrow matrices by Cholesky. M is damped, so all its eigenvalues are above 0. */
const byRank =
  (rank: number): InvertMatrix<null> =>
  (backend, m, previous) => {
    const [n] = m.shape;
    const r = rankOf(n, rank);
    if (r === null) return byCholesky(backend, m, null);
    const before = vectorsIn(previous, n, r);
    return pipe(
      before === null ? firstEigen(backend, m, r) : trackedEigen(backend, m, before),
      TE.chain((found) => approximationBy(backend, m, found)),
      TE.chain((found) =>
        found.rho > 0
          ? calculate(() => ({ inverse: woodbury(backend.ops, found, found.rho), report: null }))
          : TE.left(notPositiveDefinite(n)),
      ),
    );
  };

/** What is wrong with an allowance; `null` for nothing. */
const refuse = ({ operations, every }: Allowance): KfacError | null => {
  const bad = (path: string, expected: string, actual: number): KfacError => ({
    _tag: 'BadConfig',
    path: `${name}.${path}`,
    expected,
    actual: String(actual),
  });
  if (!(every >= 1)) return bad('every', 'at least 1 step', every);
  const wrong = Object.entries(operations).find(([, count]) => !(count >= 0));
  return wrong === undefined ? null : bad(`operations of ${wrong[0]}`, 'a number of at least 0', wrong[1]);
};

/**
 * (⊕ (A + π√λ I) ⊗ (G + π⁻¹√λ I))⁻¹ that costs no more than it may: by explicit inverses where those do not, else
 * with the wider factors of one low rank, the greatest that does not, which is reported as `inverseRank`.
 *
 * @param allowance - what it may cost, from what the step knows
 *
 * @example
 * ```ts
 * import { mapParams } from 'kfac-ts/core';
 * import { workByBlock } from 'kfac-ts/curvature';
 * import { kroneckerInverseWithin, preconditioned } from 'kfac-ts/solvers';
 *
 * // At most half of what a step takes without it.
 * const inverse = kroneckerInverseWithin(({ blocks, gradient }) => ({
 *   operations: mapParams(workByBlock(blocks, gradient), (work) => work / 2),
 *   every: 20,
 * }));
 * const solver = preconditioned(inverse, { every: 20 });
 * ```
 */
export const kroneckerInverseWithin = <Needs extends Field = never>(
  allowance: Allowing<Needs>,
): Preconditioner<Needs> => ({
  name,
  allowance,
  prepare: (backend, curvature, lambda, previous, allowed = null) => {
    const refused = allowed === null ? null : refuse(allowed);
    if (refused !== null) return TE.left(refused);
    const rank = allowed === null ? null : rankWithin(curvature, allowed);
    return rank === null
      ? kroneckerInverse.prepare(backend, curvature, lambda, previous)
      : preparingFactors(name, byRank(rank), () => ({ inverseRank: rank }))(backend, curvature, lambda, previous);
  },
});
