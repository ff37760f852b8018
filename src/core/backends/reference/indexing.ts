/**
 * Arrays as functions of a multi-index: how the reference interpreter defines what it computes.
 *
 * No strides and no fast paths. Every operation says which elements it reads in the terms of its definition, so it can
 * be checked by eye against the mathematics.
 *
 * @module
 */
import type { DType, Shape, Tensor } from '../../tensor.ts';
import { allocate, sizeOf } from '../../tensor.ts';

/** One number per axis, outermost first. */
export type Index = ReadonlyArray<number>;

/**
 * Row-major position of an element.
 *
 * @param shape - shape of the array
 * @param index - one number per axis
 */
export const positionOf = (shape: Shape, index: Index): number => {
  let position = 0;
  for (let axis = 0; axis < shape.length; axis += 1) position = position * shape[axis] + index[axis];
  return position;
};

/** The element of an array at a multi-index. */
export const elementAt = (x: Tensor, index: Index): number => x.data[positionOf(x.shape, index)];

/** The element that x has there when it is broadcast: axes aligned at the last, an extent of 1 repeated. */
export const broadcastElementAt = (x: Tensor, index: Index): number => {
  const lead = index.length - x.shape.length;
  let position = 0;
  for (let axis = 0; axis < x.shape.length; axis += 1) {
    position = position * x.shape[axis] + (x.shape[axis] === 1 ? 0 : index[lead + axis]);
  }
  return x.data[position];
};

/**
 * Visits all multi-indices of a shape in row-major order.
 *
 * @param shape - shape
 * @param visit - called with a multi-index, which is valid during the call only, and its position
 */
export const forEachIndex = (shape: Shape, visit: (index: Index, position: number) => void): void => {
  const index = shape.map(() => 0);
  const size = sizeOf(shape);
  for (let position = 0; position < size; position += 1) {
    visit(index, position);
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      index[axis] += 1;
      if (index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
};

/**
 * The array with a given element at every multi-index.
 *
 * @param dtype - element type
 * @param shape - shape
 * @param valueAt - element at a multi-index, which is valid during the call only
 */
export const build = (dtype: DType, shape: Shape, valueAt: (index: Index) => number): Tensor => {
  const data = allocate(dtype, sizeOf(shape));
  forEachIndex(shape, (index, position) => {
    data[position] = valueAt(index);
  });
  return { shape, dtype, data };
};
