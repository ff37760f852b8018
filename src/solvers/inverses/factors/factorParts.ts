/**
 * The factors of Kronecker-factored blocks as lists of parts: a whole factor is its only part, so what is written for
 * partitioned blocks serves both.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../../core/backends/backend.ts';
import type { KfacError } from '../../../core/errors.ts';
import type { Kronecker, PartitionedKronecker } from '../../../core/operators/blockOperator.ts';
import { calculate } from '../../../core/pipeline/compute.ts';
import { readScalars } from '../../../core/pipeline/read.ts';
import type { Shaped } from '../../../core/tensor.ts';
import type { MeanEigenvalues } from './dampedFactors.ts';

/** Parts of A and of G. */
export interface FactorParts<T> {
  readonly As: ReadonlyArray<T>;
  readonly Gs: ReadonlyArray<T>;
}

/**
 * The parts of a block's factors.
 *
 * @param block - whole or partitioned
 */
export const partsOf = <T>(block: Kronecker<T> | PartitionedKronecker<T>): FactorParts<T> =>
  block._tag === 'kronecker' ? { As: [block.A], Gs: [block.G] } : block;

/**
 * tr A / dim A and tr G / dim G over all parts, in one read.
 *
 * @param backend - where they are
 * @param factors - at least one part each
 */
export const meanEigenvaluesOfParts = <T extends Shaped>(
  backend: Backend<T>,
  factors: FactorParts<T>,
): TE.TaskEither<KfacError, MeanEigenvalues> => {
  const { ops } = backend;
  const trace = (parts: ReadonlyArray<T>): T => parts.map((m) => ops.trace(m)).reduce((x, y) => ops.add(x, y));
  const order = (parts: ReadonlyArray<T>): number => parts.reduce((sum, m) => sum + m.shape[0], 0);
  return pipe(
    calculate(() => [trace(factors.As), trace(factors.Gs)]),
    TE.chain((traces) => readScalars(backend, traces)),
    TE.map(([a, g]) => ({ ofA: a / order(factors.As), ofG: g / order(factors.Gs) })),
  );
};
