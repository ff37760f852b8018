/**
 * What runs kernels: at once, or by recording them for later.
 *
 * The array language is interpreted once, on a machine. Everything that differs between running a kernel now and
 * putting it into a plan is in these few functions.
 *
 * @module
 */
import type { Shape, Shaped, Tensor } from '../../../../tensor.ts';

import type { Kernel } from '../kernels/kernel.ts';

/** Element types on a device. Integers are floats there, which hold them exactly up to 2²⁴. */
export type DeviceType = 'f32' | 'i32';

/** An array of a machine. */
export interface MachineArray extends Shaped {
  readonly dtype: DeviceType;
}

/** Runs kernels on arrays of some type. */
export interface Machine<T extends MachineArray> {
  /**
   * Whether a result of four numbers per thread can be read by the next kernel as a flat array. Textures cannot.
   */
  readonly readsVectors: boolean;
  /**
   * Runs a kernel.
   *
   * @param kernel - what to run
   * @param arrays - its arrays, all of which have elements
   * @param numbers - its numbers
   * @param shape - shape of the result, which has as many elements as the kernel's threads return
   * @param dtype - type of the result, `f32` unless given
   */
  readonly launch: (
    kernel: Kernel,
    arrays: ReadonlyArray<T>,
    numbers: ReadonlyArray<number>,
    shape: Shape,
    dtype?: DeviceType,
  ) => T;
  /** The same elements under another shape, without a copy. */
  readonly view: (x: T, shape: Shape) => T;
  /** An array from the host; it has elements, and integers among them are exact. */
  readonly upload: (x: Tensor, dtype: DeviceType) => T;
  /** An array without elements. */
  readonly nothing: (shape: Shape, dtype: DeviceType) => T;
}
