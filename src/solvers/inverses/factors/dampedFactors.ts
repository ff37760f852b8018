/**
 * Kronecker factors with their damping on the diagonal.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../../core/backends/backend.ts';
import type { KfacError } from '../../../core/errors.ts';
import type { Kronecker, Product } from '../../../core/operators/blockOperator.ts';
import { kroneckerOf } from '../../../core/operators/blockOperator.ts';
import { orderOf } from '../../../core/operators/factors/factor.ts';
import { traceOf } from '../../../core/operators/factors/measures.ts';
import type { Ops } from '../../../core/ops/ops.ts';
import { readScalars } from '../../../core/pipeline/read.ts';
import { chained, mapped } from '../../../core/tasks.ts';
import type { Shaped } from '../../../core/tensor.ts';
import { calculate } from '../../../core/pipeline/compute.ts';
import { factoredTikhonov } from './factoredTikhonov.ts';
import { inBlock } from './escalation.ts';

/** tr M / dim M. */
export interface MeanEigenvalues {
  readonly ofA: number;
  readonly ofG: number;
}

/**
 * tr A / dim A and tr G / dim G of several products with factors of any kind, in one read.
 *
 * @param backend - where they are
 * @param products - at least one
 */
export const meanEigenvalues = <T extends Shaped>(
  backend: Backend<T>,
  products: ReadonlyArray<Pick<Kronecker<T>, 'A' | 'G'>>,
): TE.TaskEither<KfacError, ReadonlyArray<MeanEigenvalues>> =>
  pipe(
    calculate(() => products.flatMap(({ A, G }) => [traceOf(backend.ops, A), traceOf(backend.ops, G)])),
    chained((traces) => readScalars(backend, traces)),
    mapped((traces) =>
      products.map(({ A, G }, i) => ({ ofA: traces[2 * i] / orderOf(A), ofG: traces[2 * i + 1] / orderOf(G) })),
    ),
  );

/**
 * A + π√λ I and G + π⁻¹√λ I [MG15 §6.3].
 *
 * @param ops - interpreter
 * @param factors - A and G
 * @param means - their mean eigenvalues
 * @param lambda - λ, at least 0
 */
export const dampedBy = <T extends Shaped>(
  ops: Ops<T>,
  { A, G }: Product<T>,
  means: MeanEigenvalues,
  lambda: number,
): Product<T> => {
  const { ofA, ofG } = factoredTikhonov(lambda, means.ofA, means.ofG);
  return { A: ops.addDiagonal(A, ofA), G: ops.addDiagonal(G, ofG) };
};

/**
 * Several products, each damped by λ.
 *
 * @param backend - where to compute
 * @param products - at least one
 * @param lambda - λ, at least 0
 */
export const dampedFactors = <T extends Shaped>(
  backend: Backend<T>,
  products: ReadonlyArray<Product<T>>,
  lambda: number,
): TE.TaskEither<KfacError, ReadonlyArray<Product<T>>> =>
  pipe(
    meanEigenvalues(
      backend,
      products.map(({ A, G }) => kroneckerOf(A, G)),
    ),
    chained((means) => calculate(() => products.map((each, i) => dampedBy(backend.ops, each, means[i], lambda)))),
  );

/**
 * A⁻¹ and G⁻¹.
 *
 * @param backend - where to factorise
 * @param name - the block, for the error
 * @param factors - symmetric positive definite
 */
export const inverseFactors = <T extends Shaped>(
  { linearAlgebra }: Backend<T>,
  name: string,
  factors: Product<T>,
): TE.TaskEither<KfacError, Product<T>> =>
  pipe(
    TE.Do,
    TE.apS('A', linearAlgebra.inverse(factors.A)),
    TE.apS('G', linearAlgebra.inverse(factors.G)),
    TE.mapLeft(inBlock(name)),
  );
