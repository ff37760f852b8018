/**
 * The gpu backend, in a mode that is asked for by name or in the fastest one that the machine has.
 *
 * gpu.js's own choice is never used: it takes a software rasteriser for a graphics card, and is then some fifty times
 * slower than WebAssembly.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../errors.ts';
import { describeError } from '../../errors.ts';
import type { Shaped, Tensor } from '../../tensor.ts';
import type { Backend, SomeBackend } from '../backend.ts';
import { someBackend } from '../backend.ts';
import { nativeFactorisations } from '../native/backend.ts';

import type { DeviceTensor } from './device/arrays.ts';
import type { HostFactorisations } from './device/backend.ts';
import { deviceBackend } from './device/backend.ts';
import type { Device, Handle } from './device/device.ts';
import { openDevice } from './device/open.ts';
import { portableFactorisations } from '../portable/factorisations.ts';
import { hostKernelBackend } from './hostMemory/hostKernels.ts';
import type { GpuMode, Refusal } from '../gpuModes.ts';
import { automaticModes } from '../gpuModes.ts';

/** Settings of {@link gpuBackend}. */
export interface GpuOptions {
  /** `auto`, the default, takes the fastest mode that has real hardware; a mode by name is never replaced. */
  readonly mode?: 'auto' | GpuMode;
  /** What `auto` tries, the fastest first; all that need no display unless given. */
  readonly modes?: ReadonlyArray<GpuMode>;
  /** Threads of a matrix product, in WebAssembly; as many as the machine runs at once unless given. */
  readonly threads?: number;
}

const unavailable = (mode: GpuMode, reason: string): KfacError => ({
  _tag: 'BackendUnavailable',
  backend: `gpu (${mode})`,
  reason,
  advice: 'Let the mode be auto, or use another backend.',
});

/** One thread is all that a mode without threads of its own can be asked for. */
const threadsIgnored = (threads: number | undefined): ReadonlyArray<string> =>
  threads === undefined || threads === 1 ? [] : [`gpu.js has one thread in this mode: threads ${threads} is ignored.`];

/** The same backend, with the modes that were passed over in its report. */
const annotated = <T extends Shaped>(backend: Backend<T>, refused: ReadonlyArray<Refusal>): Backend<T> => ({
  ...backend,
  report: () => {
    const report = backend.report();
    return { ...report, ...(report.gpu === undefined ? {} : { gpu: { ...report.gpu, refused } }) };
  },
});

/** LAPACK where the machine has it. */
const hostFactorisations = (): HostFactorisations =>
  pipe(
    nativeFactorisations(),
    E.match(
      () => ({ name: 'portable', factorisations: portableFactorisations }),
      (factorisations) => ({ name: 'LAPACK', factorisations }),
    ),
  );

const softwareWarnings = ({ adapter, isSoftware }: Pick<Device, 'adapter' | 'isSoftware'>): ReadonlyArray<string> =>
  isSoftware
    ? [`The adapter ${adapter ?? ''} is a program, not graphics hardware: WebAssembly is many times as fast.`]
    : [];

const onDevice = <H extends Handle>(
  device: Device<H>,
  threads: number | undefined,
  refused: ReadonlyArray<Refusal>,
): Backend<DeviceTensor> =>
  deviceBackend(device, {
    host: hostFactorisations(),
    warnings: [...softwareWarnings(device), ...threadsIgnored(threads)],
    refused,
  });

const openMode = (
  mode: GpuMode,
  { threads, mode: asked = 'auto' }: GpuOptions,
  refused: ReadonlyArray<Refusal>,
): TE.TaskEither<KfacError, SomeBackend> =>
  mode === 'webasm'
    ? pipe(
        TE.fromIOEither<KfacError, Backend<Tensor>>(() =>
          hostKernelBackend(mode, threads === undefined ? {} : { threads }),
        ),
        TE.map((backend) => someBackend(annotated(backend, refused))),
      )
    : pipe(
        openDevice(mode, mode === asked),
        TE.mapLeft((reason) => unavailable(mode, reason)),
        TE.map((opened) => opened((device) => someBackend(onDevice(device, threads, refused)))),
      );

const reasonOf = (error: KfacError): string =>
  error._tag === 'BackendUnavailable' ? error.reason : describeError(error);

const openFastest = (
  [mode, ...slower]: ReadonlyArray<GpuMode>,
  options: GpuOptions,
  refused: ReadonlyArray<Refusal>,
): TE.TaskEither<KfacError, SomeBackend> => {
  const opened = openMode(mode, options, refused);
  return slower.length === 0
    ? opened
    : pipe(
        opened,
        TE.orElse((error) => openFastest(slower, options, [...refused, { mode, reason: reasonOf(error) }])),
      );
};

/**
 * Opens the gpu backend, which has single precision only.
 *
 * @param options - mode and threads
 * @returns the backend; its report names the mode, and those that were passed over with the reasons
 * @example
 * ```ts
 * import * as E from 'fp-ts/lib/Either.js';
 * import { describeError, gpuBackend } from 'kfac-ts/core';
 *
 * const opened = await gpuBackend({ mode: 'cpu' })();
 * console.log(E.isRight(opened) ? opened.right((backend) => backend.report()) : describeError(opened.left));
 * ```
 */
export const gpuBackend = (options: GpuOptions = {}): TE.TaskEither<KfacError, SomeBackend> => {
  const { mode = 'auto', modes = automaticModes } = options;
  return mode === 'auto' ? openFastest(modes, options, []) : openMode(mode, options, []);
};
