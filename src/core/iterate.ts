/**
 * The one loop around effects.
 *
 * A chain of a hundred thousand `TaskEither`s would hold them all; this runs them one after another in constant space.
 * Between two turns it hands the thread back, so that timers, signals and other workers' messages get through.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as T from 'fp-ts/lib/Task.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';

/** Lets everything that waits for the thread run. Browsers make a timer wait for 4 ms, but not a message to oneself. */
export const breathe: T.Task<void> = () =>
  new Promise((resolve) => {
    if (typeof setImmediate === 'function') {
      setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    const onmessage = (): void => {
      port1.close();
      resolve();
    };
    Object.assign(port1, { onmessage });
    port2.postMessage(null);
  });

/**
 * Runs an effect over and over, each time on what the last run gave, until one gives a result.
 *
 * @param initial - what the first run starts from
 * @param next - `Left` of what to go on with, or `Right` of the result
 * @returns the result, or the first error
 * @example
 * ```ts
 * import * as E from 'fp-ts/lib/Either.js';
 * import * as TE from 'fp-ts/lib/TaskEither.js';
 * import { iterate } from 'kfac-ts/core';
 *
 * const doubled = iterate(1, (n) => TE.right(n < 100 ? E.left(2 * n) : E.right(n)));
 * await doubled(); // => { _tag: 'Right', right: 128 }
 * ```
 */
export const iterate =
  <Err, A, B>(initial: A, next: (current: A) => TE.TaskEither<Err, E.Either<A, B>>): TE.TaskEither<Err, B> =>
  async () => {
    let current = initial;
    for (;;) {
      const outcome = await next(current)();
      if (E.isLeft(outcome)) return outcome;
      if (E.isRight(outcome.right)) return outcome.right;
      current = outcome.right.left;
      await breathe();
    }
  };
