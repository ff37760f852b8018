/**
 * Opening a device in a mode, or saying why it cannot be had.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { GpuMode } from '../../gpuModes.ts';

import type { Device, Handle, SomeDevice } from './device.ts';
import { glDevice } from './glDevice.ts';
import { memoryDevice } from './memoryDevice.ts';
import { webgpuDevice } from './webgpuDevice.ts';
import { findWebgpu } from './webgpuEntry.ts';

/** Modes in which arrays live on a device. */
export type DeviceMode = Exclude<GpuMode, 'webasm'>;

const some =
  <H extends Handle>(device: Device<H>): SomeDevice =>
  (use) =>
    use(device);

const openAny = (mode: DeviceMode): TE.TaskEither<string, SomeDevice> => {
  switch (mode) {
    case 'webgpu':
      return pipe(TE.fromIOEither(findWebgpu), TE.chain(webgpuDevice), TE.map(some));
    case 'webgl2':
    case 'headlessgl':
      return pipe(
        TE.fromIOEither(() => glDevice(mode)),
        TE.map(some),
      );
    case 'cpu':
      return pipe(
        TE.fromIOEither(() => E.tryCatch(() => memoryDevice(mode), String)),
        TE.map(some),
      );
  }
};

/** Why a device is not wanted. */
const refusalOf = ({ adapter }: Pick<Device, 'adapter'>): string =>
  `its adapter, ${adapter ?? 'unnamed'}, is a program and no graphics hardware`;

/**
 * Opens a device.
 *
 * @param mode - which kind
 * @param takesSoftware - whether a program that stands in for hardware will do
 * @returns the device, or the reason why there is none
 */
export const openDevice = (mode: DeviceMode, takesSoftware: boolean): TE.TaskEither<string, SomeDevice> =>
  pipe(
    openAny(mode),
    TE.chain((opened) =>
      opened((device) =>
        device.isSoftware && !takesSoftware
          ? TE.leftTask(async () => {
              await device.dispose();
              return refusalOf(device);
            })
          : TE.right(some(device)),
      ),
    ),
  );
