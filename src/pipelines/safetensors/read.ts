/**
 * Arrays by name from a safetensors file.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { Params } from '../../core/params.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { decodeSafetensors } from './decode.ts';

/**
 * Reads a safetensors file.
 *
 * @param files - where it is
 * @param path - the file
 * @returns tensors by path
 * @example
 * ```ts no-run
 * import { orRaise } from 'kfac-ts/core';
 * import { nodeFileSystem, readSafetensors } from 'kfac-ts/pipelines';
 *
 * const { inputs, targets } = orRaise(await readSafetensors(nodeFileSystem, 'examples.safetensors')());
 * console.log(inputs.shape, targets.shape);
 * ```
 */
export const readSafetensors = (files: FileSystem, path: string): TE.TaskEither<KfacError, Params<Tensor>> =>
  pipe(
    files.read(path),
    TE.chainEitherK((bytes) => decodeSafetensors(bytes, path)),
  );
