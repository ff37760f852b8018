/**
 * Shapes and host tensors.
 *
 * A typed array cannot be frozen, so read-only is a type here ({@link ReadonlyVector} has no way to write) and a test
 * (every law suite checks that inputs are bit-identical after a call).
 *
 * @module
 */
import { raise } from './errors.ts';
import { shown } from './shown.ts';

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

/** Every element type, with the class of its arrays. */
const arrays: Readonly<Record<DType, string>> = { f32: 'Float32Array', f64: 'Float64Array', i32: 'Int32Array' };

/**
 * Number of elements of a shape.
 *
 * @example
 * ```ts
 * import { sizeOf } from 'kfac-ts/core';
 *
 * sizeOf([2, 3]); // => 6
 * sizeOf([]); // => 1
 * ```
 */
export const sizeOf = (shape: Shape): number => shape.reduce((size, extent) => size * extent, 1);

/** A shape for people, for example `[128, 785]`. */
export const showShape = (shape: Shape): string => `[${shape.join(', ')}]`;

/**
 * Whether two shapes are equal.
 *
 * @example
 * ```ts
 * import { sameShape } from 'kfac-ts/core';
 *
 * sameShape([2, 3], [2, 3]); // => true
 * sameShape([2, 3], [3, 2]); // => false
 * ```
 */
export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((extent, axis) => extent === b[axis]);

/** Bytes per element. */
export const bytesOf = (dtype: DType): number => (dtype === 'f64' ? 8 : 4);

/**
 * A zero-filled typed array of an element type.
 *
 * @param dtype - element type
 * @param length - number of elements
 * @example
 * ```ts
 * import { allocate } from 'kfac-ts/core';
 *
 * allocate('f32', 3); // => [0, 0, 0]
 * ```
 */
export const allocate = (dtype: DType, length: number): Float32Array | Float64Array | Int32Array =>
  dtype === 'f32' ? new Float32Array(length) : dtype === 'f64' ? new Float64Array(length) : new Int32Array(length);

const isExtent = (extent: unknown): boolean => Number.isSafeInteger(extent) && Number(extent) >= 0;

/**
 * A shape as it was given, which may be from outside: a list of whole numbers of at least 0, whose product a number holds.
 *
 * @param where - the operation that is given the shape
 * @param shape - the shape
 * @returns the shape, or raises a `ShapeMismatch`
 */
export const checkShape = (where: string, shape: Shape): Shape => {
  const given: unknown = shape;
  if (Array.isArray(given) && given.every(isExtent) && Number.isSafeInteger(sizeOf(shape))) return shape;
  return raise({
    _tag: 'ShapeMismatch',
    where,
    expected: 'a shape of whole numbers of at least 0',
    actual:
      Array.isArray(given) && given.every((extent) => typeof extent === 'number') ? showShape(shape) : shown(given),
  });
};

const checkType = (where: string, dtype: DType): DType =>
  Object.hasOwn(arrays, dtype)
    ? dtype
    : raise({
        _tag: 'BadData',
        source: where,
        expected: `an element type ${Object.keys(arrays).join(', ')}`,
        actual: shown(dtype),
        advice: 'Convert the values first.',
      });

/** Raises the error of a value that is no element of its type. */
const noElement = (where: string, dtype: DType, value: unknown, position: number): never =>
  raise({
    _tag: 'BadData',
    source: where,
    expected: dtype === 'i32' ? 'whole numbers from -2^31 to 2^31 - 1' : 'numbers',
    actual: `${shown(value)} at position ${position}`,
    advice: dtype === 'i32' ? 'Round or clip the values first, or take f32 or f64.' : 'Convert the values first.',
  });

const filling = (where: string, shape: Shape, length: number): void => {
  const size = sizeOf(checkShape(where, shape));
  if (length === size) return;
  raise({
    _tag: 'ShapeMismatch',
    where,
    expected: `${size} values for shape ${showShape(shape)}`,
    actual: `${length} values`,
  });
};

