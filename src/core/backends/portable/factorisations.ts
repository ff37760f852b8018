/**
 * Factorisations of single-precision matrices in portable code, computed in 64 bits: single precision loses too much of
 * an ill-conditioned factor's inverse.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../errors.ts';
import { cholesky, choleskySolve, inverse } from './cholesky.ts';
import { eigh } from './eigh.ts';
import { solve } from './lu.ts';
import type { ReadonlyVector } from '../../tensor.ts';
import type { Factorisations } from '../host/linearAlgebra.ts';

const rounded = (values: ReadonlyVector): ReadonlyVector => Float32Array.from(values);

const task = <A, B>(compute: () => E.Either<KfacError, A>, round: (result: A) => B): TE.TaskEither<KfacError, B> =>
  TE.fromIOEither(() => pipe(compute(), E.map(round)));

/** Factorisations that every machine has. */
export const portableFactorisations: Factorisations = {
  cholesky: (n, m) => task(() => cholesky(n, m), rounded),
  choleskySolve: (n, columns, l, b) => task(() => E.right(choleskySolve(n, columns, l, b)), rounded),
  inverse: (n, m) => task(() => inverse(n, m), rounded),
  solve: (n, columns, m, b) => task(() => solve(n, columns, m, b), rounded),
  eigh: (n, m) =>
    task(
      () => eigh(n, m),
      ({ values, vectors }) => ({ values: rounded(values), vectors: rounded(vectors) }),
    ),
};
