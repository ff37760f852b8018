/**
 * Block vectors as the vector space that iterative solvers work in.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import { leavesOf, mapParams } from '../../core/params.ts';
import { readScalars } from '../../core/pipeline/read.ts';
import type { ReadonlyVector, Shaped } from '../../core/tensor.ts';

/** a x + b y. */
export const combine = <T extends Shaped>(ops: Ops<T>, a: number, x: Params<T>, b: number, y: Params<T>): Params<T> =>
  mapParams(x, (leaf, name) => ops.linearCombination(a, leaf, b, y[name]));

/** c x. */
export const times = <T extends Shaped>(ops: Ops<T>, c: number, x: Params<T>): Params<T> =>
  mapParams(x, (leaf) => ops.scale(c, leaf));

/** x in arrays of its own. */
export const copyOf = <T extends Shaped>(ops: Ops<T>, x: Params<T>): Params<T> => times(ops, 1, x);

/** 0 in the shapes of x. */
export const zerosLike = <T extends Shaped>(ops: Ops<T>, x: Params<T>): Params<T> =>
  mapParams(x, (leaf) => ops.full(leaf.shape, 0));

/** Σ c_i x_i of at least one vector. */
export const weightedSum = <T extends Shaped>(
  ops: Ops<T>,
  weights: ReadonlyArray<number>,
  xs: ReadonlyArray<Params<T>>,
): Params<T> =>
  xs.slice(1).reduce((sum, x, i) => combine(ops, 1, sum, weights[i + 1], x), times(ops, weights[0], xs[0]));

/** The arrays of several vectors. */
export const arraysIn = <T>(vectors: ReadonlyArray<Params<T>>): ReadonlyArray<T> => vectors.flatMap(leavesOf);

/** A computation with arrays as an effect; what it raises becomes a `Left`. */
export const computing = <A>(run: () => A): TE.TaskEither<KfacError, A> => TE.fromIOEither(() => attempt(run));

/**
 * Several scalars in one read, all finite.
 *
 * @param backend - where they are
 * @param where - the solver, for the error
 * @param scalars - arrays of shape `[]`, at least one
 */
export const readFinite = <T extends Shaped>(
  backend: Backend<T>,
  where: string,
  scalars: ReadonlyArray<T>,
): TE.TaskEither<KfacError, ReadonlyVector> =>
  pipe(
    readScalars(backend, scalars),
    TE.chainEitherK((values): E.Either<KfacError, ReadonlyVector> =>
      Array.from(values).every((value) => Number.isFinite(value))
        ? E.right(values)
        : E.left({
            _tag: 'NonFinite',
            where,
            what: 'an inner product of an iteration',
            advice: 'Check the operator and the right-hand side, or raise the damping.',
          }),
    ),
  );
