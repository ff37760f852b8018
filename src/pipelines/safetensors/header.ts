/**
 * The header of a safetensors file, which says where each tensor is.
 *
 * It may come from anywhere, so nothing in it is believed before it is checked, by the rules of the format's own reader:
 * extents and offsets are whole numbers, the bytes of each tensor are as many as its shape and type need, and the tensors
 * cover the file, one after another, without holes and without overlap.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';

import { shown } from '../../core/shown.ts';
import type { Shape } from '../../core/tensor.ts';
import { showShape, sizeOf } from '../../core/tensor.ts';
import { elementTypes } from './elementTypes.ts';

/** Where a tensor is. */
export interface Entry {
  readonly path: string;
  /** A name in {@link elementTypes}. */
  readonly code: string;
  readonly shape: Shape;
  /** First byte after the header. */
  readonly start: number;
  readonly end: number;
}

/** What a header should be, and what is there instead. */
export interface Fault {
  readonly expected: string;
  readonly actual: string;
}

const fault = (expected: string, actual: string): E.Either<Fault, never> => E.left({ expected, actual });

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

const Described = t.type({ dtype: t.unknown, shape: t.unknown, data_offsets: t.unknown });

const wholeNumbers = (value: unknown): ReadonlyArray<number> | null =>
  Array.isArray(value) && value.every(isWhole) ? value : null;

const listShown = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(shown).join(', ')}]` : shown(value);

/** An entry by itself. */
const entryOf = ([path, value]: readonly [string, unknown]): E.Either<Fault, Entry> => {
  const where = `of ${shown(path)}`;
  if (!Described.is(value)) return fault(`dtype, shape and data_offsets ${where}`, shown(value));
  const { dtype: code, shape: extents, data_offsets: offsets } = value;
  if (typeof code !== 'string' || !Object.hasOwn(elementTypes, code)) {
    return fault(`a type ${where} that is one of ${Object.keys(elementTypes).join(', ')}`, shown(code));
  }
  const shape = wholeNumbers(extents);
  if (shape === null || !Number.isSafeInteger(8 * sizeOf(shape))) {
    return fault(`a shape ${where} of whole numbers of at least 0`, listShown(extents));
  }
  const range = wholeNumbers(offsets);
  if (range?.length !== 2) return fault(`two whole numbers as data_offsets ${where}`, listShown(offsets));
  const [start, end] = range;
  const bytes = sizeOf(shape) * elementTypes[code].bytes;
  return end - start === bytes
    ? E.right({ path, code, shape, start, end })
    : fault(
        `data_offsets ${where} around the ${bytes} bytes of ${code} in shape ${showShape(shape)}`,
        listShown(offsets),
      );
};

/** The entries, if they cover the data from its first byte to its last. */
const covering =
  (length: number) =>
  (entries: ReadonlyArray<Entry>): E.Either<Fault, ReadonlyArray<Entry>> => {
    // Of two that begin together, one that is empty comes first, as it ends first.
    const inOrder = entries.toSorted((a, b) => a.start - b.start || a.end - b.end);
    const ends = [0, ...inOrder.map(({ end }) => end)];
    const at = inOrder.findIndex(({ start }, i) => start !== ends[i]);
    if (at >= 0) {
      const { path, start } = inOrder[at];
      return fault(`the data of ${shown(path)} at byte ${ends[at]}, after those before it`, `byte ${start}`);
    }
    const end = ends[entries.length];
    return end === length ? E.right(entries) : fault(`${end} bytes of data, as the header says`, `${length} bytes`);
  };

const Metadata = t.union([t.null, t.record(t.string, t.string)]);

/**
 * The entries of a header.
 *
 * @param json - the header as a value
 * @param length - number of bytes after it
 * @returns the entries in the order of the header, or what is wrong with it
 */
export const entriesOf = (json: unknown, length: number): E.Either<Fault, ReadonlyArray<Entry>> => {
  if (!t.UnknownRecord.is(json) || Array.isArray(json)) return fault('a JSON object as header', shown(json));
  const { __metadata__: metadata = null, ...tensors } = json;
  return Metadata.is(metadata)
    ? pipe(Object.entries(tensors), E.traverseArray(entryOf), E.chain(covering(length)))
    : fault('__metadata__ of text by name', shown(metadata));
};
