/**
 * The native backend: BLAS and LAPACK of the machine under the host interpreter.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { BackendUnavailable, BadConfig } from '../../errors.ts';
import type { Tensor } from '../../tensor.ts';
import type { Backend } from '../backend.ts';
import { hostBackend } from '../host/backend.ts';
import type { Factorisations } from '../host/linearAlgebra.ts';
import type { Kernels as LoopKernels } from '../host/kernels/kernels.ts';
import { plainKernels } from '../host/kernels/plain.ts';
import type { Products } from '../host/kernels/products.ts';
import type { VectorUnit } from '../host/simd/instance.ts';
import { refusedLimit, vectorUnit } from '../host/simd/instance.ts';
import { singleKernels } from '../host/simd/kernels.ts';
import type { SharingOptions } from '../host/simd/sharing.ts';
import { refusedSharing, sharedUnit } from '../host/simd/sharing.ts';
import { windowProducts } from '../host/simd/windowProducts.ts';
import { currentProcess } from '../process.ts';
import type { CrewOptions } from '../threads/crew.ts';
import type { Team } from '../threads/team.ts';
import { openTeam } from '../threads/team.ts';
import { processorCount } from '../threads/worker.ts';

import type { Blas } from './blas.ts';
import type { Kernels, NativeKernels } from './kernels.ts';
import { openNativeKernels } from './kernels.ts';
import { loadKoffi } from './koffi.ts';
import type { Schedule } from './schedule.ts';
import { createSchedule } from './schedule.ts';

/**
 * Whether a library of the machine can be opened.
 *
 * @param path - its path, or a name that the system looks for
 * @returns the answer, or `null` where nobody can tell
 */
export const canOpenLibrary = (path: string): boolean | null =>
  pipe(
    loadKoffi(),
    E.match(
      () => null,
      (koffi) => E.isRight(E.tryCatch(() => koffi.load(path), String)),
    ),
  );

/** Whether programs like this one open libraries of their machine at all, found or not: a browser's never do. */
export const opensLibraries = (): boolean => currentProcess() !== undefined;

/** Settings of {@link nativeBackend}. */
export interface NativeOptions {
  /** Precision; `f32` unless given. */
  readonly dtype?: 'f32' | 'f64';
  /**
   * Threads of a BLAS call, at least 1; what the library chooses unless given. A setting of the whole process. Loops that are
   * shared have as many of their own.
   */
  readonly threads?: number;
  /** From which size loops are shared between threads; none are unless given. */
  readonly sharing?: SharingOptions;
  /**
   * MiB that one memory for arrays of single precision may have, a whole number from 1 to 4096, which it is unless given. What does
   * not fit goes to the next memory; a call on arrays of several memories has copies made. With a limit the backend has memories
   * of its own, without one those of the process.
   */
  readonly memoryLimit?: number;
  /** Settings of the crew that shares them. */
  readonly crew?: Pick<CrewOptions, 'patience' | 'source'>;
}

/** Outputs up to which convolutions without patches are faster than a BLAS on patches, whose vectors may be wider. */
const widest = 16;

const productsOf = (
  { gemm, gemmBatched, syrk }: Blas,
  { copyRows }: LoopKernels,
  loops: VectorUnit | null,
): Products => ({
  ...(loops === null ? {} : { windows: windowProducts(loops, widest) }),
  matmul: (a, b, { m, n, k, transposeA, transposeB }, out) =>
    gemm(transposeA, transposeB, m, n, k, 1, a, transposeA ? m : k, b, transposeB ? k : n, 0, out, n),
  batchedMatmul: (batch, a, b, { m, n, k, transposeA, transposeB }, out) =>
    gemmBatched(batch, transposeA, transposeB, m, n, k, 1, a, m * k, b, k * n, 0, out),
  affine: (x, weight, bias, m, n, k, out) => {
    copyRows(bias, 0, 0, out, 0, n, m, n);
    gemm(false, true, m, n, k, 1, x, k, weight, k, 1, out, n);
  },
  gram: (x, rows, columns, out) => syrk(true, columns, rows, 1, x, columns, 0, out, columns),
});

const factorisationsOf = (lapack: Kernels, { run }: Schedule): Factorisations => ({
  cholesky: (n, m, copy) => run(n ** 3 / 3, lapack.cholesky(n, m, copy), n),
  choleskySolve: (n, columns, l, b) => run(n * n * columns, lapack.choleskySolve(n, columns, l, b), n),
  inverse: (n, m, copy) => run(n ** 3, lapack.inverse(n, m, copy), n),
  solve: (n, columns, m, b) => run(n * n * (n / 3 + columns), lapack.solve(n, columns, m, b), n),
  eigh: (n, m) => run(9 * n ** 3, lapack.eigh(n, m), n),
});

