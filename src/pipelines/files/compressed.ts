/**
 * Files that may be gzip-compressed, as data sets are shipped either way.
 *
 * @module
 */
import { gunzipSync } from 'node:zlib';

import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { FileSystem } from './fileSystem.ts';
import { messageOf } from './thrown.ts';

/** What the bytes say, not the name: renamed files are common. */
const isCompressed = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

const decompress = (bytes: Uint8Array, source: string): E.Either<KfacError, Uint8Array> =>
  E.tryCatch(
    () => gunzipSync(bytes),
    (thrown) => ({
      _tag: 'BadData',
      source,
      expected: 'a whole gzip file',
      actual: messageOf(thrown),
      advice: 'Fetch the file again.',
    }),
  );

/** A file's name and content. */
export interface NamedBytes {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * A file, or the same file with `.gz` at the end of its name, decompressed.
 *
 * @param files - where to look
 * @param path - the name without `.gz`
 */
export const readMaybeCompressed = (files: FileSystem, path: string): TE.TaskEither<KfacError, NamedBytes> =>
  pipe(
    files.exists(path),
    TE.chain((plain) => (plain ? TE.right(false) : files.exists(`${path}.gz`))),
    TE.map((packed) => (packed ? `${path}.gz` : path)),
    TE.chain((found) =>
      pipe(
        files.read(found),
        TE.chainEitherK((bytes) => (isCompressed(bytes) ? decompress(bytes, found) : E.right(bytes))),
        TE.map((bytes) => ({ path: found, bytes })),
      ),
    ),
  );
