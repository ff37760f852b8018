/**
 * What this machine offers: every backend, the one that is chosen, and how fast it multiplies matrices.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../errors.ts';
import { describeError } from '../../errors.ts';
import { iterate } from '../../iterate.ts';
import type { Shaped } from '../../tensor.ts';
import { generate } from '../../tensor.ts';

import type { Backend, BackendReport } from '../backend.ts';
import type { BackendName, BackendOptions } from './choose.ts';
import { backendNames, openBackend, withBackend } from './choose.ts';
import type { GpuMode } from '../gpuModes.ts';
import { gpuModes } from '../gpuModes.ts';

/** Whether a backend can be had here. */
export type Finding =
  | { readonly backend: BackendName; readonly found: true; readonly report: BackendReport }
  | { readonly backend: BackendName; readonly found: false; readonly reason: string; readonly advice: string };

/** Whether a mode of the gpu backend can be had here, by name. */
export type ModeFinding =
  | {
      readonly mode: GpuMode;
      readonly found: true;
      /** The graphics adapter, where there is one. */
      readonly adapter: string | null;
      /** Its rate for square products, as that of {@link Diagnosis}, of order 256 at most. */
      readonly gflops: number;
      readonly warnings: ReadonlyArray<string>;
    }
  | { readonly mode: GpuMode; readonly found: false; readonly reason: string };

/** What {@link diagnose} finds. */
export interface Diagnosis {
  /** Every backend, fastest first. */
  readonly backends: ReadonlyArray<Finding>;
  /** Every mode of the gpu backend. */
  readonly gpuModes: ReadonlyArray<ModeFinding>;
  /** The one that is used with these options; its report has the library, threads, factorisations and warnings. */
  readonly chosen: BackendReport;
  readonly dtype: 'f32' | 'f64';
  /** Its rate for square products of order 512 in units of 10⁹ operations per second, the best of a short time. */
  readonly gflops: number;
  /** How to get faster, as sentences; empty where nothing is known. */
  readonly advice: ReadonlyArray<string>;
}

/** Settings of {@link diagnose}. */
export interface DiagnosisOptions extends BackendOptions {
  /** Seconds on a clock that only moves forward. */
  readonly clock: () => number;
  /** How long to measure the chosen backend and each mode, in seconds; 0.3 unless given. */
  readonly seconds?: number;
  /** Order of the matrices that are measured; 512 unless given. */
  readonly order?: number;
}

const findingOf = (backend: BackendName, error: KfacError): Finding => ({
  backend,
  found: false,
  ...(error._tag === 'BackendUnavailable'
    ? { reason: error.reason, advice: error.advice }
    : { reason: describeError(error), advice: '' }),
});

const probe = (name: BackendName): TE.TaskEither<KfacError, Finding> =>
  pipe(
    openBackend(name),
    TE.chain((opened) =>
      opened((backend) => {
        const found: Finding = { backend: name, found: true, report: backend.report() };
        return pipe(
          backend.dispose,
          TE.map(() => found),
        );
      }),
    ),
    TE.orElse((error) => TE.right(findingOf(name, error))),
  );

/** Seconds that one product of order n takes, until an element of it has been read. */
const timeProduct =
  <T extends Shaped>(backend: Backend<T>, x: T, clock: () => number): TE.TaskEither<KfacError, number> =>
  async () => {
    const scope = backend.scope();
    const { ops, read } = scope.backend;
    const start = clock();
    const result = await read(ops.slice(ops.matmul(x, x), [0, 0], [1, 1]))();
    const taken = clock() - start;
    scope.close([]);
    return pipe(
      result,
      E.map(() => taken),
    );
  };

/** Among fewer products than this there may be none that nothing disturbed, or that was compiled by then. */
const fewestProducts = 5;

/** Best rate of products of order n, in 10⁹ operations per second. The first product warms up and does not count. */
const matmulRate = <T extends Shaped>(
  backend: Backend<T>,
  n: number,
  clock: () => number,
  seconds: number,
): TE.TaskEither<KfacError, number> => {
  const x = backend.ops.constant(generate([n, n], (position) => ((position * 7) % 11) / 11, backend.dtype));
  return pipe(
    timeProduct(backend, x, clock),
    TE.chainIOK(() => clock),
    TE.chain((start) =>
      iterate({ best: Infinity, products: 0 }, ({ best, products }) =>
        pipe(
          timeProduct(backend, x, clock),
          TE.map((taken) => ({ best: Math.min(best, taken), products: products + 1 })),
          TE.map((next) => {
            const spent = clock() - start;
            const isEnough = spent >= seconds && (next.products >= fewestProducts || spent >= 5 * seconds);
            return isEnough ? E.right((2 * n ** 3) / next.best / 1e9) : E.left(next);
          }),
        ),
      ),
    ),
  );
};

/** Modes on rasterisers take seconds for larger products. */
const modeOrder = 256;

const probeMode =
  ({ clock, seconds = 0.3, order = 512 }: DiagnosisOptions) =>
  (mode: GpuMode): TE.TaskEither<KfacError, ModeFinding> =>
    pipe(
      withBackend({ backend: 'gpu', gpuMode: mode }, (backend) =>
        pipe(
          matmulRate(backend, Math.min(order, modeOrder), clock, seconds),
          TE.map((gflops): ModeFinding => {
            const { gpu, warnings } = backend.report();
            return { mode, found: true, adapter: gpu?.adapter ?? null, gflops, warnings };
          }),
        ),
      ),
      TE.orElse((error) =>
        TE.right<KfacError, ModeFinding>({
          mode,
          found: false,
          reason: error._tag === 'BackendUnavailable' ? error.reason : describeError(error),
        }),
      ),
    );

/** How to get faster than the chosen backend. */
const adviceFor = (chosen: BackendReport, backends: ReadonlyArray<Finding>): ReadonlyArray<string> => {
  if (chosen.backend === 'native') {
    return chosen.library.startsWith('BLAS')
      ? ['This BLAS may be the unoptimised reference implementation: install OpenBLAS, or set KFAC_BLAS to its path.']
      : [];
  }
  const native = backends.find(({ backend }) => backend === 'native');
  if (native === undefined) return [];
  return native.found ? ['The native backend works here and is faster: use --backend native.'] : [native.advice];
};

/**
 * Looks at every backend and measures the one that the options choose.
 *
 * @param options - which backend to measure, and a clock
 * @returns what was found; fails only when the options ask for a backend that is not there
 * @example
 * ```ts no-run
 * import * as E from 'fp-ts/lib/Either.js';
 * import { diagnose } from 'kfac-ts/core';
 *
 * const found = await diagnose({ clock: () => performance.now() / 1000 })();
 * if (E.isRight(found)) console.log(found.right);
 * ```
 */
export const diagnose = (options: DiagnosisOptions): TE.TaskEither<KfacError, Diagnosis> => {
  const { clock, seconds = 0.3, order = 512 } = options;
  return pipe(
    TE.Do,
    TE.bind('backends', () => TE.traverseSeqArray(probe)(backendNames)),
    TE.bind('modes', () => TE.traverseSeqArray(probeMode(options))(gpuModes)),
    TE.bind('measured', () =>
      withBackend(options, (backend) =>
        pipe(
          matmulRate(backend, order, clock, seconds),
          TE.map((gflops) => ({ chosen: backend.report(), dtype: backend.dtype, gflops })),
        ),
      ),
    ),
    TE.map(({ backends, modes, measured }) => ({
      ...measured,
      backends,
      gpuModes: modes,
      advice: adviceFor(measured.chosen, backends),
    })),
  );
};
