/**
 * Axes of host arrays in another order, and rows of several arrays under each other, without a change of any number.
 *
 * @module
 */
import type { Shape, Tensor } from '../../core/tensor.ts';
import { generate, sizeOf } from '../../core/tensor.ts';

/** Elements from one entry of an axis to the next. */
const stridesOf = (shape: Shape): ReadonlyArray<number> => shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));

/**
 * An array seen with other extents, its axes in another order.
 *
 * @param x - any array
 * @param extents - how to see it: as many elements
 * @param order - the axis of these extents that stands at each place of the result
 */
export const permuted = ({ data, dtype }: Tensor, extents: Shape, order: ReadonlyArray<number>): Tensor => {
  const strides = stridesOf(extents);
  const shape = order.map((axis) => extents[axis]);
  const own = stridesOf(shape);
  const from = (i: number): number =>
    order.reduce((at, axis, place) => at + (Math.floor(i / own[place]) % shape[place]) * strides[axis], 0);
  return generate(shape, (i) => data[from(i)], dtype);
};

/** The same numbers with other extents. */
export const reshaped = ({ data, dtype }: Tensor, shape: Shape): Tensor => ({ data, dtype, shape });

/** Arrays of equal columns under each other. */
export const stacked = (parts: ReadonlyArray<Tensor>): Tensor => {
  const [{ shape, dtype }] = parts;
  const size = sizeOf(shape);
  return generate(
    [parts.length * shape[0], ...shape.slice(1)],
    (i) => parts[Math.floor(i / size)].data[i % size],
    dtype,
  );
};

/** An array in so many equal parts along its first axis. */
export const split = ({ data, dtype, shape: [rows, ...rest] }: Tensor, count: number): ReadonlyArray<Tensor> => {
  const shape = [rows / count, ...rest];
  const size = sizeOf(shape);
  return Array.from({ length: count }, (_, k) => generate(shape, (i) => data[k * size + i], dtype));
};

/** The sum of two arrays of one shape. */
export const sum = (a: Tensor, b: Tensor): Tensor => generate(a.shape, (i) => a.data[i] + b.data[i], a.dtype);

/** Zeros in the shape of an array. */
export const zerosLike = ({ shape, dtype }: Tensor): Tensor => generate(shape, () => 0, dtype);
