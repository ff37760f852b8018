/**
 * Finds and opens a BLAS with a LAPACK.
 *
 * A library that was opened stays open: BLAS libraries run threads of their own and do not survive being unloaded, and
 * koffi unloads what nobody refers to. Hence the one table of this module that remembers.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { BackendUnavailable } from '../../errors.ts';
import { currentProcess } from '../process.ts';

import type { Candidate } from './candidates.ts';
import { advice, candidates } from './candidates.ts';
import type { Around } from './job.ts';
import type { ForeignLibrary, Koffi } from './koffi.ts';
import { hasRoomyStacks, loadKoffi } from './koffi.ts';
import type { Routines } from './signatures.ts';
import { bindRoutines } from './signatures.ts';
import { oneThreadEach } from './threads.ts';
import type { Vendor } from './vendors.ts';
import { identify } from './vendors.ts';

/** An open BLAS with LAPACK. */
export interface BlasLibrary extends Vendor {
  /** What was opened, as it was named to the system's loader. */
  readonly files: ReadonlyArray<string>;
  readonly single: Routines;
  readonly double: Routines;
  /** What to put around calls on worker threads; absent where there can be none. */
  readonly background?: Around;
}

/** Looks a symbol up in several libraries; the failure of the last one stands. */
const findIn =
  (libraries: ReadonlyArray<ForeignLibrary>): ForeignLibrary['func'] =>
  (symbol, result, parameters) => {
    const found = libraries.map((library) => E.tryCatch(() => library.func(symbol, result, parameters), E.toError));
    const first = found.find(E.isRight);
    if (first !== undefined) return first.right;
    return libraries[libraries.length - 1].func(symbol, result, parameters);
  };

const open = (koffi: Koffi, files: Candidate): BlasLibrary => {
  const find = findIn(files.map((file) => koffi.load(file)));
  const vendor = identify(find);
  const background: Around = vendor.threads === undefined ? (task) => task : oneThreadEach(vendor.threads);
  return {
    ...vendor,
    files,
    single: bindRoutines(find, 's'),
    double: bindRoutines(find, 'd'),
    ...(hasRoomyStacks(koffi) ? { background } : {}),
  };
};

const search = (choice: string | undefined): E.Either<BackendUnavailable, BlasLibrary> => {
  const process = currentProcess() ?? { platform: 'browser', arch: '', env: {} };
  const unavailable = (reason: string): BackendUnavailable => ({
    _tag: 'BackendUnavailable',
    backend: 'native',
    reason,
    advice: advice(process.platform),
  });
  return pipe(
    loadKoffi(),
    E.mapLeft(unavailable),
    E.flatMap((koffi) => {
      const reasons: Array<string> = [];
      for (const files of candidates(process, choice)) {
        const opened = E.tryCatch(
          () => open(koffi, files),
          (error) => (error instanceof Error ? error.message : String(error)),
        );
        if (E.isRight(opened)) return opened;
        reasons.push(`${files.join(' + ')}: ${opened.left}`);
      }
      return E.left(unavailable(`no BLAS with LAPACK could be opened (${reasons.join('; ')})`));
    }),
  );
};

const opened = new Map<string, E.Either<BackendUnavailable, BlasLibrary>>();

/**
 * Opens the BLAS of this machine.
 *
 * @param choice - the library to open: a path or a name, or BLAS and LAPACK joined by the path delimiter; the
 *   environment variable `KFAC_BLAS` unless given, and the first of the known libraries where that is not set either
 * @returns the library, or what was tried and how to install one
 */
export const openBlasLibrary = (
  choice: string | undefined = currentProcess()?.env['KFAC_BLAS'],
): E.Either<BackendUnavailable, BlasLibrary> => {
  const key = choice ?? '';
  const known = opened.get(key);
  if (known !== undefined) return known;
  const library = search(choice);
  opened.set(key, library);
  return library;
};
