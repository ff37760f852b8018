/**
 * The inverse for small models: each block as a full matrix, (block + λ I)⁻¹ by Cholesky factorisation.
 *
 * It takes every kind of block, forming those that are not full already, so it is also the oracle of the other inverses.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { BlockOperator } from '../../core/operators/blockOperator.ts';
import { shapeOf } from '../../core/operators/blockOperator.ts';
import { dense } from '../../core/operators/factors/factor.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import { materialise } from '../../core/operators/materialise.ts';
import type { Shaped } from '../../core/tensor.ts';
import { mapParams } from '../../core/params.ts';
import { sizeOf } from '../../core/tensor.ts';
import type { Preconditioner } from '../solver/inverse.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import { unsupported } from '../solver/unsupported.ts';
import { eachBlock, invertDiagonal } from './factors/blockwise.ts';
import type { Escalated } from './factors/escalation.ts';
import { escalating, inBlock, raisedMetrics } from './factors/escalation.ts';

const name = 'denseInverse';

/** Settings of {@link denseInverse}. */
export interface DenseInverseOptions {
  /** Most elements in a block, 4096 unless given; more is an error that names the block and the bytes. */
  readonly limit?: number;
}

const tooLarge = (at: string, n: number, limit: number, dtype: 'f32' | 'f64'): KfacError =>
  unsupported(
    name,
    at,
    `at most ${limit} elements in a block`,
    `${n} elements, which take ${(dtype === 'f32' ? 4 : 8) * n * n} bytes as a matrix`,
  );

const invertBlock = <T extends Shaped>(
  backend: Backend<T>,
  at: string,
  block: BlockOperator<T>,
  lambda: number,
  limit: number,
): TE.TaskEither<KfacError, Escalated<BlockOperator<T>>> => {
  const { ops, linearAlgebra, dtype } = backend;
  if (block._tag === 'diagonal') {
    return calculate(() => ({ found: invertDiagonal(ops, block.values, lambda), lambda }));
  }
  const n = sizeOf(shapeOf(block));
  if (n > limit) return TE.left(tooLarge(at, n, limit, dtype));
  return pipe(
    calculate(() => (block._tag === 'dense' ? block.matrix : materialise(ops, block, shapeOf(block)))),
    TE.chain((matrix) =>
      escalating(lambda, (raised) =>
        pipe(
          calculate(() => ops.addDiagonal(matrix, raised)),
          TE.chain((damped) => linearAlgebra.inverse(damped)),
          TE.bimap(inBlock(at), (inverse) => dense(inverse)),
        ),
      ),
    ),
  );
};

/**
 * (⊕ block + λ I)⁻¹, exactly, of block-diagonal curvature with symmetric blocks of any kind. λ of a block that is not
 * positive definite rises by 10, at most 6 times, which is reported; then the error names the block.
 *
 * @param options - largest block
 *
 * @example
 * ```ts
 * import { apply, blockDiagonal, denseOperator, referenceBackend, tensor } from 'kfac-ts/core';
 * import { denseInverse } from 'kfac-ts/solvers';
 *
 * const backend = referenceBackend();
 * const curvature = blockDiagonal({ b: denseOperator(tensor([3, 0, 0, 15], [2, 2])) });
 * const made = await denseInverse().prepare(backend, curvature, 1, null)();
 * made._tag === 'Right' ? Array.from(apply(backend.ops, made.right.operator, { b: tensor([8, 8], [2]) })['b'].data) : []; // => [2, 0.5]
 * ```
 */
export const denseInverse = ({ limit = 4096 }: DenseInverseOptions = {}): Preconditioner => ({
  name,
  prepare: (backend, curvature, lambda) =>
    pipe(
      eachBlock(name, curvature, (at, block) => invertBlock(backend, at, block, lambda, limit)),
      TE.map((blocks) => ({
        operator: blockDiagonal(mapParams(blocks, ({ found }) => found)),
        metrics: raisedMetrics(lambda, blocks),
      })),
    ),
});