/**
 * A tensor that may have been put together by hand: its data are of its type and fill its shape.
 *
 * @param where - the operation that is given the tensor
 * @param x - the tensor
 * @returns the tensor, or raises a `ShapeMismatch` or `BadData`
 */
export const checkTensor = (where: string, x: Tensor): Tensor => {
  const { shape, dtype, data } = x;
  const expected = arrays[checkType(where, dtype)];
  // By its tag, since an array of another realm (a worker, a frame, a test runner) is an instance of another class.
  const actual = Object.prototype.toString.call(data).slice(8, -1);
  if (actual !== expected) {
    return raise({
      _tag: 'BadData',
      source: where,
      expected: `data of type ${dtype} in a ${expected}`,
      actual: actual === 'Undefined' || actual === 'Null' ? 'nothing' : actual,
      advice: 'Make tensors with tensor(values, shape, dtype).',
    });
  }
  filling(where, shape, data.length);
  return x;
};

/**
 * A tensor from numbers; the values are copied.
 *
 * @param values - elements in row-major order; whole numbers of 32 bits for `i32`
 * @param shape - shape; its product must be the number of values
 * @param dtype - element type, `f64` unless given
 * @example
 * ```ts
 * import { tensor } from 'kfac-ts/core';
 *
 * const matrix = tensor([1, 2, 3, 4, 5, 6], [2, 3]);
 * const labels = tensor([0, 2], [2], 'i32');
 * [matrix.dtype, labels.dtype]; // => ['f64', 'i32']
 * ```
 */
export const tensor = (values: ArrayLike<number>, shape: Shape, dtype: DType = 'f64'): Tensor => {
  filling('tensor', shape, values.length);
  const data = allocate(checkType('tensor', dtype), values.length);
  // Elements of a typed array of numbers are numbers; anything may be in a list.
  const given: ArrayLike<unknown> = values;
  if (!ArrayBuffer.isView(values) || typeof given[0] === 'bigint') {
    for (let i = 0; i < given.length; i += 1) {
      if (typeof given[i] !== 'number') return noElement('tensor', dtype, given[i], i);
    }
  }
  data.set(values);
  if (dtype === 'i32') {
    for (let i = 0; i < data.length; i += 1) {
      if (data[i] !== values[i]) return noElement('tensor', dtype, values[i], i);
    }
  }
  return { shape, dtype, data };
};

/**
 * A tensor computed element by element.
 *
 * @param shape - shape
 * @param valueAt - element at a row-major position; whole numbers of 32 bits for `i32`
 * @param dtype - element type, `f64` unless given
 * @example
 * ```ts
 * import { generate } from 'kfac-ts/core';
 *
 * const squares = generate([2, 2], (position) => position ** 2);
 * squares.data; // => [0, 1, 4, 9]
 * ```
 */
export const generate = (shape: Shape, valueAt: (position: number) => number, dtype: DType = 'f64'): Tensor => {
  const data = allocate(checkType('generate', dtype), sizeOf(checkShape('generate', shape)));
  for (let i = 0; i < data.length; i += 1) {
    const value: unknown = valueAt(i);
    if (typeof value !== 'number') return noElement('generate', dtype, value, i);
    data[i] = value;
    if (dtype === 'i32' && data[i] !== value) return noElement('generate', dtype, value, i);
  }
  return { shape, dtype, data };
};

/**
 * The same values with another element type; the tensor itself when it has that type already.
 *
 * @example
 * ```ts
 * import { cast, tensor } from 'kfac-ts/core';
 *
 * cast(tensor([0.5, 2.25], [2]), 'f32').dtype; // => 'f32'
 * ```
 */
export const cast = (x: Tensor, dtype: DType): Tensor => (x.dtype === dtype ? x : tensor(x.data, x.shape, dtype));
