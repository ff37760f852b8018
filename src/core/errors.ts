/**
 * Everything that can go wrong, as data. Sentences are made in one place, {@link describeError}.
 *
 * Array operations are synchronous and return arrays, so a broken shape inside them cannot be an `Either` without
 * one on every line of every program. They {@link raise} instead, and {@link attempt} turns what was raised back
 * into a value at the stage boundary. Nothing else in the library throws or catches.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

/** Two shapes that an operation cannot combine, or one it cannot take. */
export interface ShapeMismatch {
  readonly _tag: 'ShapeMismatch';
  /** The operation, for example `matmul`. */
  readonly where: string;
  readonly expected: string;
  readonly actual: string;
}

/** A NaN or an infinity where a finite number is needed, or a number that makes as little sense. */
export interface NonFinite {
  readonly _tag: 'NonFinite';
  /** The stage that saw it. */
  readonly where: string;
  /** The parameter or site, or what else was being computed. */
  readonly what: string;
  /** What it is instead, where it is finite after all. */
  readonly actual?: string;
  readonly advice: string;
}

/** A factorisation met a matrix that is not positive definite. */
export interface NotPositiveDefinite {
  readonly _tag: 'NotPositiveDefinite';
  readonly where: string;
  /** Order of the leading minor that is not positive. */
  readonly order: number;
  /** The damping that was tried, when there was one. */
  readonly damping?: number;
}

/** A backend that was asked for cannot be had here. */
export interface BackendUnavailable {
  readonly _tag: 'BackendUnavailable';
  readonly backend: string;
  readonly reason: string;
  readonly advice: string;
}

/** A device that was in use is lost, out of memory, or cannot run what it is given. */
export interface DeviceFailed {
  readonly _tag: 'DeviceFailed';
  /** The backend and its mode, or the kernel. */
  readonly where: string;
  readonly reason: string;
  readonly advice: string;
}

/** A setting with a wrong name, type or value. */
export interface BadConfig {
  readonly _tag: 'BadConfig';
  /** Where the setting is, for example `optimizer.damping`. */
  readonly path: string;
  readonly expected: string;
  readonly actual: string;
}

/** Data that cannot be what it claims to be. */
export interface BadData {
  readonly _tag: 'BadData';
  /** File or data set. */
  readonly source: string;
  readonly expected: string;
  readonly actual: string;
  readonly advice: string;
  /** Where in a table, if it is one. */
  readonly row?: number;
  readonly column?: string;
}

/** A saved state that cannot be read back. */
export interface BadCheckpoint {
  readonly _tag: 'BadCheckpoint';
  readonly source: string;
  readonly expected: string;
  readonly actual: string;
}

/** A collective operation between processes failed. */
export interface CollectiveFailed {
  readonly _tag: 'CollectiveFailed';
  readonly operation: string;
  /** The rank that it failed on. */
  readonly rank: number;
  /** What the library calls the failure, where it was one of its calls. */
  readonly code?: number;
  readonly reason: string;
}

/** A file or directory could not be read or written. */
export interface FileFailed {
  readonly _tag: 'FileFailed';
  readonly path: string;
  readonly operation: 'read' | 'write';
  readonly reason: string;
}

/** A figure could not be drawn; what it is about is not lost. */
export interface NotDrawn {
  readonly _tag: 'NotDrawn';
  /** The figure. */
  readonly what: string;
  readonly reason: string;
  readonly advice: string;
}

/** A function that the library was given failed: a listener, for example. */
export interface CallbackFailed {
  readonly _tag: 'CallbackFailed';
  /** Which function, and when it was called. */
  readonly what: string;
  readonly reason: string;
}

/** Every failure that a function of this library reports. */
export type KfacError =
  | ShapeMismatch
  | NonFinite
  | NotPositiveDefinite
  | BackendUnavailable
  | DeviceFailed
  | BadConfig
  | BadData
  | BadCheckpoint
  | CollectiveFailed
  | FileFailed
  | NotDrawn
  | CallbackFailed;

