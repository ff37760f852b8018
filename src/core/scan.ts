/**
 * Streams: a sequence that a state gives, and a scan of a stream that owns its state.
 *
 * Loops with effects between two turns belong to whoever writes them, so these are generators: `for await` takes one value
 * after another, and leaving the loop in any way ends the stream and hands back what it owns.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type { IO } from 'fp-ts/lib/IO.js';
import type { Task } from 'fp-ts/lib/Task.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';

import { breathe } from './iterate.ts';

/**
 * An endless sequence.
 *
 * @param start - what the first value comes from
 * @param next - a value, and what the next one comes from
 */
export function* unfold<S, A>(start: S, next: (state: S) => readonly [A, S]): Generator<A, never, void> {
  let state = start;
  for (;;) {
    const [value, after] = next(state);
    state = after;
    yield value;
  }
}

/** Values one after another, whether they have to be waited for or not. */
export type Source<A> = Iterable<A> | AsyncIterable<A>;

/** A scan: where it starts, how it goes on, and what becomes of the state at its end. */
export interface Scan<Err, S, A, B> {
  readonly begin: IO<E.Either<Err, S>>;
  /**
   * The state after a value of the source, with what there is to say of it. It uses up the state before, even where it fails;
   * `isHeld` tells whether the stream still has a state.
   */
  readonly next: (state: S, value: A, isHeld: (state: S) => boolean) => TaskEither<Err, readonly [S, B]>;
  /** Lets go of the last state. */
  readonly end: (state: S) => Task<void>;
  /** What a source says that throws. */
  readonly broken: (thrown: unknown) => Err;
}

const iteratorOf = <A>(source: Source<A>): Iterator<A> | AsyncIterator<A> =>
  Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();

/** A source that threw, after so many values. */
export interface Interrupted {
  readonly thrown: unknown;
  readonly before: number;
}

/**
 * All values of a source that ends, in their order.
 *
 * @param source - values one after another
 * @param broken - what a source says that throws
 */
export const gathered =
  <Err, A>(source: Source<A>, broken: (interrupted: Interrupted) => Err): TaskEither<Err, ReadonlyArray<A>> =>
  async () => {
    const values: Array<A> = [];
    try {
      for await (const value of source) values.push(value);
      return E.right(values);
    } catch (thrown) {
      return E.left(broken({ thrown, before: values.length }));
    }
  };

/**
 * The same values, of which the next ones are asked for while whoever reads is busy with the last: a source that has to wait
 * for something waits meanwhile. Values, their order and the place of an error stay; where the reader leaves early, the source
 * has been asked for a few more than were read.
 *
 * @param source - values one after another
 * @param ahead - how many are asked for before they are wanted, 1 unless given
 * @example
 * ```ts
 * import { prefetched } from 'kfac-ts/core';
 *
 * const seen = [];
 * for await (const value of prefetched([1, 2, 3])) seen.push(value);
 * seen; // => [1, 2, 3]
 * ```
 */
export async function* prefetched<A>(source: Source<A>, ahead = 1): AsyncGenerator<A, void, void> {
  const iterator = iteratorOf(source);
  const asked: Array<Promise<IteratorResult<A, unknown>>> = [];
  const ask = (): void => {
    const next = (async () => iterator.next())();
    next.catch(() => undefined); // it is reported where it is wanted
    asked.push(next);
  };
  let isOpen = true;
  try {
    for (;;) {
      while (asked.length <= ahead) ask();
      isOpen = false; // a source that throws, or is at its end, is closed
      const value = await asked.shift();
      if (value === undefined || value.done === true) return;
      isOpen = true;
      yield value.value;
    }
  } finally {
    if (isOpen) await iterator.return?.();
  }
}

/**
 * Takes a source through a state, one value at a time. The stream ends with the source, after the first error, or when whoever
 * reads it leaves; in each case the state is let go, and the source is told.
 *
 * @param source - values
 * @param scan - what is done with them
 */
export async function* scan<Err, S extends object, A, B>(
  source: Source<A>,
  { begin, next, end, broken }: Scan<Err, S, A, B>,
): AsyncGenerator<E.Either<Err, B>, void, void> {
  const begun = begin();
  if (E.isLeft(begun)) {
    yield begun;
    return;
  }
  let state: S | null = begun.right;
  let isOpen = false;
  const isHeld = (asked: S): boolean => asked === state;
  const iterator = iteratorOf(source);
  const drawn = async (): Promise<E.Either<Err, IteratorResult<A, unknown>>> => {
    try {
      return E.right(await iterator.next());
    } catch (thrown) {
      return E.left(broken(thrown));
    }
  };
  try {
    while (state !== null) {
      const value = await drawn();
      isOpen = E.isRight(value) && value.right.done !== true;
      if (E.isLeft(value)) {
        yield value;
        return;
      }
      if (value.right.done === true) return;
      const before: S = state;
      state = null;
      const outcome: E.Either<Err, readonly [S, B]> = await next(before, value.right.value, isHeld)();
      if (E.isLeft(outcome)) {
        yield outcome;
        return;
      }
      const [after, told] = outcome.right;
      state = after;
      yield E.right(told);
      await breathe();
    }
  } finally {
    if (state !== null) {
      const last = state;
      state = null;
      await end(last)();
    }
    if (isOpen) await iterator.return?.();
  }
}
