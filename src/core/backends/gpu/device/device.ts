/**
 * Arrays and kernels on a device, in the few terms that all of gpu.js's modes have in common.
 *
 * @module
 */
import type { KfacError } from '../../../errors.ts';
import type { ReadonlyVector } from '../../../tensor.ts';
import type { GpuMode } from '../../gpuModes.ts';

import type { Kernel } from './kernels/kernel.ts';

/** Now, or when the device gets there. */
export type Eventually<A> = A | Promise<A>;

/** Whether something is still to come. Asked of its form, because a promise may come from another realm. */
export const isPromise = <A>(value: Eventually<A>): value is Promise<A> =>
  typeof value === 'object' && value !== null && 'then' in value;

/** An array on a device. */
export interface Handle {
  /** Its elements, in memory of their own. Fails with an error of gpu.js, or where the device has gone. */
  readonly read: () => Eventually<Float32Array>;
  /** Gives its memory back. Kernels that were started before still read it. */
  readonly free: () => void;
}

/** A compiled kernel, or one that its first run compiles. */
export interface ResidentKernel<H extends Handle> {
  /** Runs on arrays of the device. Fails with an error of gpu.js. */
  readonly run: (arrays: ReadonlyArray<H>, numbers: ReadonlyArray<number>) => Eventually<H>;
  readonly destroy: () => void;
}

/** A kernel that takes an array of the host. */
export interface UploadKernel<H extends Handle> {
  readonly run: (values: ReadonlyVector) => Eventually<H>;
  readonly destroy: () => void;
}

/** An open device. */
export interface Device<H extends Handle = Handle> {
  readonly mode: GpuMode;
  /** Name of the graphics adapter, where there is one. */
  readonly adapter: string | null;
  /** Whether the adapter is a program that stands in for hardware. */
  readonly isSoftware: boolean;
  /** Whether results of four numbers per thread can be read as flat arrays by the next kernel. */
  readonly readsVectors: boolean;
  readonly createKernel: (kernel: Kernel) => ResidentKernel<H>;
  /** The kernel that brings `n` numbers onto the device. */
  readonly createUpload: (n: number) => UploadKernel<H>;
  /** Calls back when the device is lost or reports an error that belongs to no call; gives what ends this. */
  readonly onFailure: (report: (error: KfacError) => void) => () => void;
  /** Why the device cannot be used any more, where that is known at once; asked when a call has failed. */
  readonly loss: () => KfacError | null;
  readonly dispose: () => Promise<void>;
}

/** A device whose kind of handle nobody else knows. */
export type SomeDevice = <A>(use: <H extends Handle>(device: Device<H>) => A) => A;
