/**
 * K-FAC with factors of low rank [P22]: A ≈ U diag(D) Uᵀ + ρ I with U the r leading eigenvectors, ρ the mean of the
 * eigenvalues left out and D = θ − ρ for the r kept, so that these and the trace stay as they are. Then
 * (A + δ I)⁻¹ = 1/c I − U diag(D / (c (D + c))) Uᵀ with c = ρ + δ (Woodbury). No matrix of the order of a factor is inverted
 * or held, only r columns. Of a partitioned block every part has its own r, and all share one π.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { BlockOperator, DiagonalKronecker, LowRankFactor } from '../../core/operators/blockOperator.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import {
  diagonalKronecker,
  lowRankPlusDiagonal,
  partitionedLowRankKronecker,
} from '../../core/operators/blockOperator.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import type { Ops } from '../../core/ops/ops.ts';
import { readScalars } from '../../core/pipeline/read.ts';
import type { Shaped } from '../../core/tensor.ts';
import { calculate, eachBlock, invertDiagonal, unsupported } from './factors/blockwise.ts';
import { factoredTikhonov } from './factors/factoredTikhonov.ts';
import { dampDiagonalKronecker } from './factors/diagonalKronecker.ts';
import type { FactorParts } from './factors/factorParts.ts';
import { meanEigenvaluesOfParts, partsOf } from './factors/factorParts.ts';
import type { RangeOptions } from './factors/rangeFinder.ts';
import { leadingEigen } from './factors/rangeFinder.ts';
import type { RefreshOptions } from '../solver/refresh.ts';
import type { SolveNeeds, Solver } from '../solver/solver.ts';
import { refreshing } from '../solver/solver.ts';

/** What one factor is approximated by: U diag(D) Uᵀ + ρ I. */
interface Approximation<T> {
  readonly U: T;
  readonly D: T;
  readonly rho: number;
}

/** max(0, values − ρ). */
const above = <T extends Shaped>(ops: Ops<T>, values: T, rho: number): T =>
  ops.maximum(ops.sub(values, ops.full([], rho)), ops.full([], 0));

const approximate = <T extends Shaped>(
  backend: Backend<T>,
  m: T,
  options: RangeOptions,
): TE.TaskEither<KfacError, Approximation<T>> => {
  const { ops } = backend;
  const [n] = m.shape;
  return pipe(
    leadingEigen(backend, m, options),
    TE.bindTo('found'),
    TE.bind('sums', ({ found }) => readScalars(backend, [ops.trace(m), ops.sum(found.values, [0])])),
    TE.chain(({ found, sums: [trace, kept] }) => {
      const left = n - found.values.shape[0];
      const rho = left === 0 ? 0 : Math.max(0, (trace - kept) / left);
      return calculate(() => ({ U: found.vectors, D: above(ops, found.values, rho), rho }));
    }),
  );
};

/** (U diag(D) Uᵀ + c I)⁻¹. */
const woodbury = <T extends Shaped>(ops: Ops<T>, { U, D }: Approximation<T>, c: number): LowRankFactor<T> => {
  const [r] = D.shape;
  const taken = ops.div(D, ops.scale(c, ops.add(D, ops.full([], c))));
  const identity = ops.addDiagonal(ops.full([r, r], 0), 1);
  return { U, core: ops.mul(identity, ops.neg(taken)), shift: 1 / c };
};

const invertKronecker = <T extends Shaped>(
  backend: Backend<T>,
  name: string,
  factors: FactorParts<T>,
  lambda: number,
  options: RangeOptions,
): TE.TaskEither<KfacError, BlockOperator<T>> => {
  const approximateAll = (parts: ReadonlyArray<T>) =>
    pipe(
      parts,
      TE.traverseArray((m) => approximate(backend, m, options)),
    );
  return pipe(
    TE.Do,
    TE.apS('As', approximateAll(factors.As)),
    TE.apS('Gs', approximateAll(factors.Gs)),
    TE.apS('means', meanEigenvaluesOfParts(backend, factors)),
    TE.chain(({ As, Gs, means }) => {
      const { ofA, ofG } = factoredTikhonov(lambda, means.ofA, means.ofG);
      const shifted = (parts: ReadonlyArray<Approximation<T>>, added: number) =>
        parts.map((part) => ({ part, c: part.rho + added }));
      const [ofAs, ofGs] = [shifted(As, ofA), shifted(Gs, ofG)];
      const inverses = (parts: typeof ofAs) => parts.map(({ part, c }) => woodbury(backend.ops, part, c));
      return [...ofAs, ...ofGs].every(({ c }) => c > 0)
        ? calculate(() => partitionedLowRankKronecker(inverses(ofAs), inverses(ofGs)))
        : TE.left({ _tag: 'NotPositiveDefinite', where: name, order: 1, damping: lambda });
    }),
  );
};

