/**
 * Applying an operator on a backend: all that `apply` does, and triangular solves where factors are kept as Cholesky
 * factors.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as R from 'fp-ts/lib/Record.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../backends/backend.ts';
import type { KfacError } from '../errors.ts';
import { attempt } from '../errors.ts';
import type { Params } from '../params.ts';
import type { Shaped } from '../tensor.ts';
import { apply, applyBlock } from './apply.ts';
import type { BlockOperator } from './blockOperator.ts';
import type { Factor } from './factors/factor.ts';
import { orderOf, partsOf } from './factors/factor.ts';
import { rowsIn } from './factors/parts.ts';
import { factorTimes, timesFactor } from './factors/products.ts';
import type { LinearOperator } from './linearOperator.ts';
import { unvec, vec } from './vec.ts';

const now = <A>(run: () => A): TE.TaskEither<KfacError, A> => TE.fromIOEither(() => attempt(run));

/** Whether a factor acts by triangular solves, itself or in a part. */
const solves = <T>(factor: Factor<T>): boolean =>
  factor._tag === 'cholesky' || (factor._tag === 'directSum' && factor.parts.some((part) => solves(part)));

/** Whether anything in a block acts by triangular solves. */
const blockSolves = <T>(op: BlockOperator<T>): boolean => {
  switch (op._tag) {
    case 'kronecker':
      return solves(op.A) || solves(op.G);
    case 'cholesky':
    case 'directSum':
      return solves(op);
    default:
      return false;
  }
};

/** F V. */
const factorTimesOn = <T extends Shaped>(backend: Backend<T>, factor: Factor<T>, v: T): TE.TaskEither<KfacError, T> => {
  const { ops, linearAlgebra } = backend;
  if (factor._tag === 'cholesky') return linearAlgebra.choleskySolve(factor.L, v);
  if (!solves(factor)) return now(() => factorTimes(ops, factor, v));
  const parts = partsOf(factor);
  return pipe(
    now(() => rowsIn(ops, parts.map(orderOf), v)),
    TE.chain(TE.traverseArrayWithIndex((i, rows) => factorTimesOn(backend, parts[i], rows))),
    TE.chain((images) => now(() => ops.concat(images, 0))),
  );
};

/** V Fᵀ. Factors that act by solves are symmetric. */
const timesFactorOn = <T extends Shaped>(backend: Backend<T>, v: T, factor: Factor<T>): TE.TaskEither<KfacError, T> => {
  const { ops } = backend;
  if (!solves(factor)) return now(() => timesFactor(ops, v, factor, true));
  return pipe(
    now(() => ops.transposed(v)),
    TE.chain((columns) => factorTimesOn(backend, factor, columns)),
    TE.chain((image) => now(() => ops.transposed(image))),
  );
};

const applyBlockOn = <T extends Shaped>(
  backend: Backend<T>,
  op: BlockOperator<T>,
  v: T,
): TE.TaskEither<KfacError, T> => {
  const { ops } = backend;
  switch (op._tag) {
    case 'kronecker':
      return pipe(
        factorTimesOn(backend, op.G, v),
        TE.chain((rows) => timesFactorOn(backend, rows, op.A)),
      );
    case 'cholesky':
    case 'directSum':
      return pipe(
        now(() => vec(ops, v)),
        TE.chain((column) => factorTimesOn(backend, op, column)),
        TE.chain((column) => now(() => unvec(ops, column, v.shape))),
      );
    default:
      return now(() => applyBlock(ops, op, v));
  }
};

/**
 * op v on a block vector. Cholesky factors act where they are the factors of a block; inside operators that are made of
 * operators they are refused.
 *
 * @param backend - where to compute
 * @param op - operator
 * @param v - arrays by block; blocks that the operator does not have are dropped
 */
export const applyOn = <T extends Shaped>(
  backend: Backend<T>,
  op: LinearOperator<T>,
  v: Params<T>,
): TE.TaskEither<KfacError, Params<T>> =>
  op._tag === 'blockDiagonal' && Object.values(op.blocks).some(blockSolves)
    ? pipe(
        op.blocks,
        R.traverseWithIndex(TE.ApplicativePar)((name, block) => applyBlockOn(backend, block, v[name])),
      )
    : now(() => apply(backend.ops, op, v));
