/**
 * Arrays on a device, scopes that own them, and the machine that computes them at once.
 *
 * An array is a shape and a slot; reshaped arrays share a slot.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../../errors.ts';
import type { Tensor } from '../../../tensor.ts';
import { tensor } from '../../../tensor.ts';
import type { CacheLimits } from '../gpujs/kernelCache.ts';
import { kernelCache } from '../gpujs/kernelCache.ts';

import type { Device, Handle, ResidentKernel, UploadKernel } from './device.ts';
import type { Kernel } from './kernels/kernel.ts';
import type { Machine, MachineArray } from './operations/machine.ts';
import type { DeviceUsage, Owner, Slot } from './slots.ts';
import { createSlots } from './slots.ts';
import { createStream } from './stream.ts';

/** An array on a device. */
export interface DeviceTensor extends MachineArray {
  /** Its place on the device, or `null` for an array without elements. */
  readonly slot: Slot | null;
}

/** Makes arrays that belong together. */
export interface DeviceScope {
  readonly machine: Machine<DeviceTensor>;
  /** A scope within this one: what it keeps belongs to this one. */
  readonly open: () => DeviceScope;
  /** Ends the scope, see `Scope` in `backend.ts`. */
  readonly close: (keep: ReadonlyArray<DeviceTensor>, retire: ReadonlyArray<DeviceTensor>) => void;
}

/** The arrays of a device. */
export interface DeviceArrays {
  /** Makes arrays that belong to no scope. */
  readonly root: DeviceScope;
  /** Reads an array; settles even when the device is lost. */
  readonly read: (x: DeviceTensor) => Promise<E.Either<KfacError, Tensor>>;
  readonly usage: () => DeviceUsage & { readonly kernels: CacheLimits };
  /** Destroys all kernels. */
  readonly dispose: () => void;
}

/** Room for the kernels of a training step of some dozen layers; a kernel keeps its last result. */
const deviceLimits: CacheLimits = { kernels: 1024, bytes: 2 ** 30 };

/** Room for uploads: the batches and the constants of a step. */
const uploadLimits: CacheLimits = { kernels: 64, bytes: 2 ** 28 };

const lengthOf = ({ threads, components }: Kernel): number =>
  threads.reduce((size, extent) => size * extent, components);

const slotsOf = (xs: ReadonlyArray<DeviceTensor>): ReadonlyArray<Slot> =>
  xs.flatMap(({ slot }) => (slot === null ? [] : [slot]));

/**
 * The arrays of a device.
 *
 * @param device - where they are
 * @param limits - bounds of the kernel cache
 */
export const arraysOn = <H extends Handle>(device: Device<H>, limits: CacheLimits = deviceLimits): DeviceArrays => {
  const stream = createStream();
  const slots = createSlots(device, stream);
  const kernels = kernelCache<ResidentKernel<H>>(limits);
  const uploads = kernelCache<UploadKernel<H>>(uploadLimits);

  const kernelFor = (kernel: Kernel): ResidentKernel<H> =>
    kernels.obtain(kernel.key, () => ({ kernel: device.createKernel(kernel), bytes: 4 * lengthOf(kernel) }));

  const uploadOf = (n: number): UploadKernel<H> =>
    uploads.obtain(String(n), () => ({ kernel: device.createUpload(n), bytes: 8 * n }));

  const scopeOf = (owner: () => Owner, made: (slot: Slot) => void, close: DeviceScope['close']): DeviceScope => {
    const noted = (slot: Slot): Slot => {
      made(slot);
      return slot;
    };
    const machine: Machine<DeviceTensor> = {
      readsVectors: device.readsVectors,
      launch: (kernel, arrays, numbers, shape, dtype = 'f32') => {
        const run = (handles: ReadonlyArray<H>): ReturnType<ResidentKernel<H>['run']> =>
          kernelFor(kernel).run(handles, numbers);
        const slot = slots.make(4 * lengthOf(kernel), owner(), slotsOf(arrays), run, kernel.key);
        return { shape, dtype, slot: noted(slot) };
      },
      view: (x, shape) => ({ ...x, shape }),
      upload: ({ shape, data }, dtype) => {
        // The program may write to its array as soon as this has returned.
        const values = Float32Array.from(data);
        const slot = slots.make(4 * values.length, owner(), [], () => uploadOf(values.length).run(values), 'upload');
        return { shape, dtype, slot: noted(slot) };
      },
      nothing: (shape, dtype) => ({ shape, dtype, slot: null }),
    };
    return { machine, open: () => open(made, owner), close };
  };

  /** A scope whose kept arrays go to the one around it. */
  const open = (bequeath: (slot: Slot) => void, heir: () => Owner): DeviceScope => {
    const self = {};
    let made: Array<Slot> | null = [];
    return scopeOf(
      () => (made === null ? null : self),
      (slot) => void made?.push(slot),
      (keep, retire) => {
        if (made === null) return;
        const kept = new Set(slotsOf(keep));
        for (const slot of made) {
          if (slots.ownerOf(slot) !== self) continue; // it was retired by somebody
          if (!kept.has(slot)) {
            slots.free(slot);
            continue;
          }
          slots.give(slot, heir());
          bequeath(slot);
        }
        for (const slot of slotsOf(retire)) if (!kept.has(slot)) slots.free(slot);
        made = null;
      },
    );
  };

  return {
    root: scopeOf(
      () => null,
      () => undefined,
      () => undefined,
    ),
    read: async ({ shape, dtype, slot }) =>
      slot === null
        ? E.right(tensor([], shape, dtype))
        : pipe(
            await slots.read(slot),
            E.map((values) => tensor(values, shape, dtype)),
          ),
    usage: () => ({ ...slots.usage(), kernels: kernels.usage() }),
    dispose: () => {
      slots.dispose();
      kernels.clear();
      uploads.clear();
    },
  };
};
