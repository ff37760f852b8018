/**
 * `map` and `chain` of tasks for what runs in every step: what fp-ts's do, with a promise each instead of six, which on small
 * networks is a measurable part of a step.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';

/**
 * A task, and a function of what it gives.
 *
 * @param f - the function
 */
export const mapped =
  <A, B>(f: (a: A) => B) =>
  <Err>(task: TaskEither<Err, A>): TaskEither<Err, B> =>
  async () => {
    const done = await task();
    return E.isLeft(done) ? done : E.right(f(done.right));
  };

/**
 * A task, and another that it leads to.
 *
 * @param f - the other, from what the first gives
 */
export const chained =
  <Err, A, B>(f: (a: A) => TaskEither<Err, B>) =>
  (task: TaskEither<Err, A>): TaskEither<Err, B> =>
  async () => {
    const done = await task();
    return E.isLeft(done) ? done : f(done.right)();
  };