/** shift I + U core Uᵀ, formed. */
const formed = <T extends Shaped>(ops: Ops<T>, { U, core, shift }: LowRankFactor<T>): T =>
  ops.addDiagonal(ops.matmul(ops.matmul(U, core), U, { transposeB: true }), shift);

/** An embedding's G is small beside its table, so the inverse of its low-rank approximation is formed. */
const invertDiagonalKronecker = <T extends Shaped>(
  backend: Backend<T>,
  name: string,
  block: DiagonalKronecker<T>,
  lambda: number,
  options: RangeOptions,
): TE.TaskEither<KfacError, BlockOperator<T>> =>
  pipe(
    dampDiagonalKronecker(backend, block, lambda),
    TE.chain(({ inverseA, ofG }) =>
      pipe(
        block.Gs,
        TE.traverseArray((G) =>
          pipe(
            approximate(backend, G, options),
            TE.chain((found): TE.TaskEither<KfacError, T> => {
              const c = found.rho + ofG;
              return c > 0
                ? calculate(() => formed(backend.ops, woodbury(backend.ops, found, c)))
                : TE.left({ _tag: 'NotPositiveDefinite', where: name, order: 1, damping: lambda });
            }),
          ),
        ),
        TE.map((Gs) => diagonalKronecker(inverseA, Gs)),
      ),
    ),
  );

/** (F̃ + λ I)⁻¹ = 1/c I − U diag(D / (c (D + c))) Uᵀ with c = ρ + λ. */
const invertMatrix = <T extends Shaped>(
  backend: Backend<T>,
  matrix: T,
  lambda: number,
  options: RangeOptions,
): TE.TaskEither<KfacError, BlockOperator<T>> =>
  pipe(
    approximate(backend, matrix, options),
    TE.chain(({ U, D, rho }) =>
      calculate(() => {
        const { ops } = backend;
        const c = rho + lambda;
        const taken = ops.div(D, ops.scale(c, ops.add(D, ops.full([], c))));
        return lowRankPlusDiagonal(U, ops.neg(taken), 1 / c);
      }),
    ),
  );

const refuse = (options: RangeOptions): KfacError | null => {
  const bad = Object.entries({ rank: 1, oversampling: 0, powerIterations: 0 } as const)
    .map(([name, least]) => ({ name, least, value: { oversampling: 10, powerIterations: 1, ...options }[name] }))
    .find(({ value, least }) => !(Number.isInteger(value) && Number(value) >= least));
  return bad === undefined
    ? null
    : {
        _tag: 'BadConfig',
        path: `lowRankInverse.${bad.name}`,
        expected: `a whole number of at least ${bad.least}`,
        actual: String(bad.value),
      };
};

/**
 * (⊕ (Ã + π√λ I) ⊗ (G̃ + π⁻¹√λ I))⁻¹ with factors of low rank, as an operator.
 *
 * @param options - rank, oversampling, power iterations
 */
export const invertLowRank =
  (options: RangeOptions) =>
  <T extends Shaped>(
    backend: Backend<T>,
    operator: LinearOperator<T>,
    lambda: number,
  ): TE.TaskEither<KfacError, LinearOperator<T>> => {
    const refused = refuse(options);
    if (refused !== null) return TE.left(refused);
    return pipe(
      eachBlock('lowRankInverse', operator, (name, block) => {
        switch (block._tag) {
          case 'kronecker':
          case 'partitionedKronecker':
            return invertKronecker(backend, name, partsOf(block), lambda, options);
          case 'diagonalKronecker':
            return invertDiagonalKronecker(backend, name, block, lambda, options);
          case 'dense':
            return invertMatrix(backend, block.matrix, lambda, options);
          case 'diagonal':
            return calculate(() => invertDiagonal(backend.ops, block.values, lambda));
          default:
            return TE.left(
              unsupported(
                'lowRankInverse',
                name,
                'blocks of kind kronecker, partitionedKronecker, diagonalKronecker, dense or diagonal',
                block._tag,
              ),
            );
        }
      }),
      TE.map((blocks) => blockDiagonal(blocks)),
    );
  };

/**
 * K-FAC with low-rank factors.
 *
 * @param options - refresh period, rank, oversampling, power iterations
 */
export const lowRankInverse = (options: RefreshOptions & RangeOptions): Solver<SolveNeeds> =>
  refreshing('lowRankInverse', invertLowRank(options), options);
