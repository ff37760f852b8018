/**
 * What inverses of block-diagonal curvature share: going over the blocks, and the words for a block they cannot take.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as R from 'fp-ts/lib/Record.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../../core/errors.ts';
import type { BlockOperator } from '../../../core/operators/blockOperator.ts';
import type { LinearOperator } from '../../../core/operators/linearOperator.ts';
import type { Diagonal } from '../../../core/operators/factors/factor.ts';
import { diagonal } from '../../../core/operators/factors/factor.ts';
import type { Ops } from '../../../core/ops/ops.ts';
import type { Shaped } from '../../../core/tensor.ts';
import { unsupported } from '../../solver/unsupported.ts';

/** Blocks that solvers by factors take, in words. */
export const byFactors = 'blocks of kind kronecker, dense or diagonal';

/**
 * Runs over the blocks of a block-diagonal operator; any other operator is an error.
 *
 * @param solver - who asks, for the error
 * @param operator - curvature
 * @param run - from a block's name and operator
 * @returns results by block
 *
 * @example
 * ```ts
 * import * as TE from 'fp-ts/lib/TaskEither.js';
 * import { blockDiagonal, diagonal, tensor } from 'kfac-ts/core';
 * import { eachBlock } from 'kfac-ts/solvers';
 *
 * const curvature = blockDiagonal({ gain: diagonal(tensor([1, 3], [2])) });
 * const kinds = await eachBlock('mine', curvature, (name, block) => TE.right(`${name}: ${block._tag}`))();
 * kinds; // => { _tag: 'Right', right: { gain: 'gain: diagonal' } }
 * ```
 */
export const eachBlock = <T, A>(
  solver: string,
  operator: LinearOperator<T>,
  run: (name: string, block: BlockOperator<T>) => TE.TaskEither<KfacError, A>,
): TE.TaskEither<KfacError, Readonly<Record<string, A>>> =>
  operator._tag === 'blockDiagonal'
    ? pipe(operator.blocks, R.traverseWithIndex(TE.ApplicativePar)(run))
    : TE.left(unsupported(solver, 'operator', 'a block-diagonal operator', operator._tag));

/**
 * 1 / (x + λ), element by element.
 *
 * @param ops - interpreter
 * @param values - x, at least 0
 * @param lambda - λ
 */
export const dampedReciprocal = <T extends Shaped>(ops: Ops<T>, values: T, lambda: number): T =>
  ops.div(ops.full([], 1), ops.add(values, ops.full([], lambda)));

/**
 * (diag(values) + λ I)⁻¹.
 *
 * @param ops - interpreter
 * @param values - the diagonal
 * @param lambda - λ
 *
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { invertDiagonal } from 'kfac-ts/solvers';
 *
 * invertDiagonal(referenceBackend().ops, tensor([1, 3], [2]), 1).values.data; // => [0.5, 0.25]
 * ```
 */
export const invertDiagonal = <T extends Shaped>(ops: Ops<T>, values: T, lambda: number): Diagonal<T> =>
  diagonal(dampedReciprocal(ops, values, lambda));
