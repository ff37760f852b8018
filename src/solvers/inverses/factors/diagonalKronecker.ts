/**
 * Damping and inverting diag(a) ⊗ (⊕ G_j), the block of an embedding: a is inverted element by element, and no matrix of
 * the order of the vocabulary is formed.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../../core/backends/backend.ts';
import type { KfacError } from '../../../core/errors.ts';
import type { DiagonalKronecker } from '../../../core/operators/blockOperator.ts';
import { readScalars } from '../../../core/pipeline/read.ts';
import type { Shaped } from '../../../core/tensor.ts';
import { calculate, dampedReciprocal } from './blockwise.ts';
import { factoredTikhonov } from './factoredTikhonov.ts';

/** What is added to a and to the diagonals of the G_j, and the first of the two inverses. */
export interface DampedDiagonalKronecker<T> {
  /** (a + π√λ)⁻¹, `[in]`. */
  readonly inverseA: T;
  /** π⁻¹√λ. */
  readonly ofG: number;
}

/**
 * Factored Tikhonov damping with π² = (Σ a / dim a) / (Σ tr G_j / Σ dim G_j) [MG15 §6.3].
 *
 * @param backend - where to compute
 * @param block - diag(a) ⊗ (⊕ G_j)
 * @param lambda - λ, greater than 0
 */
export const dampDiagonalKronecker = <T extends Shaped>(
  backend: Backend<T>,
  { a, Gs }: DiagonalKronecker<T>,
  lambda: number,
): TE.TaskEither<KfacError, DampedDiagonalKronecker<T>> => {
  const { ops } = backend;
  const order = Gs.reduce((sum, G) => sum + G.shape[0], 0);
  return pipe(
    calculate(() => [ops.sum(a, [0]), Gs.map((G) => ops.trace(G)).reduce((x, y) => ops.add(x, y))]),
    TE.chain((sums) => readScalars(backend, sums)),
    TE.chain(([sumA, traceG]) =>
      calculate(() => {
        const { ofA, ofG } = factoredTikhonov(lambda, sumA / a.shape[0], traceG / order);
        return { inverseA: dampedReciprocal(ops, a, ofA), ofG };
      }),
    ),
  );
};
