/**
 * The backend whose arrays live on a device.
 *
 * Factorisations are the host's: they are serial, want double precision, and are rare. Their operands are read back and
 * their results brought over.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../../errors.ts';
import type { Tensor } from '../../../tensor.ts';
import type { Backend, LinearAlgebra, Scope } from '../../backend.ts';
import type { Factorisations } from '../../host/linearAlgebra.ts';
import { linearAlgebraOf } from '../../host/linearAlgebra.ts';
import { createPool } from '../../host/pool.ts';
import { f32 } from '../../host/kernels/precision.ts';
import { withinScopes } from '../../within.ts';
import type { CacheLimits } from '../gpujs/kernelCache.ts';
import type { Refusal } from '../../gpuModes.ts';
import { titleOf } from '../../gpuModes.ts';

import type { DeviceArrays, DeviceScope, DeviceTensor } from './arrays.ts';
import { arraysOn } from './arrays.ts';
import type { Device, Handle } from './device.ts';
import { interpreterOn } from './interpreter.ts';
import type { DeviceUsage } from './slots.ts';

/** Factorisations of the host, and what the report calls them. */
export interface HostFactorisations {
  readonly name: string;
  readonly factorisations: Factorisations;
}

/** A backend on a device. */
export interface DeviceBackend extends Backend<DeviceTensor> {
  /** What arrays take up on the device now, kernels and their last results aside. */
  readonly usage: () => DeviceUsage & { readonly kernels: CacheLimits };
}

/** Factorisations of arrays of a device, on the host. */
const linearAlgebraOn = (
  host: LinearAlgebra<Tensor>,
  read: (x: DeviceTensor) => TE.TaskEither<KfacError, Tensor>,
  constant: (x: Tensor) => DeviceTensor,
): LinearAlgebra<DeviceTensor> => {
  const both = (a: DeviceTensor, b: DeviceTensor): TE.TaskEither<KfacError, readonly [Tensor, Tensor]> =>
    pipe(
      TE.Do,
      TE.apS('a', read(a)),
      TE.apS('b', read(b)),
      TE.map((hosts) => [hosts.a, hosts.b] as const),
    );
  return {
    cholesky: (m) => pipe(read(m), TE.chain(host.cholesky), TE.map(constant)),
    inverse: (m) => pipe(read(m), TE.chain(host.inverse), TE.map(constant)),
    choleskySolve: (l, b) =>
      pipe(
        both(l, b),
        TE.chain(([left, right]) => host.choleskySolve(left, right)),
        TE.map(constant),
      ),
    solve: (m, b) =>
      pipe(
        both(m, b),
        TE.chain(([left, right]) => host.solve(left, right)),
        TE.map(constant),
      ),
    eigh: (m) =>
      pipe(
        read(m),
        TE.chain(host.eigh),
        TE.map(({ values, vectors }) => ({ values: constant(values), vectors: constant(vectors) })),
      ),
  };
};

/** Settings of {@link deviceBackend}. */
export interface DeviceSettings {
  readonly host: HostFactorisations;
  readonly warnings?: ReadonlyArray<string>;
  readonly refused?: ReadonlyArray<Refusal>;
  /** Bounds of the kernel cache. */
  readonly limits?: CacheLimits;
}

const backendOn = <H extends Handle>(
  device: Device<H>,
  arrays: DeviceArrays,
  settings: DeviceSettings,
  { machine, open }: DeviceScope,
): DeviceBackend => {
  const scope = (): Scope<DeviceTensor> => {
    const opened = open();
    return {
      backend: backendOn(device, arrays, settings, opened),
      close: (keep, retire = []) => opened.close(keep, retire),
    };
  };
  const ops = interpreterOn(machine, { within: withinScopes(scope) });
  const read =
    (x: DeviceTensor): TE.TaskEither<KfacError, Tensor> =>
    () =>
      arrays.read(x);
  const host = linearAlgebraOf({ precision: f32, allocator: createPool(f32).root }, settings.host.factorisations);
  return {
    name: 'gpu',
    dtype: 'f32',
    ops,
    linearAlgebra: linearAlgebraOn(host, read, ops.constant),
    read,
    scope,
    report: () => ({
      backend: 'gpu',
      library: [`gpu.js, ${titleOf[device.mode]}`, ...(device.adapter === null ? [] : [device.adapter])].join(', '),
      threads: 1,
      factorisations: settings.host.name,
      warnings: settings.warnings ?? [],
      gpu: { mode: device.mode, adapter: device.adapter, refused: settings.refused ?? [] },
    }),
    dispose: TE.fromTask(async () => {
      arrays.dispose();
      await device.dispose();
    }),
    usage: arrays.usage,
  };
};

/**
 * A backend on an open device, in single precision.
 *
 * @param device - where arrays live
 * @param settings - factorisations, and what its report says
 */
export const deviceBackend = <H extends Handle>(device: Device<H>, settings: DeviceSettings): DeviceBackend => {
  const arrays = arraysOn(device, settings.limits);
  return backendOn(device, arrays, settings, arrays.root);
};
