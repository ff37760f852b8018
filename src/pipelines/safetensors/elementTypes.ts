/**
 * Element types of safetensors files, and how each becomes one of this library's.
 *
 * Floats of 16 bits become `f32`, which holds all of them. Integers become `i32`; those that it does not hold are an error,
 * since they would be other numbers.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import { attempt, describeError } from '../../core/errors.ts';
import type { DType, ReadonlyVector } from '../../core/tensor.ts';
import { bytesOf, generate } from '../../core/tensor.ts';

/** A type as files have it. */
export interface ElementType {
  /** Bytes of an element. */
  readonly bytes: number;
  /** The type that it becomes. */
  readonly dtype: DType;
  /** The element at a byte. */
  readonly at: (view: DataView, offset: number) => number;
}

/** Floats of 16 bits: a sign, an exponent, a mantissa. */
const narrow = (exponentBits: number, mantissaBits: number): ((word: number) => number) => {
  const [exponents, mantissas] = [2 ** exponentBits, 2 ** mantissaBits];
  const bias = exponents / 2 - 1 + mantissaBits;
  return (bits) => {
    const sign = bits >> 15 === 0 ? 1 : -1;
    const exponent = (bits >> mantissaBits) & (exponents - 1);
    const mantissa = bits & (mantissas - 1);
    if (exponent === exponents - 1) return mantissa === 0 ? sign * Infinity : NaN;
    return sign * (exponent === 0 ? mantissa * 2 ** (1 - bias) : (mantissas + mantissa) * 2 ** (exponent - bias));
  };
};

/** IEEE 754 binary16. */
const half = narrow(5, 10);

/** The upper half of a float of 32 bits. */
const brain = narrow(8, 7);

const word = (view: DataView, offset: number): number => view.getUint16(offset, true);

/** Types that are read, by their names in the header. */
export const elementTypes: Readonly<Record<string, ElementType>> = {
  F64: { bytes: 8, dtype: 'f64', at: (view, offset) => view.getFloat64(offset, true) },
  F32: { bytes: 4, dtype: 'f32', at: (view, offset) => view.getFloat32(offset, true) },
  F16: { bytes: 2, dtype: 'f32', at: (view, offset) => half(word(view, offset)) },
  BF16: { bytes: 2, dtype: 'f32', at: (view, offset) => brain(word(view, offset)) },
  I64: { bytes: 8, dtype: 'i32', at: (view, offset) => Number(view.getBigInt64(offset, true)) },
  I32: { bytes: 4, dtype: 'i32', at: (view, offset) => view.getInt32(offset, true) },
  I16: { bytes: 2, dtype: 'i32', at: (view, offset) => view.getInt16(offset, true) },
  I8: { bytes: 1, dtype: 'i32', at: (view, offset) => view.getInt8(offset) },
  U64: { bytes: 8, dtype: 'i32', at: (view, offset) => Number(view.getBigUint64(offset, true)) },
  U32: { bytes: 4, dtype: 'i32', at: (view, offset) => view.getUint32(offset, true) },
  U16: { bytes: 2, dtype: 'i32', at: (view, offset) => word(view, offset) },
  U8: { bytes: 1, dtype: 'i32', at: (view, offset) => view.getUint8(offset) },
  BOOL: { bytes: 1, dtype: 'i32', at: (view, offset) => view.getUint8(offset) },
};

/** The name in the header of each type of this library. */
export const codeOf: Readonly<Record<DType, string>> = { f32: 'F32', f64: 'F64', i32: 'I32' };

/** Whether this machine stores the low byte of a number first, as files do. */
const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The bytes in the other order, where this machine's is not that of files. */
export const swapped = (bytes: Uint8Array, dtype: DType): Uint8Array => {
  const last = bytesOf(dtype) - 1;
  return isLittleEndian ? bytes : bytes.map((_, i) => bytes[i - (i & last) + (last - (i & last))]);
};

/** Elements that this library has as they are in the file, in a buffer of their own, which is aligned. */
const copied = (bytes: Uint8Array, dtype: DType): ReadonlyVector => {
  // Not `slice`, which for Node.js's own kind of bytes is a view of a shared buffer.
  const { buffer } = swapped(new Uint8Array(bytes), dtype);
  return dtype === 'f32'
    ? new Float32Array(buffer)
    : dtype === 'f64'
      ? new Float64Array(buffer)
      : new Int32Array(buffer);
};

/**
 * The elements of a tensor.
 *
 * @param code - their type in the file
 * @param bytes - their bytes, as many as the type needs
 * @returns the elements, or the first that the type does not hold, in words
 */
export const elementsOf = (code: string, bytes: Uint8Array): E.Either<string, ReadonlyVector> => {
  const { bytes: width, dtype, at } = elementTypes[code];
  if (codeOf[dtype] === code) return E.right(copied(bytes, dtype));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return pipe(
    attempt(() => generate([bytes.length / width], (position) => at(view, position * width), dtype)),
    E.bimap(
      (error) => ('actual' in error ? error.actual : describeError(error)),
      ({ data }) => data,
    ),
  );
};
