/**
 * Shapes and host tensors.
 *
 * A typed array cannot be frozen, so read-only is a type here ({@link ReadonlyVector} has no way to write) and a test
 * (every law suite checks that inputs are bit-identical after a call).
 *
 * @module
 */
import { raise } from './errors.ts';

/** Element types: 32- and 64-bit floats, and 32-bit integers for indices and class labels. */
export type DType = 'f32' | 'f64' | 'i32';

/** Extent of each axis, outermost first. A scalar has shape `[]`. */
export type Shape = ReadonlyArray<number>;

/** Anything whose shape is known without waiting: host tensors, device handles, tape nodes, bare shapes. */
export interface Shaped {
  readonly shape: Shape;
}

/** A typed array that nobody may write to. */
export interface ReadonlyVector extends Iterable<number> {
  readonly length: number;
  readonly byteLength: number;
  readonly byteOffset: number;
  readonly buffer: ArrayBufferLike;
  readonly BYTES_PER_ELEMENT: number;
  readonly [index: number]: number;
}

/** An immutable, dense, row-major array in host memory. */
export interface Tensor extends Shaped {
  readonly dtype: DType;
  /** Elements in row-major order; length is the product of `shape`. */
  readonly data: ReadonlyVector;
}

/** Number of elements of a shape. */
export const sizeOf = (shape: Shape): number => shape.reduce((size, extent) => size * extent, 1);

/** A shape for people, for example `[128, 785]`. */
export const showShape = (shape: Shape): string => `[${shape.join(', ')}]`;

/** Whether two shapes are equal. */
export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((extent, axis) => extent === b[axis]);

/** Bytes per element. */
export const bytesOf = (dtype: DType): number => (dtype === 'f64' ? 8 : 4);

/**
 * A zero-filled typed array of an element type.
 *
 * @param dtype - element type
 * @param length - number of elements
 */
export const allocate = (dtype: DType, length: number): Float32Array | Float64Array | Int32Array =>
  dtype === 'f32' ? new Float32Array(length) : dtype === 'f64' ? new Float64Array(length) : new Int32Array(length);

/**
 * A tensor from numbers; the values are copied.
 *
 * @param values - elements in row-major order
 * @param shape - shape; its product must be the number of values
 * @param dtype - element type, `f64` unless given
 */
export const tensor = (values: ArrayLike<number>, shape: Shape, dtype: DType = 'f64'): Tensor => {
  if (values.length !== sizeOf(shape)) {
    return raise({
      _tag: 'ShapeMismatch',
      where: 'tensor',
      expected: `${sizeOf(shape)} values for shape ${showShape(shape)}`,
      actual: `${values.length} values`,
    });
  }
  const data = allocate(dtype, values.length);
  data.set(values);
  return { shape, dtype, data };
};

/**
 * A tensor computed element by element.
 *
 * @param shape - shape
 * @param valueAt - element at a row-major position
 * @param dtype - element type, `f64` unless given
 */
export const generate = (shape: Shape, valueAt: (position: number) => number, dtype: DType = 'f64'): Tensor => {
  const data = allocate(dtype, sizeOf(shape));
  for (let i = 0; i < data.length; i += 1) data[i] = valueAt(i);
  return { shape, dtype, data };
};

/** The same values with another element type; the tensor itself when it has that type already. */
export const cast = (x: Tensor, dtype: DType): Tensor => (x.dtype === dtype ? x : tensor(x.data, x.shape, dtype));
