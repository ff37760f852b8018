/**
 * Choosing a backend by name, or the fastest there is.
 *
 * What is known of the array type at compile time would depend on a choice at run time, so the caller passes a function
 * that works for every array type. A choice that falls back says so in the backend's report; a backend that was asked
 * for by name is never replaced.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../errors.ts';
import { attempt, describeError } from '../errors.ts';
import type { Shaped, Tensor } from '../tensor.ts';

import type { Backend } from './backend.ts';
import { gpuBackend } from './gpu/backend.ts';
import { nativeBackend } from './native/backend.ts';
import { currentProcess } from './native/koffi.ts';
import { referenceBackend } from './reference/backend.ts';

/** Backends by name, fastest first. */
export const backendNames = ['native', 'gpu', 'reference'] as const;

/** A backend by name. */
export type BackendName = (typeof backendNames)[number];

/** Which backend to use. */
export interface BackendOptions {
  /**
   * `auto`, the default: what the environment variable `KFAC_BACKEND` says, else the first that works here of
   * `native`, `gpu` and `reference`.
   */
  readonly backend?: 'auto' | BackendName;
  /** Threads of a matrix product; what the backend chooses unless given. */
  readonly threads?: number;
  /** Precision, `f32` unless given. `gpu` has no other; `reference` computes in `f64` always. */
  readonly dtype?: 'f32' | 'f64';
}

/** The same backend, with more to warn of in its report. */
const withWarnings = (backend: Backend<Tensor>, warnings: ReadonlyArray<string>): Backend<Tensor> => ({
  ...backend,
  report: () => {
    const report = backend.report();
    return { ...report, warnings: [...warnings, ...report.warnings] };
  },
});

/** One thread is all that a backend without threads of its own can be asked for. */
const threadsIgnored = (name: BackendName, threads: number | undefined): ReadonlyArray<string> =>
  threads === undefined || threads === 1 ? [] : [`The ${name} backend has one thread: threads ${threads} is ignored.`];

/**
 * Opens a backend by name.
 *
 * @param name - which one
 * @param options - precision and threads
 * @returns the backend, or why it cannot be had
 */
export const openBackend = (
  name: BackendName,
  options: Omit<BackendOptions, 'backend'> = {},
): E.Either<KfacError, Backend<Tensor>> => {
  const { dtype, threads } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    return E.left({
      _tag: 'BadConfig',
      path: 'threads',
      expected: 'a whole number of at least 1',
      actual: String(threads),
    });
  }
  const ignored = threadsIgnored(name, threads);
  switch (name) {
    case 'native':
      return nativeBackend({
        ...(dtype === undefined ? {} : { dtype }),
        ...(threads === undefined ? {} : { threads }),
      });
    case 'gpu':
      return dtype === 'f64'
        ? E.left({ _tag: 'BadConfig', path: 'dtype', expected: 'f32, all that the gpu backend has', actual: 'f64' })
        : pipe(
            gpuBackend(),
            E.map((backend) => withWarnings(backend, ignored)),
          );
    case 'reference': {
      const widened = dtype === 'f32' ? ['The reference backend computes in f64 always, not in f32.'] : [];
      return E.right(withWarnings(referenceBackend(), [...ignored, ...widened]));
    }
  }
};

/** How the fastest backend that works was found: what it is, and what was tried before it. */
const openFastest = (options: BackendOptions): E.Either<KfacError, Backend<Tensor>> => {
  const missed: Array<string> = [];
  for (const name of backendNames) {
    const opened = openBackend(name, options);
    if (E.isRight(opened)) return E.right(withWarnings(opened.right, missed));
    // A setting that is wrong for the fastest backend is wrong, and no reason to take a slower one.
    if (opened.left._tag === 'BadConfig' && opened.left.path !== 'dtype') return opened;
    missed.push(describeError(opened.left));
  }
  return openBackend('reference', options);
};

const isBackendName = (value: string): value is BackendName => backendNames.some((name) => name === value);

/**
 * Opens the backend that the options and the environment ask for.
 *
 * @param options - see {@link BackendOptions}
 * @param fromEnvironment - what `auto` stands for, `KFAC_BACKEND` unless given
 */
export const chooseBackend = (
  options: BackendOptions = {},
  fromEnvironment: string | undefined = currentProcess()?.env['KFAC_BACKEND'],
): E.Either<KfacError, Backend<Tensor>> => {
  const { backend = 'auto' } = options;
  if (backend !== 'auto') return openBackend(backend, options);
  if (fromEnvironment === undefined || fromEnvironment === '' || fromEnvironment === 'auto')
    return openFastest(options);
  return isBackendName(fromEnvironment)
    ? openBackend(fromEnvironment, options)
    : E.left({
        _tag: 'BadConfig',
        path: 'KFAC_BACKEND',
        expected: ['auto', ...backendNames].join(', '),
        actual: fromEnvironment,
      });
};

/**
 * Runs a computation on a backend and frees the backend afterwards, whatever comes of it.
 *
 * @param options - which backend
 * @param use - works for any array type
 * @returns what the computation gives, or why there is no backend
 */
export const withBackend = <A>(
  options: BackendOptions,
  use: <T extends Shaped>(backend: Backend<T>) => TE.TaskEither<KfacError, A>,
): TE.TaskEither<KfacError, A> =>
  pipe(
    TE.fromIOEither(() => chooseBackend(options)),
    TE.chain((backend) => async () => {
      try {
        const used = attempt(() => use(backend));
        return E.isLeft(used) ? used : await used.right();
      } finally {
        await backend.dispose();
      }
    }),
  );
