/**
 * The machine that records: kernels become steps of a plan instead of running.
 *
 * @module
 */
import type { Shape } from '../../../tensor.ts';
import { sizeOf } from '../../../tensor.ts';
import { copyKernel } from '../device/kernels/elementwise.ts';
import type { Machine, MachineArray } from '../device/operations/machine.ts';

import type { PlanHandle, Trace } from './plan.ts';

/** An array of a plan. */
export interface TracedTensor extends MachineArray {
  /** What stands for it, or `null` for an array without elements. */
  readonly handle: PlanHandle | null;
}

/**
 * A machine within a trace. Its arrays are good for this trace only.
 *
 * @param trace - where kernels are recorded
 */
export const recorder = (trace: Trace): Machine<TracedTensor> => ({
  readsVectors: false, // a step that returns four numbers per thread cannot feed another one
  launch: (kernel, arrays, numbers, shape, dtype = 'f32') => ({
    shape,
    dtype,
    handle: trace.call(
      kernel,
      arrays.flatMap(({ handle }) => (handle === null ? [] : [handle])),
      numbers,
    ),
  }),
  view: (x, shape) => ({ ...x, shape }),
  upload: ({ shape, data }, dtype) => ({ shape, dtype, handle: trace.literal(Float32Array.from(data)) }),
  nothing: (shape, dtype) => ({ shape, dtype, handle: null }),
});

/**
 * An array as a result: a copy, because what a plan is given, and what is the same in every run, are no results of it.
 *
 * @param trace - where the copy is recorded
 * @param handle - what stands for the array
 * @param shape - its shape
 */
export const asResult = (trace: Trace, handle: PlanHandle, shape: Shape): PlanHandle =>
  trace.call(copyKernel(sizeOf(shape)), [handle], []);
