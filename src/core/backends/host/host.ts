/**
 * What every operation of the host interpreter works with.
 *
 * @module
 */
import type { DType, ReadonlyVector, Shape, Tensor } from '../../tensor.ts';
import type { Buffer, Precision } from './kernels/precision.ts';

import type { Kernels } from './kernels/kernels.ts';
import type { Allocator } from './pool.ts';
import type { Products } from './kernels/products.ts';

/** A precision, and where results live. */
export interface Floats {
  readonly precision: Precision;
  readonly allocator: Allocator;
}

/** The parts of an interpreter: a precision, loops, matrix products, and where results live. */
export interface Host extends Floats {
  readonly kernels: Kernels;
  readonly products: Products;
  /** Whether kernels find an array where they work on it in place. */
  readonly isInside: (data: ReadonlyVector) => boolean;
}

/** The elements of a tensor as floats of the interpreter; converted when they are integers or of the other precision. */
export const floatsOf = (host: Floats, x: Tensor): ReadonlyVector => {
  if (x.dtype === host.precision.dtype) return x.data;
  const floats = host.allocator.take(x.data.length);
  floats.set(x.data);
  return floats;
};

/** A tensor of the interpreter's floats. */
export const floatTensor = (host: Floats, shape: Shape, data: ReadonlyVector): Tensor => ({
  shape,
  dtype: host.precision.dtype,
  data,
});

/** A tensor as operations take it that only move elements: integers stay, floats take the interpreter's precision. */
export const movable = (host: Host, x: Tensor): Tensor =>
  x.dtype === 'i32' || x.dtype === host.precision.dtype ? x : floatTensor(host, x.shape, floatsOf(host, x));

/** Elements from which an array from elsewhere is worth a copy. */
export const worthACopy = 256;

/** A tensor from outside; floats are copied to where kernels work on them in place. */
export const entered = (host: Host, x: Tensor): Tensor => {
  if (x.dtype !== host.precision.dtype || x.data.length < worthACopy || host.isInside(x.data)) return movable(host, x);
  const floats = host.allocator.take(x.data.length);
  floats.set(x.data);
  return { ...x, data: floats };
};

/** Room for elements of a type, with arbitrary contents. */
export const room = (host: Host, dtype: DType, length: number): Buffer =>
  dtype === 'i32' ? new Int32Array(length) : host.allocator.take(length);

/** Zeros of a type. */
export const zeros = (host: Host, dtype: DType, length: number): Buffer =>
  dtype === 'i32' ? new Int32Array(length) : host.allocator.zeros(length);
