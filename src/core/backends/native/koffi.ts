/**
 * The optional dependency koffi, looked for at run time.
 *
 * It is neither imported nor required by name, so a bundler for browsers never sees it, the library installs without
 * it, and one source compiles to ES modules and to CommonJS (where `import.meta` does not exist). The price is that
 * this file must find out where it lies itself: koffi is resolved from here first, because a strict package manager
 * links it beside this package only, then from the main script and the working directory.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { ReadonlyVector } from '../../tensor.ts';
import { currentProcess } from '../process.ts';

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

/** Path or URL of this file, from a stack trace. */
const ownLocation = (): string | undefined =>
  /(?:\(|at (?:async )?)((?:file:\/\/|[/\\]|[A-Za-z]:[/\\]).*?):\d+:\d+\)?$/m.exec(new Error().stack ?? '')?.[1];

/**
 * Loads koffi.
 *
 * @returns koffi, or the reason why it cannot be had
 */
export const loadKoffi = (): E.Either<string, Koffi> => {
  const process = currentProcess();
  const nodeModule = process?.getBuiltinModule?.('node:module') as
    { readonly createRequire: (from: string) => (name: string) => unknown } | undefined;
  if (process === undefined || nodeModule === undefined) return E.left('native code needs Node.js 20.16 or later');
  const places = [ownLocation(), process.argv[1], `${process.cwd()}/`].filter((place) => place !== undefined);
  const attempts = places.map((place) => E.tryCatch(() => nodeModule.createRequire(place)('koffi') as Koffi, String));
  const koffi = attempts.find(E.isRight);
  if (koffi === undefined) return E.left('the package koffi is not installed or cannot be loaded');
  E.tryCatch(() => koffi.right.config(stacks), String); // refused once any library is open; see hasRoomyStacks
  return koffi;
};
