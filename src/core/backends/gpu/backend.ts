/**
 * The gpu backend, in a mode that is asked for by name or in the fastest one that the machine has.
 *
 * gpu.js's own choice is never used: it takes a software rasteriser for a graphics card, and is then some fifty times
 * slower than WebAssembly.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../errors.ts';
import { describeError } from '../../errors.ts';
import type { Shaped, Tensor } from '../../tensor.ts';
import type { Backend, SomeBackend } from '../backend.ts';
import { someBackend } from '../backend.ts';

import { hostKernelBackend } from './hostKernels.ts';
import type { GpuMode, Refusal } from './modes.ts';
import { automaticModes } from './modes.ts';

/** Settings of {@link gpuBackend}. */
export interface GpuOptions {
  /** `auto`, the default, takes the fastest mode that has real hardware; a mode by name is never replaced. */
  readonly mode?: 'auto' | GpuMode;
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

/** The same backend, with more to say in its report. */
const annotated = <T extends Shaped>(
  backend: Backend<T>,
  warnings: ReadonlyArray<string>,
  refused: ReadonlyArray<Refusal>,
): Backend<T> => ({
  ...backend,
  report: () => {
    const report = backend.report();
    return {
      ...report,
      warnings: [...warnings, ...report.warnings],
      ...(report.gpu === undefined ? {} : { gpu: { ...report.gpu, refused } }),
    };
  },
});

const openMode = (
  mode: GpuMode,
  { threads }: GpuOptions,
  refused: ReadonlyArray<Refusal>,
): TE.TaskEither<KfacError, SomeBackend> => {
  switch (mode) {
    case 'webasm':
      return pipe(
        TE.fromIOEither<KfacError, Backend<Tensor>>(() =>
          hostKernelBackend(mode, threads === undefined ? {} : { threads }),
        ),
        TE.map((backend) => someBackend(annotated(backend, [], refused))),
      );
    case 'cpu':
      return pipe(
        TE.fromIOEither<KfacError, Backend<Tensor>>(() => hostKernelBackend(mode)),
        TE.map((backend) => someBackend(annotated(backend, threadsIgnored(threads), refused))),
      );
    case 'webgpu':
    case 'webgl2':
    case 'headlessgl':
      return TE.left(unavailable(mode, 'this version has no kernels for it'));
  }
};

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
 */
export const gpuBackend = (options: GpuOptions = {}): TE.TaskEither<KfacError, SomeBackend> => {
  const { mode = 'auto' } = options;
  return mode === 'auto' ? openFastest(automaticModes, options, []) : openMode(mode, options, []);
};
