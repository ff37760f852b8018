/**
 * Files that may be gzip-compressed, as data sets are shipped either way.
 *
 * They are decompressed by a stream because browsers have that too. A few bytes can stand for many, so the file's own
 * header says how many there may be: no more than that are made.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { FileSystem } from './fileSystem.ts';
import { messageOf } from './thrown.ts';

/**
 * Bytes of a whole file from its first ones: a number, `more` where these are too few to tell, or `null` where they are not
 * the beginning of such a file.
 */
export type Announced = (head: Uint8Array) => number | 'more' | null;

/** What the bytes say, not the name: renamed files are common. */
const isCompressed = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** Deflate makes no more bytes out of one. */
const largestRatio = 1032;

type Failure = Extract<KfacError, { readonly _tag: 'BadData' }>;

const bad = (source: string, expected: string, actual: string): Failure => ({
  _tag: 'BadData',
  source,
  expected,
  actual,
  advice: 'Fetch the file again.',
});

/** What has been decompressed: the beginning, until it says how long the whole is, and then the whole so far. */
interface Inflating {
  readonly bytes: Uint8Array;
  /** Bytes of it that are filled. */
  readonly filled: number;
  readonly isWhole: boolean;
}

const nothing: Inflating = { bytes: new Uint8Array(0), filled: 0, isWhole: false };

const concat = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
};

/** Another chunk, or what is wrong with it, or `null` where what follows is of no use. */
const taken = (
  before: Inflating,
  chunk: Uint8Array,
  source: string,
  packed: number,
  announced: Announced,
): E.Either<Failure, Inflating> | null => {
  if (before.isWhole) {
    const { bytes, filled } = before;
    if (filled + chunk.length > bytes.length) {
      return E.left(bad(source, `${bytes.length} bytes, as the header says`, 'more'));
    }
    bytes.set(chunk, filled);
    return E.right({ ...before, filled: filled + chunk.length });
  }
  const head = concat(before.bytes, chunk);
  const length = announced(head);
  if (length === 'more') return E.right({ bytes: head, filled: head.length, isWhole: false });
  if (length === null) return null;
  if (length > largestRatio * packed) {
    const most = `at most the ${largestRatio * packed} bytes that a gzip file of ${packed} can hold`;
    return E.left(bad(source, most, `a header for ${length} bytes`));
  }
  return taken({ bytes: new Uint8Array(length), filled: 0, isWhole: true }, head, source, packed, announced);
};

const inflate = async (
  bytes: Uint8Array,
  source: string,
  announced: Announced,
): Promise<E.Either<Failure, Uint8Array>> => {
  const reader: ReadableStreamDefaultReader<Uint8Array> = new Blob([Uint8Array.from(bytes)])
    .stream()
    .pipeThrough(new DecompressionStream('gzip'))
    .getReader();
  const pull = async (before: Inflating): Promise<E.Either<Failure, Uint8Array>> => {
    const { done, value } = await reader.read();
    if (done) return E.right(before.bytes.subarray(0, before.filled));
    const after = taken(before, value, source, bytes.length, announced);
    if (after !== null && E.isRight(after)) return pull(after.right);
    await reader.cancel();
    return after ?? E.right(concat(before.bytes, value));
  };
  return pull(nothing);
};

const decompress = (bytes: Uint8Array, source: string, announced: Announced): TE.TaskEither<KfacError, Uint8Array> =>
  pipe(
    TE.tryCatch(
      () => inflate(bytes, source, announced),
      (thrown): KfacError => bad(source, 'a whole gzip file', messageOf(thrown)),
    ),
    TE.chainEitherKW((inflated) => inflated),
  );

/** A file's name and content. */
export interface NamedBytes {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The first of some names that there is, or the first of all where there is none. */
const firstOf = (files: FileSystem, names: ReadonlyArray<string>): TE.TaskEither<KfacError, string> =>
  names.reduceRight(
    (rest: TE.TaskEither<KfacError, string>, name) =>
      pipe(
        files.exists(name),
        TE.chain((found) => (found ? TE.right(name) : rest)),
      ),
    TE.right(names[0]),
  );

/**
 * The first of some files that there is, under its own name or with `.gz` at the end of it, decompressed.
 *
 * @param files - where to look
 * @param names - names without `.gz`, at least one; where there is no such file, the error is about the first
 * @param announced - how long the file is by its header
 */
export const readMaybeCompressed = (
  files: FileSystem,
  names: ReadonlyArray<string>,
  announced: Announced,
): TE.TaskEither<KfacError, NamedBytes> =>
  pipe(
    firstOf(
      files,
      names.flatMap((name) => [name, `${name}.gz`]),
    ),
    TE.chain((found) =>
      pipe(
        files.read(found),
        TE.chain((bytes) => (isCompressed(bytes) ? decompress(bytes, found, announced) : TE.right(bytes))),
        TE.map((bytes) => ({ path: found, bytes })),
      ),
    ),
  );
