/**
 * The native linear algebra of this machine: a library, and its routines on typed arrays in both precisions.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { BackendUnavailable } from '../../errors.ts';

import type { Blas } from './blas.ts';
import { blasOf } from './blas.ts';
import type { FactorisationError, Job } from './job.ts';
import { runInBackground, runNow } from './job.ts';
import type { Lapack } from './lapack.ts';
import { lapackOf } from './lapack.ts';
import type { BlasLibrary } from './library.ts';
import { openBlasLibrary } from './library.ts';
import type { Way } from './threads.ts';
import { asItIs, onOneThread } from './threads.ts';
import { f32, f64 } from '../host/kernels/precision.ts';
import { singleKernels } from '../host/simd/kernels.ts';

/** Products and factorisations of one precision. */
export type Kernels = Blas & Lapack;

/** Products and factorisations in both precisions, and the two ways to run a factorisation. */
export interface NativeKernels {
  readonly library: BlasLibrary;
  readonly f32: Kernels;
  readonly f64: Kernels;
  /** Runs a job on this thread, with all threads of the library. */
  readonly runNow: <A>(job: Job<A>) => E.Either<FactorisationError, A>;
  /** Makes a small call, on one thread where the library would wake others for it. */
  readonly small: Way;
  /**
   * Runs a job beside the program, or on this thread where that cannot be had. Any number may run at once. While one
   * does, every call into the library has a single thread, those of the program too: right for many jobs and for jobs
   * that overlap with steps, while a lone job that is waited for is faster with {@link NativeKernels.runNow}.
   */
  readonly run: <A>(job: Job<A>) => TE.TaskEither<FactorisationError, A>;
}

/**
 * Opens the BLAS of this machine and binds its routines.
 *
 * @param choice - see {@link openBlasLibrary}
 * @returns the kernels, or what was tried and how to install a BLAS
 */
export const openNativeKernels = (choice?: string): E.Either<BackendUnavailable, NativeKernels> =>
  pipe(
    openBlasLibrary(choice),
    E.map((library) => {
      const around = library.background;
      const { mirrorLower } = singleKernels();
      // Others decide well how many threads a small call is worth.
      const { name, threads } = library;
      const small = name === 'OpenBLAS' && threads !== undefined ? onOneThread(threads) : asItIs;
      return {
        library,
        f32: { ...blasOf(library.single, f32, small, mirrorLower), ...lapackOf(library.single, f32, mirrorLower) },
        f64: { ...blasOf(library.double, f64, small), ...lapackOf(library.double, f64) },
        runNow,
        small,
        run: (job) => (around === undefined ? TE.fromIOEither(() => runNow(job)) : runInBackground(around, job)),
      };
    }),
  );
