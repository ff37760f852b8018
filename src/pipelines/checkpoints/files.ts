/**
 * A checkpoint as a folder of three files: a JSON document, arrays as safetensors, and the hashes of both, which `sha256sum -c`
 * checks too. A file that is not what was written is refused before anything in it is believed.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { messageOf } from '../files/thrown.ts';
import { decodeSafetensors } from '../safetensors/decode.ts';
import { encodeSafetensors } from '../safetensors/encode.ts';
import type { Checkpoint } from './document.ts';
import { documentOf, readDocument } from './document.ts';

/** Names of the files of a checkpoint. */
export const checkpointNames = {
  document: 'checkpoint.json',
  arrays: 'arrays.safetensors',
  hashes: 'SHA256SUMS',
} as const;

/** The path of a file, in browsers too. */
export const inside = (directory: string, name: string): string => `${directory}/${name}`;

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** SHA-256, beside the main thread: of a copy, since browsers hash no memory that is shared. */
const hashOf = (bytes: Uint8Array): TE.TaskEither<KfacError, string> =>
  TE.tryCatch(
    async () => hex(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes))),
    (thrown) => ({ _tag: 'CallbackFailed', what: 'SHA-256 of the platform', reason: messageOf(thrown) }),
  );

/**
 * The files of a checkpoint by name.
 *
 * @param checkpoint - what is saved
 * @example
 * ```ts no-run
 * import { type Checkpoint, encodeCheckpoint } from 'kfac-ts/pipelines';
 *
 * // Where there are no files: three names, three arrays of bytes.
 * declare const checkpoint: Checkpoint;
 * const files = await encodeCheckpoint(checkpoint)();
 * ```
 */
export const encodeCheckpoint = (
  checkpoint: Checkpoint,
): TE.TaskEither<KfacError, Readonly<Record<string, Uint8Array>>> => {
  const { structure, arrays } = documentOf(checkpoint);
  const { of, state } = checkpoint.snapshot;
  const files = [
    [
      checkpointNames.arrays,
      encodeSafetensors(arrays, { task: of.task, optimizer: of.optimizer, steps: String(state.step) }),
    ],
    [checkpointNames.document, new TextEncoder().encode(`${JSON.stringify(structure, null, 1)}\n`)],
  ] as const;
  return pipe(
    files,
    TE.traverseSeqArray(([name, bytes]) =>
      pipe(
        hashOf(bytes),
        TE.map((hash) => `${hash}  ${name}\n`),
      ),
    ),
    TE.map((lines) => ({
      ...Object.fromEntries(files),
      [checkpointNames.hashes]: new TextEncoder().encode(lines.join('')),
    })),
  );
};

/** Hashes by the names of files. */
const hashesIn = (bytes: Uint8Array): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...new TextDecoder().decode(bytes).matchAll(/^([0-9a-f]{64}) [ *](.+)$/gm)].map(([, hash, name]) => [name, hash]),
  );

const parsed = (bytes: Uint8Array, source: string): E.Either<KfacError, unknown> =>
  E.tryCatch(
    (): unknown => JSON.parse(new TextDecoder().decode(bytes)),
    () => ({ _tag: 'BadCheckpoint', source, expected: 'JSON', actual: 'other text' }),
  );

/**
 * A checkpoint from its files.
 *
 * @param source - what to call it in errors
 * @param read - the file of a name
 * @example
 * ```ts no-run
 * import * as TE from 'fp-ts/lib/TaskEither.js';
 * import { decodeCheckpoint } from 'kfac-ts/pipelines';
 *
 * // From wherever the bytes are.
 * declare const files: Readonly<Record<string, Uint8Array>>;
 * const checkpoint = await decodeCheckpoint('the page', (name) => TE.right(files[name]))();
 * ```
 */
export const decodeCheckpoint = (
  source: string,
  read: (name: string) => TE.TaskEither<KfacError, Uint8Array>,
): TE.TaskEither<KfacError, Checkpoint> => {
  const checked = (name: string, hashes: Readonly<Record<string, string>>): TE.TaskEither<KfacError, Uint8Array> =>
    pipe(
      read(name),
      TE.chainFirst((bytes) =>
        pipe(
          hashOf(bytes),
          TE.filterOrElse(
            (hash) => Object.hasOwn(hashes, name) && hashes[name] === hash,
            (): KfacError => ({
              _tag: 'BadCheckpoint',
              source: inside(source, name),
              expected: `the file that was written, by its hash in ${checkpointNames.hashes}`,
              actual: 'another one',
            }),
          ),
        ),
      ),
    );
  return pipe(
    TE.Do,
    TE.bind('hashes', () => pipe(read(checkpointNames.hashes), TE.map(hashesIn))),
    TE.bind('document', ({ hashes }) => checked(checkpointNames.document, hashes)),
    TE.bind('structure', ({ document }) => TE.fromEither(parsed(document, inside(source, checkpointNames.document)))),
    TE.bind('arrays', ({ hashes }) =>
      pipe(
        checked(checkpointNames.arrays, hashes),
        TE.chainEitherK((bytes) => decodeSafetensors(bytes, inside(source, checkpointNames.arrays))),
      ),
    ),
    TE.chainEitherK(({ structure, arrays }) =>
      readDocument(structure, arrays, inside(source, checkpointNames.document)),
    ),
  );
};

/**
 * Reads a checkpoint.
 *
 * @param files - where to read
 * @param directory - its folder
 * @returns what was saved, or the first thing that is wrong with it
 * @example
 * ```ts no-run
 * import { loadCheckpoint, nodeFileSystem } from 'kfac-ts/pipelines';
 *
 * // `resume` of the trainer goes on from its snapshot, `from` of its state.
 * const checkpoint = await loadCheckpoint(nodeFileSystem, 'runs/today/checkpoints/kfac/step-000000100')();
 * ```
 */
export const loadCheckpoint = (files: FileSystem, directory: string): TE.TaskEither<KfacError, Checkpoint> =>
  decodeCheckpoint(directory, (name) => files.read(inside(directory, name)));
