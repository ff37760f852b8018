/**
 * IDX, the file format of MNIST: two zero bytes, a type code, the number of axes, the extents, the elements; all
 * numbers big-endian.
 *
 * Nothing is believed before it is checked, the length last of all: a file that was cut off while downloading is the
 * usual way for this to go wrong.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../../core/errors.ts';
import type { ReadonlyVector, Shape } from '../../core/tensor.ts';
import { generate, showShape, sizeOf } from '../../core/tensor.ts';

/** An array as an IDX file holds it. */
export interface IdxArray {
  readonly shape: Shape;
  /** Whether elements are unsigned bytes, signed integers or floats. */
  readonly kind: 'byte' | 'integer' | 'float';
  /** Elements in row-major order. Bytes are a view of the file, not a copy. */
  readonly data: ReadonlyVector;
}

interface ElementType {
  readonly kind: IdxArray['kind'];
  readonly bytes: number;
  readonly dtype: 'f32' | 'f64' | 'i32';
  readonly at: (view: DataView, offset: number) => number;
}

/** Element types by the code in the third byte. */
const elementTypes: Readonly<Record<number, ElementType>> = {
  0x08: { kind: 'byte', bytes: 1, dtype: 'i32', at: (view, offset) => view.getUint8(offset) },
  0x09: { kind: 'integer', bytes: 1, dtype: 'i32', at: (view, offset) => view.getInt8(offset) },
  0x0b: { kind: 'integer', bytes: 2, dtype: 'i32', at: (view, offset) => view.getInt16(offset) },
  0x0c: { kind: 'integer', bytes: 4, dtype: 'i32', at: (view, offset) => view.getInt32(offset) },
  0x0d: { kind: 'float', bytes: 4, dtype: 'f32', at: (view, offset) => view.getFloat32(offset) },
  0x0e: { kind: 'float', bytes: 8, dtype: 'f64', at: (view, offset) => view.getFloat64(offset) },
};

const advice = 'Fetch the file again, or name the directory of the data set with --data.';

const bad = (source: string, expected: string, actual: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'BadData', source, expected, actual, advice });

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');

const elementsOf = (bytes: Uint8Array, header: number, type: ElementType, shape: Shape): ReadonlyVector => {
  if (type.kind === 'byte') return bytes.subarray(header);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return generate(shape, (position) => type.at(view, header + position * type.bytes), type.dtype).data;
};

/**
 * Bytes of a whole IDX file by its header.
 *
 * @param head - its first bytes
 * @returns their number, `more` where the header is not whole, or `null` where it is none
 */
export const announcedLength = (head: Uint8Array): number | 'more' | null => {
  if (head.length < 4) return 'more';
  const [zero, alsoZero, code, rank] = head;
  if (zero !== 0 || alsoZero !== 0 || elementTypes[code] === undefined) return null;
  const header = 4 + 4 * rank;
  if (head.length < header) return 'more';
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  return header + sizeOf(shape) * elementTypes[code].bytes;
};

/**
 * Reads the content of an IDX file.
 *
 * @param bytes - the whole file, not compressed
 * @param source - name of the file, for errors
 * @example
 * ```ts
 * import { decodeIdx } from 'kfac-ts/pipelines';
 *
 * // Magic number (bytes, one axis), the length, and the values.
 * const file = new Uint8Array([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]);
 * const labels = decodeIdx(file, 'labels');
 * labels._tag === 'Right' ? labels.right.shape : []; // => [3]
 * ```
 */
export const decodeIdx = (bytes: Uint8Array, source: string): E.Either<KfacError, IdxArray> => {
  if (bytes.length < 4) return bad(source, 'an IDX file', `${bytes.length} bytes`);
  const [zero, alsoZero, code, rank] = bytes;
  const type = elementTypes[code];
  if (zero !== 0 || alsoZero !== 0 || type === undefined) {
    const magic = 'a magic number 00 00, then a type 08 to 0e and the number of axes';
    return bad(source, `an IDX file, which begins with ${magic}`, hex(bytes.subarray(0, 4)));
  }
  const header = 4 + 4 * rank;
  if (bytes.length < header) return bad(source, `a header of ${header} bytes`, `a file of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const length = header + sizeOf(shape) * type.bytes;
  if (bytes.length !== length) {
    return bad(source, `${length} bytes for shape ${showShape(shape)}`, `${bytes.length} bytes`);
  }
  return E.right({ shape, kind: type.kind, data: elementsOf(bytes, header, type, shape) });
};
