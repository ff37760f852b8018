/**
 * Reading safetensors files, from this library or from any other.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import type { Params } from '../../core/params.ts';
import { shown } from '../../core/shown.ts';
import type { Tensor } from '../../core/tensor.ts';
import { elementTypes, elementsOf } from './elementTypes.ts';
import type { Entry, Fault } from './header.ts';
import { entriesOf } from './header.ts';

/** Longer headers are refused, as the format has it. */
const longestHeader = 1e8;

/** Length of the header, if it is within the file. */
const headerLength = (bytes: Uint8Array): number | null => {
  if (bytes.length < 8) return null;
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  return length <= longestHeader && 8 + length <= bytes.length ? length : null;
};

const parse = (bytes: Uint8Array): E.Either<Fault, unknown> =>
  E.tryCatch(
    (): unknown => JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)),
    () => ({ expected: 'a JSON header', actual: 'other bytes' }),
  );

const tensorAt =
  (data: Uint8Array) =>
  ({ path, code, shape, start, end }: Entry): E.Either<Fault, readonly [string, Tensor]> =>
    pipe(
      elementsOf(code, data.subarray(start, end)),
      E.bimap(
        (actual) => ({ expected: `elements of ${shown(path)} that i32 holds`, actual: `${code} ${actual}` }),
        (elements) => [path, { shape, dtype: elementTypes[code].dtype, data: elements }],
      ),
    );

/**
 * Reads the content of a safetensors file: floats of 16 bits as `f32`, integers of any width as `i32`.
 *
 * @param bytes - the whole file
 * @param source - name of the file, for errors
 * @returns tensors by path, or a `BadCheckpoint` that says what is wrong, for example a type that this library does not have
 * @example
 * ```ts
 * import { tensor } from 'kfac-ts/core';
 * import { decodeSafetensors, encodeSafetensors } from 'kfac-ts/pipelines';
 *
 * const file = encodeSafetensors({ weight: tensor([1, 2], [1, 2], 'f32') });
 * const params = decodeSafetensors(file, 'model.safetensors');
 * params._tag === 'Right' ? params.right.weight.shape : []; // => [1, 2]
 * ```
 */
export const decodeSafetensors = (bytes: Uint8Array, source: string): E.Either<KfacError, Params<Tensor>> => {
  const length = headerLength(bytes);
  if (length === null) {
    return E.left({
      _tag: 'BadCheckpoint',
      source,
      expected: 'a header within the file',
      actual: `${bytes.length} bytes`,
    });
  }
  const data = bytes.subarray(8 + length);
  return pipe(
    parse(bytes.subarray(8, 8 + length)),
    E.chain((json) => entriesOf(json, data.length)),
    E.chain(E.traverseArray(tensorAt(data))),
    E.bimap(
      (fault): KfacError => ({ _tag: 'BadCheckpoint', source, ...fault }),
      (tensors) => Object.fromEntries(tensors),
    ),
  );
};
