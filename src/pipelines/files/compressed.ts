/**
 * Files that may be gzip-compressed, as data sets are shipped either way.
 *
 * They are decompressed by a stream because browsers have that too.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { FileSystem } from './fileSystem.ts';
import { messageOf } from './thrown.ts';

/** What the bytes say, not the name: renamed files are common. */
const isCompressed = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

const decompress = (bytes: Uint8Array, source: string): TE.TaskEither<KfacError, Uint8Array> =>
  TE.tryCatch(
    async () => {
      const whole = new Blob([Uint8Array.from(bytes)]).stream().pipeThrough(new DecompressionStream('gzip'));
      return new Uint8Array(await new Response(whole).arrayBuffer());
    },
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
        TE.chain((bytes) => (isCompressed(bytes) ? decompress(bytes, found) : TE.right(bytes))),
        TE.map((bytes) => ({ path: found, bytes })),
      ),
    ),
  );
