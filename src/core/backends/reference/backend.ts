/**
 * The reference backend: plain loops in f64, slow and obviously correct. Every other interpreter is tested against it.
 *
 * It shares nothing with them but the rules of shapes.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../errors.ts';
import { attempt } from '../../errors.ts';
import { completeOps } from '../../ops/complete.ts';
import type { Tensor } from '../../tensor.ts';
import { tensor } from '../../tensor.ts';
import type { Backend } from '../backend.ts';
import { cholesky, choleskySolve, eigh, inverse, solve } from './factorisations.ts';
import { referencePrimitives } from './primitives.ts';

/** A factorisation as a task; a matrix of the wrong shape is a `Left` like any other failure. */
const task = <A>(compute: () => E.Either<KfacError, A>): TE.TaskEither<KfacError, A> =>
  TE.fromIOEither(() => pipe(attempt(compute), E.flatten));

/**
 * The reference interpreter as a backend. It holds nothing, so scopes and disposal have nothing to do.
 *
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * ops.softmax(tensor([0, 0], [2])).data; // => [0.5, 0.5]
 * ```
 */
export const referenceBackend = (): Backend<Tensor> => {
  const backend: Backend<Tensor> = {
    name: 'reference',
    dtype: 'f64',
    ops: completeOps(referencePrimitives),
    linearAlgebra: {
      cholesky: (m) => task(() => cholesky(m)),
      choleskySolve: (l, b) => task(() => E.right(choleskySolve(l, b))),
      inverse: (m) => task(() => inverse(m)),
      solve: (m, b) => task(() => solve(m, b)),
      eigh: (m) => task(() => eigh(m)),
    },
    read: (x) => TE.fromIO(() => tensor(x.data, x.shape, x.dtype)),
    scope: () => ({ backend, close: () => undefined }),
    report: () => ({
      backend: 'reference',
      library: 'plain loops in f64',
      threads: 1,
      factorisations: 'portable',
      warnings: [],
    }),
    dispose: TE.right(undefined),
  };
  return backend;
};
