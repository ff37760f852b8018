/**
 * Arrays from files: IDX and NPY files hold one, safetensors files several by name. What a file is, its first bytes say.
 *
 * @module
 */
import type * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { readMaybeCompressed } from '../files/compressed.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { announcedLength, decodeIdx } from './idx.ts';
import type { NpyArray } from './npy.ts';
import { announcedNpy, decodeNpy, isNpy } from './npy.ts';

/**
 * Reads the array of an IDX or NPY file, compressed by gzip or not. `fit` takes it as it is.
 *
 * @param files - where to read
 * @param path - the file
 * @returns shape and elements; `BadData` where it is no such file, or not whole
 * @example
 * ```ts no-run
 * import { orRaise } from 'kfac-ts/core';
 * import { nodeFileSystem, readArray } from 'kfac-ts/pipelines';
 *
 * const features = orRaise(await readArray(nodeFileSystem, 'features.npy')());
 * console.log(features.shape);
 * ```
 */
export const readArray = (files: FileSystem, path: string): TE.TaskEither<KfacError, NpyArray> =>
  pipe(
    readMaybeCompressed(files, [path], (head) => (isNpy(head) ? announcedNpy(head) : announcedLength(head))),
    TE.chainEitherK(({ bytes, path: found }): E.Either<KfacError, NpyArray> =>
      isNpy(bytes) ? decodeNpy(bytes, found) : decodeIdx(bytes, found),
    ),
  );
