/**
 * gpu.js's modes in host memory, as devices. Handles are arrays; nothing is gained by them but a second opinion on the
 * text of kernels.
 *
 * @module
 */
import { raise } from '../../../errors.ts';
import type { ReadonlyVector } from '../../../tensor.ts';
import type { MemoryMode, RawGpu } from '../gpujs/gpujs.ts';
import { flatten, inputOf, rawGpu } from '../gpujs/gpujs.ts';

import { degradation, degradedError } from './degraded.ts';
import type { Device, Handle, ResidentKernel } from './device.ts';
import type { Kernel } from './kernels/kernel.ts';

/** An array in host memory. */
export interface MemoryHandle extends Handle {
  readonly values: ReadonlyVector;
}

const handleOf = (values: Float32Array): MemoryHandle => ({
  values,
  read: () => values.slice(),
  free: () => undefined,
});

const kernelOf = (gpu: RawGpu, mode: MemoryMode, kernel: Kernel): ResidentKernel<MemoryHandle> => {
  const { threads, components } = kernel;
  const length = threads.reduce((size, extent) => size * extent, components);
  const raw = gpu
    .createKernel(kernel.source(), {
      output: threads,
      precision: 'single',
      argumentTypes: [...Array<string>(kernel.arrays).fill('Input'), ...Array<string>(kernel.numbers).fill('Float')],
    })
    .setLoopMaxIterations(2 ** 30);
  let isChecked = false;
  return {
    run: (arrays, numbers) => {
      const result = flatten(raw(...arrays.map(({ values }) => inputOf(values)), ...numbers), length);
      const reason = isChecked ? undefined : degradation(raw, mode);
      if (reason !== undefined) return raise(degradedError(mode, reason));
      isChecked = true;
      return handleOf(result);
    },
    destroy: () => raw.destroy(),
  };
};

/**
 * Opens a mode in host memory as a device; throws where there is no such mode.
 *
 * @param mode - which one
 */
export const memoryDevice = (mode: MemoryMode): Device<MemoryHandle> => {
  const gpu = rawGpu(mode);
  return {
    mode,
    adapter: null,
    isSoftware: false,
    readsVectors: true,
    createKernel: (kernel) => kernelOf(gpu, mode, kernel),
    createUpload: () => ({ run: (values) => handleOf(Float32Array.from(values)), destroy: () => undefined }),
    onFailure: () => () => undefined,
    loss: () => null,
    dispose: () => gpu.destroy(),
  };
};