/**
 * One error as one sentence or two: where, what was expected, what came, what to do.
 *
 * @param error - any error of the library
 * @returns text for a person, without a trailing newline
 * @example
 * ```ts
 * import { describeError } from 'kfac-ts/core';
 *
 * describeError({ _tag: 'BadConfig', path: 'lr', expected: 'a positive number', actual: '-1' });
 * ```
 */
export const describeError = (error: KfacError): string => {
  switch (error._tag) {
    case 'ShapeMismatch':
      return `${error.where}: expected ${error.expected}, got ${error.actual}.`;
    case 'NonFinite':
      return `${error.where}: ${error.what} is ${error.actual ?? 'not finite'}. ${error.advice}`;
    case 'NotPositiveDefinite':
      return (
        `${error.where}: not positive definite at order ${error.order}` +
        `${error.damping === undefined ? '' : ` with damping ${error.damping}`}. Raise the damping.`
      );
    case 'BackendUnavailable':
      return `Backend ${error.backend} is not available: ${error.reason}. ${error.advice}`;
    case 'DeviceFailed':
      return `${error.where} failed: ${error.reason}. ${error.advice}`;
    case 'BadConfig':
      return `${error.path}: expected ${error.expected}, got ${error.actual}.`;
    case 'BadData':
      return `${error.source}: expected ${error.expected}, got ${error.actual}. ${error.advice}`;
    case 'BadCheckpoint':
      return `${error.source}: expected ${error.expected}, got ${error.actual}.`;
    case 'CollectiveFailed':
      return `${error.operation} failed on rank ${error.rank}: ${error.reason}${error.code === undefined ? '' : ` (code ${error.code})`}.`;
    case 'FileFailed':
      return `Cannot ${error.operation} ${error.path}: ${error.reason}.`;
    case 'CallbackFailed':
      return `${error.what} failed: ${error.reason}.`;
    case 'NotDrawn':
      return `${error.what} not drawn: ${error.reason}. ${error.advice}`;
  }
};

/** What {@link raise} throws: an `Error` that carries the data. */
interface Raised extends Error {
  readonly kfacError: KfacError;
}

const isRaised = (thrown: unknown): thrown is Raised => thrown instanceof Error && 'kfacError' in thrown;

/**
 * Leaves a synchronous computation with an error. For array operations only; everything else returns `Either`.
 *
 * @param error - what went wrong
 * @example
 * ```ts
 * import type { Shaped } from 'kfac-ts/core';
 * import { attempt, raise } from 'kfac-ts/core';
 *
 * const orderOf = ({ shape }: Shaped): number =>
 *   shape[0] === shape[1]
 *     ? shape[0]
 *     : raise({ _tag: 'ShapeMismatch', where: 'orderOf', expected: 'a square matrix', actual: shape.join(' × ') });
 * attempt(() => orderOf({ shape: [2, 3] }))._tag; // => 'Left'
 * ```
 */
export const raise = (error: KfacError): never => {
  // Not enumerable: where nobody catches it, Node.js prints the sentence and not the data as well.
  throw Object.defineProperty(new Error(describeError(error)), 'kfacError', { value: error });
};

/**
 * Runs a synchronous computation; an error that it {@link raise}d becomes a `Left`. Anything else that was thrown is
 * a defect and goes on.
 *
 * @param run - the computation
 * @example
 * ```ts
 * import { attempt, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const sum = attempt(() => ops.add(tensor([1, 2], [2]), tensor([1, 2, 3], [3])));
 * sum._tag; // => 'Left'
 * ```
 */
export const attempt = <A>(run: () => A): E.Either<KfacError, A> => {
  try {
    return E.right(run());
  } catch (thrown) {
    if (isRaised(thrown)) return E.left(thrown.kfacError);
    throw thrown;
  }
};

/**
 * The result of a computation, for scripts that end at the first error: a `Left` is {@link raise}d, with its sentence.
 *
 * @param result - what a function of this library gives
 * @example
 * ```ts
 * import { orRaise } from 'kfac-ts/core';
 * import { parseCsv } from 'kfac-ts/pipelines';
 *
 * orRaise(parseCsv('width,height\n1,2\n', 'sizes.csv')).columns; // => ['width', 'height']
 * ```
 */
export const orRaise = <A>(result: E.Either<KfacError, A>): A => (E.isLeft(result) ? raise(result.left) : result.right);
