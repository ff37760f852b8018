/**
 * The optional dependency koffi, which calls native code.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { ReadonlyVector } from '../../tensor.ts';
import { loadOptional } from '../optional.ts';

/** What may be passed to a native function: numbers, C strings, integers by pointer, and buffers by address. */
export type ForeignArgument = number | string | ReadonlyArray<number> | ReadonlyVector;

/** Receives the error or the result of a call that ran on a worker thread. */
export type ForeignCallback = (error: Error | null, result: unknown) => void;

/** A function of a shared library; `async` runs it on a worker thread. */
export interface ForeignFunction {
  (...args: ReadonlyArray<ForeignArgument>): unknown;
  readonly async: (...args: readonly [...ReadonlyArray<ForeignArgument>, ForeignCallback]) => void;
}

/** An open shared library; `func` fails on a symbol that it does not have. */
export interface ForeignLibrary {
  readonly func: (symbol: string, result: string, parameters: ReadonlyArray<string>) => ForeignFunction;
}

/** The part of koffi that is used here. */
export interface Koffi {
  readonly load: (path: string) => ForeignLibrary;
  readonly config: (settings?: Readonly<Record<string, number>>) => Readonly<Record<string, number>>;
}

/**
 * Native code runs on a stack that koffi allocates. BLAS libraries keep their job tables there, half a megabyte for 64
 * threads, while koffi's stack for worker threads has 128 KiB. Pages that are not touched cost nothing.
 */
const stacks = { sync_stack_size: 8 << 20, async_stack_size: 4 << 20, max_async_calls: 4096 };

/** Whether calls on worker threads have the stack that a BLAS needs; not so when koffi was in use before us. */
export const hasRoomyStacks = (koffi: Koffi): boolean =>
  (koffi.config()['async_stack_size'] ?? 0) >= stacks.async_stack_size;

/**
 * Loads koffi.
 *
 * @returns koffi, or the reason why it cannot be had
 */
export const loadKoffi = (): E.Either<string, Koffi> =>
  pipe(
    loadOptional('koffi'),
    E.map((loaded) => loaded as Koffi),
    E.tap((koffi) => {
      E.tryCatch(() => koffi.config(stacks), String); // refused once any library is open; see hasRoomyStacks
      return E.right(koffi);
    }),
  );
