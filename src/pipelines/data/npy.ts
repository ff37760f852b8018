/**
 * NPY, the file format of one NumPy array: a magic string and a version, a header that is a Python dictionary, the elements.
 *
 * The header has three entries of a fixed form, so it is read as text and never evaluated. Elements that are Python objects are
 * pickled, which would be to run a program; they are refused.
 *
 * @see NumPy's format specification, numpy.lib.format
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import type { ReadonlyVector, Shape } from '../../core/tensor.ts';
import { generate, showShape, sizeOf } from '../../core/tensor.ts';
import { elementTypes, elementsOf } from '../safetensors/elementTypes.ts';

/** An array as an NPY file holds it. */
export interface NpyArray {
  readonly shape: Shape;
  /** Elements in row-major order. Bytes are a view of the file, not a copy. */
  readonly data: ReadonlyVector;
}

/** What a file says of its elements. */
interface Header {
  /** Their type, as safetensors files call it. */
  readonly code: string;
  readonly shape: Shape;
  /** Whether the first axis varies fastest, as in Fortran. */
  readonly isColumnMajor: boolean;
  /** Where they begin. */
  readonly start: number;
}

const bad = (
  source: string,
  expected: string,
  actual: string,
  advice = 'Write the file again.',
): E.Either<KfacError, never> => E.left({ _tag: 'BadData', source, expected, actual, advice });

const magic = '\u0093NUMPY';

const textIn = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');

/** Letters of NumPy's kinds of numbers, as safetensors files have them. */
const kinds: Readonly<Record<string, string>> = { f: 'F', i: 'I', u: 'U' };

/** The type of elements as safetensors files call it; `null` for one that this library does not read. */
const codeOf = (descr: string): string | null => {
  if (descr === '|b1') return 'BOOL';
  const [, order, kind, size] = /^([<>|=])([fiu])(\d+)$/.exec(descr) ?? [];
  if (order === undefined || (order !== '<' && size !== '1')) return null;
  const code = `${kinds[kind]}${8 * Number(size)}`;
  return Object.hasOwn(elementTypes, code) ? code : null;
};

/** Where the header is: versions differ in how long it may be. */
const headerAt = (bytes: Uint8Array): { readonly from: number; readonly to: number } | null => {
  if (bytes.length < 12) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const from = bytes[6] === 1 ? 10 : 12;
  return { from, to: from + (bytes[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true)) };
};

const headerOf = (bytes: Uint8Array, source: string): E.Either<KfacError, Header> => {
  if (textIn(bytes.subarray(0, 6)) !== magic) {
    return bad(source, 'an NPY file, which begins with \\x93NUMPY', `${bytes.length} bytes that begin otherwise`);
  }
  const place = headerAt(bytes);
  if (place === null || place.to > bytes.length)
    return bad(source, 'a whole header', `a file of ${bytes.length} bytes`);
  const text = textIn(bytes.subarray(place.from, place.to));
  const [, descr = 'none'] = /'descr': *('[^']*'|\[[^\]]*\])/.exec(text) ?? [];
  const [, order] = /'fortran_order': *(True|False)/.exec(text) ?? [];
  const [, extents] = /'shape': *\(([\d, ]*)\)/.exec(text) ?? [];
  if (order === undefined || extents === undefined) {
    return bad(source, 'a header with descr, fortran_order and shape', text.trim().slice(0, 80));
  }
  const code = codeOf(descr.slice(1, -1));
  if (code === null) {
    const expected = 'numbers of 8 to 64 bits whose low byte is first';
    return bad(
      source,
      expected,
      `elements of type ${descr}`,
      "Convert them before they are saved: array.astype('<f4').",
    );
  }
  const shape = extents.split(',').flatMap((extent) => (extent.trim() === '' ? [] : [Number(extent)]));
  return E.right({ code, shape, isColumnMajor: order === 'True' && shape.length > 1, start: place.to });
};

const lengthOf = ({ code, shape, start }: Header): number => start + sizeOf(shape) * elementTypes[code].bytes;

/** Elements whose first axis varies fastest, with the last one fastest. */
const rowMajor = (data: ReadonlyVector, shape: Shape, code: string): ReadonlyVector => {
  const columnMajorAt = (position: number): number =>
    shape.reduceRight(
      ({ rest, at, stride }, extent) => {
        const before = stride / extent;
        return { rest: Math.floor(rest / extent), at: at + (rest % extent) * before, stride: before };
      },
      { rest: position, at: 0, stride: sizeOf(shape) },
    ).at;
  return generate([data.length], (position) => data[columnMajorAt(position)], elementTypes[code].dtype).data;
};

const valuesOf = (
  bytes: Uint8Array,
  { code, shape, isColumnMajor, start }: Header,
): E.Either<string, ReadonlyVector> => {
  const content = bytes.subarray(start);
  return pipe(
    code === 'U8' ? E.right(content) : elementsOf(code, content),
    E.map((data) => (isColumnMajor ? rowMajor(data, shape, code) : data)),
  );
};

/**
 * Reads the content of an NPY file: floats of 16 bits as floats of 32, integers of any width as integers of 32 bits, bytes as
 * they are.
 *
 * @param bytes - the whole file
 * @param source - name of the file, for errors
 * @returns the array, in row-major order; `BadData` that says what is wrong
 * @example
 * ```ts
 * import { decodeNpy } from 'kfac-ts/pipelines';
 *
 * const header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1), }";
 * const text = new TextEncoder().encode(header);
 * const file = new Uint8Array([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length, 0, ...text, 7, 8]);
 * const array = decodeNpy(file, 'array.npy');
 * array._tag === 'Right' ? [array.right.shape, array.right.data[1]] : null; // => [[2, 1], 8]
 * ```
 */
export const decodeNpy = (bytes: Uint8Array, source: string): E.Either<KfacError, NpyArray> =>
  pipe(
    headerOf(bytes, source),
    E.chain((header) => {
      const { shape, code } = header;
      if (bytes.length !== lengthOf(header)) {
        return bad(source, `${lengthOf(header)} bytes for shape ${showShape(shape)}`, `${bytes.length} bytes`);
      }
      return pipe(
        attempt(() => valuesOf(bytes, header)),
        E.chain(
          E.fold(
            (actual) => bad(source, 'elements that i32 holds', `${code} ${actual}`),
            (data) => E.right<KfacError, NpyArray>({ shape, data }),
          ),
        ),
      );
    }),
  );

/**
 * Bytes of a whole NPY file by its header.
 *
 * @param head - its first bytes
 * @returns their number, `more` where the header is not whole, or `null` where it is none
 */
export const announcedNpy = (head: Uint8Array): number | 'more' | null => {
  const place = headerAt(head);
  if (place === null || place.to > head.length) return 'more';
  return pipe(
    headerOf(head, ''),
    E.match(() => null, lengthOf),
  );
};

/** Whether bytes begin as an NPY file does. */
export const isNpy = (bytes: Uint8Array): boolean => textIn(bytes.subarray(0, 6)) === magic;
