/**
 * Factorisations of the host interpreter: shapes are checked here, numbers are a backend's.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../errors.ts';
import { attempt, raise } from '../../errors.ts';
import { mapped } from '../../tasks.ts';
import type { ReadonlyVector, Shape, Tensor } from '../../tensor.ts';
import { showShape } from '../../tensor.ts';
import type { LinearAlgebra } from '../backend.ts';

import type { Floats } from './host.ts';
import type { Precision } from './kernels/precision.ts';
import { floatsOf, floatTensor, worthACopy } from './host.ts';

/**
 * Factorisations on dense row-major arrays of one precision. Each has read its arguments by the time its task has
 * started, so that a scope may end while it runs. Where a copy of an argument becomes the result, `copy` makes it, in memory that
 * belongs to no scope.
 */
export interface Factorisations {
  readonly cholesky: (
    n: number,
    m: ReadonlyVector,
    copy: Precision['copy'],
  ) => TE.TaskEither<KfacError, ReadonlyVector>;
  readonly choleskySolve: (
    n: number,
    columns: number,
    l: ReadonlyVector,
    b: ReadonlyVector,
  ) => TE.TaskEither<KfacError, ReadonlyVector>;
  readonly inverse: (n: number, m: ReadonlyVector, copy: Precision['copy']) => TE.TaskEither<KfacError, ReadonlyVector>;
  readonly solve: (
    n: number,
    columns: number,
    m: ReadonlyVector,
    b: ReadonlyVector,
  ) => TE.TaskEither<KfacError, ReadonlyVector>;
  readonly eigh: (
    n: number,
    m: ReadonlyVector,
  ) => TE.TaskEither<KfacError, { readonly values: ReadonlyVector; readonly vectors: ReadonlyVector }>;
}

const orderOf = (where: string, m: Shape): number =>
  m.length === 2 && m[0] === m[1]
    ? m[0]
    : raise({ _tag: 'ShapeMismatch', where, expected: 'a square matrix', actual: showShape(m) });

/** Columns of the right-hand sides that go with a matrix of order n. */
const columnsOf = (where: string, n: number, b: Shape): number =>
  b.length === 2 && b[0] === n
    ? b[1]
    : raise({ _tag: 'ShapeMismatch', where, expected: `right-hand sides [${n}, columns]`, actual: showShape(b) });

/** A task whose making may raise. It is made when it starts, and starts without delay. */
const task =
  <A>(make: () => TE.TaskEither<KfacError, A>): TE.TaskEither<KfacError, A> =>
  () =>
    pipe(
      attempt(() => make()()),
      E.getOrElse((error): Promise<E.Either<KfacError, A>> => Promise.resolve(E.left(error))),
    );

/**
 * Factorisations on tensors.
 *
 * @param host - the interpreter
 * @param factorisations - on arrays of its precision
 * @param copy - copies an array into memory that belongs to no scope; into memory of its own unless given
 * @param isInside - whether kernels find an array where they work on it in place; all unless given
 */
export const linearAlgebraOf = (
  host: Floats,
  factorisations: Factorisations,
  copy: Precision['copy'] = host.precision.copy,
  isInside: (data: ReadonlyVector) => boolean = () => true,
): LinearAlgebra<Tensor> => {
  /** Factorisations that know nothing of the memory leave results elsewhere, where kernels and products would copy them every time. */
  const within = (data: ReadonlyVector): ReadonlyVector =>
    data.length < worthACopy || isInside(data) ? data : copy(data, data.length);
  const asTensor = (shape: Shape) => (data: ReadonlyVector) => floatTensor(host, shape, within(data));
  return {
    cholesky: (m) =>
      task(() => {
        const n = orderOf('cholesky', m.shape);
        return pipe(factorisations.cholesky(n, floatsOf(host, m), copy), mapped(asTensor(m.shape)));
      }),
    choleskySolve: (l, b) =>
      task(() => {
        const n = orderOf('choleskySolve', l.shape);
        const columns = columnsOf('choleskySolve', n, b.shape);
        const solution = factorisations.choleskySolve(n, columns, floatsOf(host, l), floatsOf(host, b));
        return pipe(solution, mapped(asTensor(b.shape)));
      }),
    inverse: (m) =>
      task(() => {
        const n = orderOf('inverse', m.shape);
        return pipe(factorisations.inverse(n, floatsOf(host, m), copy), mapped(asTensor(m.shape)));
      }),
    solve: (m, b) =>
      task(() => {
        const n = orderOf('solve', m.shape);
        const columns = columnsOf('solve', n, b.shape);
        const solution = factorisations.solve(n, columns, floatsOf(host, m), floatsOf(host, b));
        return pipe(solution, mapped(asTensor(b.shape)));
      }),
    eigh: (m) =>
      task(() => {
        const n = orderOf('eigh', m.shape);
        return pipe(
          factorisations.eigh(n, floatsOf(host, m)),
          mapped(({ values, vectors }) => ({
            values: asTensor([n])(values),
            vectors: asTensor([n, n])(vectors),
          })),
        );
      }),
  };
};
