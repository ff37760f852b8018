/**
 * Work that runs beside the steps: begun in one, its outcome wanted some steps later.
 *
 * The state of a run holds what the work is made from, never the work itself; a `Background` only knows which of it has
 * begun already. Without one, or after a run was resumed, the same outcome is computed when it is wanted, so a background
 * saves time and changes nothing.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type { Task } from 'fp-ts/lib/Task.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend, Scope } from '../backends/backend.ts';
import type { KfacError } from '../errors.ts';
import type { Shaped } from '../tensor.ts';
import { arraysIn } from './arraysIn.ts';
import type { Prepared } from './prepared.ts';

/** Work on a backend. Its arguments must stay as they are until it is finished. */
export type Work<T extends Shaped> = (backend: Backend<T>) => TE.TaskEither<KfacError, Prepared<T>>;

/** Begins work, and finishes it. Work is known by the value that describes it, compared by identity. */
export interface Background<T extends Shaped> {
  /** Begins the work that a value describes. */
  readonly begin: (description: object, work: Work<T>) => void;
  /** The outcome; work that was not begun here is done at once. */
  readonly finish: (description: object, work: Work<T>) => TE.TaskEither<KfacError, Prepared<T>>;
  /** Arrays of the outcomes since the last call: the scope of the step takes them over, since no other owns them. */
  readonly takeOver: () => ReadonlyArray<T>;
  /** Waits for work that nobody wants any more and lets go of its outcome; does nothing when it was not begun here. */
  readonly abandon: (description: object) => Task<void>;
  /** Waits for all work that is under way and lets go of its outcomes: at the end of a run, and where a step fails. */
  readonly settle: Task<void>;
}

interface Running<T extends Shaped> {
  readonly scope: Scope<T>;
  readonly outcome: Promise<E.Either<KfacError, Prepared<T>>>;
}

/**
 * A background on a backend: factorisations go on wherever the backend runs them, on worker threads if it has some.
 *
 * @param backend - not the scope of a step: what is begun in one step is finished in another
 * @example
 * ```ts
 * import { createBackground, referenceBackend } from 'kfac-ts/core';
 *
 * // Inverses are made beside the following steps where an environment has a background.
 * const backend = referenceBackend();
 * const env = { backend, clock: () => performance.now() / 1000, background: createBackground(backend) };
 * ```
 */
export const createBackground = <T extends Shaped>(backend: Backend<T>): Background<T> => {
  const running = new Map<object, Running<T>>();
  let outcomes: ReadonlyArray<T> = [];
  const begun = (work: Work<T>): Running<T> => {
    const scope = backend.scope();
    const outcome = work(scope.backend)();
    outcome.catch(() => undefined); // a defect surfaces where the outcome is awaited
    return { scope, outcome };
  };
  const abandoned =
    (descriptions: ReadonlyArray<object>): Task<void> =>
    async () => {
      const begunHere = descriptions.flatMap((description) => running.get(description) ?? []);
      descriptions.forEach((description) => running.delete(description));
      for (const { scope, outcome } of begunHere) {
        await outcome;
        scope.close([]);
      }
    };
  return {
    // Messages of work beside the steps could meet those of a step in another order on another process.
    begin: (description, work) => {
      if (backend.isInStep !== true) running.set(description, begun(work));
    },
    finish: (description, work) => async () => {
      const { scope, outcome } = running.get(description) ?? begun(work);
      running.delete(description);
      const result = await outcome;
      const kept = E.isRight(result) ? [...arraysIn<T>(result.right)] : [];
      scope.close(kept);
      outcomes = [...outcomes, ...kept];
      return result;
    },
    takeOver: () => {
      const taken = outcomes;
      outcomes = [];
      return taken;
    },
    abandon: (description) => abandoned([description]),
    settle: () => abandoned([...running.keys()])(),
  };
};