/**
 * Factorisations by the machine's LAPACK for a backend that has none, in single precision.
 *
 * @returns the factorisations, or why there are none
 */
export const nativeFactorisations = (): E.Either<BackendUnavailable, Factorisations> =>
  pipe(
    openNativeKernels(),
    E.map((kernels) => factorisationsOf(kernels.f32, createSchedule(kernels))),
  );

/** Sets the number of threads; gives back what undoes it, and what to warn of. */
const setThreads = (
  kernels: NativeKernels,
  threads: number | undefined,
): { readonly undo: () => void; readonly warnings: ReadonlyArray<string> } => {
  const setting = kernels.library.threads;
  if (threads === undefined) return { undo: () => undefined, warnings: [] };
  if (setting === undefined) {
    const { name } = kernels.library;
    return {
      undo: () => undefined,
      warnings: [`${name} does not let its threads be set: threads ${threads} is ignored`],
    };
  }
  const before = setting.get();
  setting.set(threads);
  return { undo: () => setting.set(before), warnings: [] };
};

/** Name and version. OpenBLAS's version is its whole configuration, of which the kind of processor matters here. */
const describeLibrary = ({ library }: NativeKernels): string => {
  const { name, version } = library;
  const [, release, core] = /^OpenBLAS (\S+).* (\S+) MAX_THREADS=/.exec(version) ?? [];
  if (core !== undefined) return `OpenBLAS ${release} (${core})`;
  return version.startsWith(name) ? version : `${name} ${version}`;
};

/** Threads for loops of single precision, as many as a BLAS call has; none where there is no memory that they could share. */
const loopTeam = (
  { library }: NativeKernels,
  unit: VectorUnit | null,
  { threads, crew }: NativeOptions,
): Team | null => {
  if (unit === null) return null;
  return openTeam({
    threads: threads ?? library.threads?.get() ?? processorCount(),
    memory: unit.memory,
    what: 'What is no product runs',
    ...(crew === undefined ? {} : { crew }),
  });
};

/** The vector unit, whose large calls the team shares. */
const unitOn = (unit: VectorUnit | null, team: Team | null, { sharing }: NativeOptions): VectorUnit | null =>
  unit === null || team === null ? unit : sharedUnit(unit, team, sharing);

/**
 * Opens the native backend.
 *
 * @param options - precision and threads
 * @returns the backend, or what was tried and how to install a BLAS
 * @example
 * ```ts
 * import * as E from 'fp-ts/lib/Either.js';
 * import { describeError, nativeBackend } from 'kfac-ts/core';
 *
 * const opened = nativeBackend({ dtype: 'f64', threads: 1 });
 * console.log(E.isRight(opened) ? opened.right.report() : describeError(opened.left));
 * ```
 */
export const nativeBackend = (
  options: NativeOptions = {},
): E.Either<BackendUnavailable | BadConfig, Backend<Tensor>> => {
  const { dtype = 'f32', threads } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    return E.left({
      _tag: 'BadConfig',
      path: 'threads',
      expected: 'a whole number of at least 1',
      actual: String(threads),
    });
  }
  const refused = refusedSharing(options.sharing) ?? refusedLimit(options.memoryLimit);
  if (refused !== null) return E.left(refused);
  return pipe(
    openNativeKernels(),
    E.map((kernels) => {
      const { undo, warnings } = setThreads(kernels, threads);
      const routines = dtype === 'f32' ? kernels.f32 : kernels.f64;
      const alone = dtype === 'f32' ? vectorUnit(options.memoryLimit) : null;
      const team = loopTeam(kernels, alone, options);
      const unit = unitOn(alone, team, options);
      const loops = dtype === 'f32' ? singleKernels(undefined, unit) : plainKernels;
      return hostBackend({
        name: 'native',
        dtype,
        products: productsOf(routines, loops, unit),
        kernels: loops,
        factorisations: factorisationsOf(routines, createSchedule(kernels, threads)),
        report: () => ({
          backend: 'native',
          library: describeLibrary(kernels),
          threads: kernels.library.threads?.get() ?? threads ?? 1,
          factorisations: 'LAPACK',
          warnings: [...warnings, ...(team?.warnings() ?? [])],
        }),
        dispose: TE.fromTask(async () => {
          undo();
          await team?.dispose();
        }),
        unit,
      });
    }),
  );
};
