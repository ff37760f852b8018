/**
 * WebGPU as a device.
 *
 * gpu.js finds WebGPU in `navigator.gpu` and opens one device for the whole program, which outlives any user of it. Its
 * kernels answer with a promise that settles when they have been submitted; a device that is lost settles nothing, so
 * losing it is listened for.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../../errors.ts';
import { raise } from '../../../errors.ts';
import type { RawGpu, RawKernel } from '../gpujs/gpujs.ts';
import { inputOf, rawGpu } from '../gpujs/gpujs.ts';

import { isSoftwareName } from '../../gpuModes.ts';

import { degradation, degradedError } from './degraded.ts';
import type { Device, Handle } from './device.ts';
import { copyKernel } from './kernels/elementwise.ts';
import type { Kernel } from './kernels/kernel.ts';

/** The part of a WebGPU adapter that is used here. */
export interface WebgpuAdapter {
  readonly isFallbackAdapter?: boolean;
  readonly info?: {
    readonly vendor?: string;
    readonly architecture?: string;
    readonly device?: string;
    readonly description?: string;
    readonly isFallbackAdapter?: boolean;
  };
}

/** The part of `navigator.gpu` that is used here. */
export interface WebgpuEntry {
  readonly requestAdapter: () => Promise<WebgpuAdapter | null>;
}

/** The part of a WebGPU device that is used here. */
interface WebgpuDevice {
  readonly lost: Promise<{ readonly reason?: string; readonly message?: string }>;
  readonly addEventListener?: (
    type: 'uncapturederror',
    listener: (event: { readonly error: { readonly message: string } }) => void,
  ) => void;
  readonly removeEventListener?: WebgpuDevice['addEventListener'];
}

/** What a kernel of gpu.js resolves to. Its dimensions are ours to set: the buffer is flat in any case. */
interface RawResult {
  readonly context: { readonly device: WebgpuDevice };
  readonly toArray: () => Promise<Float32Array>;
  readonly delete: () => void;
}

/** An array in a buffer of the device. */
export interface BufferHandle extends Handle {
  readonly raw: RawResult;
}

const lengthOf = ({ threads, components }: Kernel): number =>
  threads.reduce((size, extent) => size * extent, components);

/** Milliseconds by which the failure of a call may be ahead of the news that the device is lost. */
const lead = 100;

/** What was asked of a device. When it fails, whoever listens for the loss of the device hears of that first. */
const after = <A>(device: WebgpuDevice, asked: Promise<A>): Promise<A> =>
  asked.catch(async () => {
    await Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, lead))]);
    return asked;
  });

const handleOf = (raw: RawResult, length: number): BufferHandle => {
  Object.assign(raw, { output: [length], componentCount: 1 });
  return { raw, read: () => after(raw.context.device, raw.toArray()), free: () => raw.delete() };
};

const compile = (gpu: RawGpu, kernel: Kernel): RawKernel =>
  gpu
    .createKernel(kernel.source(), {
      output: kernel.threads,
      precision: 'single',
      pipeline: true,
      immutable: true,
      argumentTypes: [...Array<string>(kernel.arrays).fill('Input'), ...Array<string>(kernel.numbers).fill('Float')],
    })
    .setLoopMaxIterations(2 ** 30);

/** A kernel that is called as gpu.js wants it. */
interface Runner {
  readonly run: (args: ReadonlyArray<object | number>) => Promise<BufferHandle>;
  readonly destroy: () => void;
}

const runnerOf = (gpu: RawGpu, kernel: Kernel): Runner => {
  const raw = compile(gpu, kernel);
  const length = lengthOf(kernel);
  return {
    run: async (args) => {
      const result = await (raw(...args) as unknown as Promise<RawResult>);
      const reason = degradation(raw, 'webgpu');
      return reason === undefined ? handleOf(result, length) : raise(degradedError('webgpu', reason));
    },
    destroy: () => raw.destroy(),
  };
};

