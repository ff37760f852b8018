/**
 * Files as a capability, so that tests run without a disk and everything above is data.
 *
 * A file is written under a temporary name and renamed, so whoever looks sees all of it or nothing.
 *
 * @module
 */
import { constants } from 'node:fs';
import { access, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import type * as O from 'fp-ts/lib/Option.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { FileFailed, KfacError } from '../../core/errors.ts';
import { packageDirectory } from './packages.ts';
import { codeOf, messageOf } from './thrown.ts';

/** What programs here do with files. */
export interface FileSystem {
  readonly read: (path: string) => TE.TaskEither<KfacError, Uint8Array>;
  /** Whether there is a file or directory of that name. */
  readonly exists: (path: string) => TE.TaskEither<KfacError, boolean>;
  /** Replaces a file as a whole, making its directory where there is none. */
  readonly write: (path: string, content: Uint8Array | string) => TE.TaskEither<KfacError, void>;
  /** Fails when a directory could not be made or written to; makes nothing. */
  readonly canWrite: (directory: string) => TE.TaskEither<KfacError, void>;
  /** Directory of an installed package, for data that comes as a package. */
  readonly installed: (name: string) => O.Option<string>;
}

/** System error codes in words. */
const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENOSPC: 'no space is left',
  EEXIST: 'a file of that name is in the way',
};

const reasonOf = (thrown: unknown): string => reasons[codeOf(thrown) ?? ''] ?? messageOf(thrown);

const failed =
  (operation: FileFailed['operation'], path: string) =>
  (thrown: unknown): KfacError => ({ _tag: 'FileFailed', path, operation, reason: reasonOf(thrown) });

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** The directory itself, or the nearest one above it that exists. */
const nearest = async (directory: string): Promise<string> => {
  const above = dirname(directory);
  return above === directory || (await exists(directory)) ? directory : nearest(above);
};

const checkDirectory = async (path: string): Promise<void> => {
  const directory = await nearest(resolve(path));
  // With a separator at the end, a plain file of that name is an error too.
  await access(`${directory}/`, constants.W_OK);
};

/** Writes next to the target and renames; takes the temporary file away when that fails. */
const writeAtomically = async (path: string, content: Uint8Array | string): Promise<void> => {
  const temporary = `${path}.${process.pid}.tmp`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await writeFile(temporary, content);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
};

/** The files of this machine. */
export const nodeFileSystem: FileSystem = {
  read: (path) => TE.tryCatch(() => readFile(path), failed('read', path)),
  exists: (path) => TE.fromTask(() => exists(path)),
  write: (path, content) => TE.tryCatch(() => writeAtomically(path, content), failed('write', path)),
  canWrite: (directory) => TE.tryCatch(() => checkDirectory(directory), failed('write', directory)),
  installed: packageDirectory,
};
