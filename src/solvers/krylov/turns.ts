/**
 * The loop of the iterative solvers: one scope for each turn, so that memory does not grow with the iterations.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import { iterate } from '../../core/iterate.ts';
import type { Shaped } from '../../core/tensor.ts';

/** State of an iteration: when `ending` is not `null` it is over. */
export interface Turning<Tag extends string> {
  readonly ending: Tag | null;
}

const without = <T>(arrays: ReadonlyArray<T>, kept: ReadonlyArray<T>): ReadonlyArray<T> => {
  const stay = new Set(kept);
  return [...new Set(arrays)].filter((array) => !stay.has(array));
};

/**
 * Takes turns until one ends the iteration. Each turn computes in a scope; the arrays of its state stay, those of the
 * state before go back. At the end only the arrays of the result are left.
 *
 * @param backend - where to compute
 * @param initial - first state, in arrays that nobody else holds
 * @param arraysOf - the arrays of a state
 * @param resultArrays - those that outlive the iteration
 * @param turn - the next state
 */
export const takeTurns = <T extends Shaped, Tag extends string, S extends Turning<Tag>>(
  backend: Backend<T>,
  initial: S,
  arraysOf: (state: S) => ReadonlyArray<T>,
  resultArrays: (state: S) => ReadonlyArray<T>,
  turn: (scoped: Backend<T>, state: S) => TE.TaskEither<KfacError, S>,
): TE.TaskEither<KfacError, S> => {
  const step =
    (current: S): TE.TaskEither<KfacError, E.Either<S, S>> =>
    async () => {
      const scope = backend.scope();
      const held = arraysOf(current);
      if (current.ending !== null) {
        scope.close([], without(held, resultArrays(current)));
        return E.right(E.right(current));
      }
      const outcome = await turn(scope.backend, current)();
      if (E.isLeft(outcome)) {
        scope.close([], without(held, []));
        return outcome;
      }
      const next = arraysOf(outcome.right);
      scope.close(without(next, held), without(held, next));
      return E.right(E.left(outcome.right));
    };
  return iterate<KfacError, S, S>(initial, step);
};
