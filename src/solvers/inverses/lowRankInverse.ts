/**
 * K-FAC with factors of low rank [P22]: A ≈ U diag(D) Uᵀ + ρ I with U the r leading eigenvectors, ρ the mean of the
 * eigenvalues left out and D = θ − ρ for the r kept, so that these and the trace stay as they are. Then
 * (A + δ I)⁻¹ = 1/c I − U diag(D / (c (D + c))) Uᵀ with c = ρ + δ (Woodbury). No matrix of the order of a factor is inverted
 * or held, only r columns. Of a direct sum every part has its own r, and all share one π.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { BlockOperator, Kronecker } from '../../core/operators/blockOperator.ts';
import { kronecker } from '../../core/operators/blockOperator.ts';
import type { Factor } from '../../core/operators/factors/factor.ts';
import { dense, directSum, partsOf } from '../../core/operators/factors/factor.ts';
import { matrixOf } from '../../core/operators/factors/measures.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Shaped } from '../../core/tensor.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import { unsupported } from '../solver/unsupported.ts';
import { byFactors, eachBlock, invertDiagonal } from './factors/blockwise.ts';
import { meanEigenvalues } from './factors/dampedFactors.ts';
import { factoredTikhonov } from './factors/factoredTikhonov.ts';
import type { RangeOptions } from './factors/rangeFinder.ts';
import { leadingEigen, mostPowerIterations } from './factors/rangeFinder.ts';
import type { Approximation } from './factors/woodbury.ts';
import { approximationBy, woodbury } from './factors/woodbury.ts';
import type { Preconditioner } from '../solver/inverse.ts';

const name = 'lowRankInverse';

const approximate = <T extends Shaped>(
  backend: Backend<T>,
  m: T,
  options: RangeOptions,
): TE.TaskEither<KfacError, Approximation<T>> =>
  pipe(
    leadingEigen(backend, m, options),
    TE.chain((found) => approximationBy(backend, m, found)),
  );

/** (F̃ + δ I)⁻¹, part by part. */
const invertFactor = <T extends Shaped>(
  backend: Backend<T>,
  factor: Factor<T>,
  delta: number,
  options: RangeOptions,
): TE.TaskEither<KfacError, Factor<T>> => {
  const { ops } = backend;
  switch (factor._tag) {
    case 'diagonal':
      return calculate(() => invertDiagonal(ops, factor.values, delta));
    case 'identity':
      return calculate(() => invertDiagonal(ops, ops.full([factor.order], 1), delta));
    case 'directSum':
      return pipe(
        factor.parts,
        TE.traverseArray((part) => invertFactor(backend, part, delta, options)),
        TE.map((parts) => directSum(parts)),
      );
    default:
      return pipe(
        calculate(() => matrixOf(ops, factor)),
        TE.chain((m) => approximate(backend, m, options)),
        TE.chain((found): TE.TaskEither<KfacError, Factor<T>> => {
          const c = found.rho + delta;
          return c > 0
            ? calculate(() => woodbury(ops, found, c))
            : TE.left({ _tag: 'NotPositiveDefinite', where: name, order: 1 });
        }),
      );
  }
};

/** The matrices of a factor, part by part. */
const formed = <T extends Shaped>(ops: Ops<T>, factor: Factor<T>): Factor<T> =>
  directSum(partsOf(factor).map((part) => (part._tag === 'lowRank' ? dense(matrixOf(ops, part)) : part)));

/** (Ã + π√λ I)⁻¹ ⊗ (G̃ + π⁻¹√λ I)⁻¹. An embedding's G is small beside its table, so its inverse is formed. */
const invertProduct = <T extends Shaped>(
  backend: Backend<T>,
  block: Kronecker<T>,
  lambda: number,
  options: RangeOptions,
): TE.TaskEither<KfacError, BlockOperator<T>> =>
  pipe(
    meanEigenvalues(backend, [block]),
    TE.chain(([means]) => {
      const { ofA, ofG } = factoredTikhonov(lambda, means.ofA, means.ofG);
      return pipe(
        TE.Do,
        TE.apS('A', invertFactor(backend, block.A, ofA, options)),
        TE.apS('G', invertFactor(backend, block.G, ofG, options)),
      );
    }),
    TE.chain(({ A, G }) => calculate(() => kronecker(A, A._tag === 'diagonal' ? formed(backend.ops, G) : G))),
  );

const invertBlock = <T extends Shaped>(
  backend: Backend<T>,
  at: string,
  block: BlockOperator<T>,
  lambda: number,
  options: RangeOptions,
): TE.TaskEither<KfacError, BlockOperator<T>> => {
  switch (block._tag) {
    case 'kronecker':
      return invertProduct(backend, block, lambda, options);
    case 'dense':
    case 'diagonal':
      return invertFactor(backend, block, lambda, options);
    default:
      return TE.left(unsupported(name, at, byFactors, block._tag));
  }
};

const refuse = (options: RangeOptions): KfacError | null => {
  const { rank, oversampling = 10, powerIterations = 1 } = options;
  const bad = [
    { name: 'rank', value: rank, least: 1 },
    { name: 'oversampling', value: oversampling, least: 0 },
    { name: 'powerIterations', value: powerIterations, least: 0, most: mostPowerIterations },
  ].find(({ value, least, most = Infinity }) => !(Number.isInteger(value) && value >= least && value <= most));
  return bad === undefined
    ? null
    : {
        _tag: 'BadConfig',
        path: `${name}.${bad.name}`,
        expected:
          bad.most === undefined
            ? `a whole number of at least ${bad.least}`
            : `a whole number from ${bad.least} to ${bad.most}`,
        actual: String(bad.value),
      };
};

/**
 * (⊕ (Ã + π√λ I) ⊗ (G̃ + π⁻¹√λ I))⁻¹ with factors of low rank, of block-diagonal curvature with Kronecker, dense and
 * diagonal blocks.
 *
 * @param options - rank, oversampling, power iterations
 *
 * @example
 * ```ts
 * import { lowRankInverse, preconditioned } from 'kfac-ts/solvers';
 *
 * const solver = preconditioned(lowRankInverse({ rank: 32 }), { every: 20 });
 * ```
 */
export const lowRankInverse = (options: RangeOptions): Preconditioner => ({
  name,
  prepare: (backend, curvature, lambda) => {
    const refused = refuse(options);
    if (refused !== null) return TE.left(refused);
    return pipe(
      eachBlock(name, curvature, (at, block) =>
        pipe(
          invertBlock(backend, at, block, lambda, options),
          TE.mapLeft((error) =>
            error._tag === 'NotPositiveDefinite' ? { ...error, where: at, damping: lambda } : error,
          ),
        ),
      ),
      TE.map((blocks) => ({ operator: blockDiagonal(blocks), metrics: {} })),
    );
  },
});