/** What a lost device and its stray errors are called. */
const failure = (reason: string): KfacError => ({
  _tag: 'DeviceFailed',
  where: 'gpu (webgpu)',
  reason: reason.replace(/\s*\n[^]*$/, '').replace(/\.+$/, ''),
  advice: 'Open the backend again and go on from the last checkpoint, with a smaller batch if memory ran out.',
});

const listen = (device: WebgpuDevice, report: (error: KfacError) => void): (() => void) => {
  let isListening = true;
  const tell = (reason: string): void => {
    if (isListening) report(failure(reason));
  };
  const onError = ({ error }: { readonly error: { readonly message: string } }): void => tell(error.message);
  void device.lost.then(({ message }) => tell(`the device was lost: ${message ?? 'no reason given'}`));
  device.addEventListener?.('uncapturederror', onError);
  return () => {
    isListening = false;
    device.removeEventListener?.('uncapturederror', onError);
  };
};

/** Name of an adapter for a report. */
const nameOf = ({ info = {} }: WebgpuAdapter): string => {
  const { vendor = '', architecture = '', device = '', description = '' } = info;
  return [...new Set([vendor, architecture, description === '' ? device : description])]
    .filter((part) => part !== '')
    .join(' ');
};

const isFallback = ({ isFallbackAdapter, info }: WebgpuAdapter): boolean =>
  isFallbackAdapter === true || info?.isFallbackAdapter === true;

const deviceOf = (gpu: RawGpu, adapter: WebgpuAdapter, device: WebgpuDevice): Device<BufferHandle> => {
  const name = nameOf(adapter);
  return {
    mode: 'webgpu',
    adapter: name === '' ? 'unnamed adapter' : name,
    isSoftware: isFallback(adapter) || isSoftwareName(name),
    readsVectors: true,
    createKernel: (kernel) => {
      const { run, destroy } = runnerOf(gpu, kernel);
      return { run: (arrays, numbers) => after(device, run([...arrays.map(({ raw }) => raw), ...numbers])), destroy };
    },
    createUpload: (n) => {
      const { run, destroy } = runnerOf(gpu, copyKernel(n));
      return { run: (values) => after(device, run([inputOf(values)])), destroy };
    },
    onFailure: (report) => listen(device, report),
    loss: () => null, // it is reported
    dispose: () => gpu.destroy(),
  };
};

const trialValues = [1, 2, 3, 4, 5];

/** Runs a kernel, to see that the device works and to get hold of it. */
const tryKernel = async (gpu: RawGpu): Promise<E.Either<string, WebgpuDevice>> => {
  const { run, destroy } = runnerOf(gpu, copyKernel(trialValues.length));
  const handle = await run([inputOf(Float32Array.from(trialValues))]);
  const values = Array.from(await handle.read());
  handle.free();
  destroy();
  return values.join() === trialValues.join()
    ? E.right(handle.raw.context.device)
    : E.left(`a test kernel returned ${values.join(' ')}`);
};

/**
 * Opens WebGPU.
 *
 * @param entry - `navigator.gpu`
 * @returns the device, which may be a software rasteriser; or the reason why there is none
 */
export const webgpuDevice = (entry: WebgpuEntry): TE.TaskEither<string, Device<BufferHandle>> =>
  pipe(
    TE.tryCatch(() => entry.requestAdapter(), String),
    TE.chainEitherK(E.fromNullable('WebGPU has no adapter here')),
    TE.chain((adapter) =>
      pipe(
        TE.tryCatch(async () => {
          const gpu = rawGpu('webgpu');
          return { gpu, tried: await tryKernel(gpu) };
        }, String),
        TE.chainEitherK(({ gpu, tried }) =>
          pipe(
            tried,
            E.map((device) => deviceOf(gpu, adapter, device)),
          ),
        ),
      ),
    ),
  );
