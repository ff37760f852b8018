/**
 * The run that a folder holds already: two runs in one folder cannot be told apart, so a later one replaces it whole or goes
 * elsewhere.
 *
 * @module
 */
import { join } from 'node:path';

import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';

import type { KfacError } from '../../core/errors.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { pageName } from './folderFormat.ts';

/** Name of the file that tells what a run was. */
export const configurationName = 'config.json';

const Configuration = t.type({ about: t.type({ files: t.array(t.string) }) });

/** A name, and no path to somewhere else. */
export const isFileName = (name: string): boolean => name !== '' && !/^\.+$|[/\\\0]/.test(name);

/** Names of files, as far as a configuration says. */
const filesIn = (content: Uint8Array): ReadonlyArray<string> =>
  pipe(
    E.tryCatch(
      (): unknown => JSON.parse(new TextDecoder().decode(content)),
      () => null,
    ),
    E.chainW((value) => Configuration.decode(value)),
    E.match(
      () => [],
      ({ about }) => [...about.files.filter(isFileName), pageName],
    ),
  );

/**
 * Names of the files of the run that a folder holds, `null` where it holds none.
 *
 * @param fileSystem - where to look
 * @param directory - the folder
 */
export const earlierRun = (
  fileSystem: FileSystem,
  directory: string,
): TE.TaskEither<KfacError, ReadonlyArray<string> | null> => {
  const path = join(directory, configurationName);
  return pipe(
    fileSystem.exists(path),
    TE.chain((isThere) =>
      isThere ? pipe(fileSystem.read(path), TE.map(filesIn)) : TE.right<KfacError, ReadonlyArray<string> | null>(null),
    ),
  );
};

/**
 * Takes away what a run has left, but for what another has written in its place.
 *
 * @param fileSystem - where
 * @param directory - the folder of both
 * @param earlier - names of the files of the earlier one
 * @param written - paths of the files of the later one
 */
export const withoutEarlier = (
  fileSystem: FileSystem,
  directory: string,
  earlier: ReadonlyArray<string>,
  written: ReadonlyArray<string>,
): TE.TaskEither<KfacError, unknown> =>
  pipe(
    earlier.map((name) => join(directory, name)).filter((path) => !written.includes(path)),
    TE.traverseSeqArray(fileSystem.remove),
  );
