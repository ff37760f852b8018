/**
 * Files as a capability, so that tests run without a disk and everything above is data.
 *
 * A file is written under a temporary name and renamed, so whoever looks sees all of it or nothing.
 *
 * @module
 */
import type { Stats } from 'node:fs';
import { constants } from 'node:fs';
import { access, appendFile, lstat, mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';

import { identity, pipe } from 'fp-ts/lib/function.js';
import type * as O from 'fp-ts/lib/Option.js';
import type * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { FileFailed, KfacError } from '../../core/errors.ts';
import { lockDirectory } from './lock.ts';
import { makeDirectory } from './makeDirectory.ts';
import { packageDirectory } from './packages.ts';
import { codeOf, messageOf } from './thrown.ts';

/** What programs here do with files. */
export interface FileSystem {
  /** The bytes of a file; `FileFailed` where there is none. */
  readonly read: (path: string) => TE.TaskEither<KfacError, Uint8Array>;
  /** Whether there is a file or directory of that name. */
  readonly exists: (path: string) => TE.TaskEither<KfacError, boolean>;
  /** Replaces a file as a whole, making its directory where there is none. */
  readonly write: (path: string, content: Uint8Array | string) => TE.TaskEither<KfacError, void>;
  /**
   * Adds to a file, making it and its directory where there is none. Fails where a link stands in the place of it, of its
   * directory, or of the one above that.
   */
  readonly append: (path: string, content: Uint8Array) => TE.TaskEither<KfacError, void>;
  /**
   * Replaces a directory as a whole by one that holds these files, and is done when a machine that loses its power now has them
   * still. Fails where a link stands in the place of it or of the directory that it is in.
   */
  readonly writeDirectory: (
    path: string,
    files: Readonly<Record<string, Uint8Array | string>>,
  ) => TE.TaskEither<KfacError, void>;
  /** Fails where a link stands in the place of something: whoever may write here may not say where else is written. */
  readonly refuseLink: (path: string) => TE.TaskEither<KfacError, void>;
  /** Takes a directory away with all that is in it, a link and not what it leads to; nothing where there is none. */
  readonly removeDirectory: (path: string) => TE.TaskEither<KfacError, void>;
  /** Names of what is in a directory; none where there is none. */
  readonly list: (directory: string) => TE.TaskEither<KfacError, ReadonlyArray<string>>;
  /** Takes a file away, a link and not what it leads to; nothing where there is none. */
  readonly remove: (path: string) => TE.TaskEither<KfacError, void>;
  /** Fails when a directory could not be made or written to; makes nothing. */
  readonly canWrite: (directory: string) => TE.TaskEither<KfacError, void>;
  /** Fails when a file could not be written: its directory cannot, or it is a directory itself; makes nothing. */
  readonly canWriteFile: (path: string) => TE.TaskEither<KfacError, void>;
  /**
   * Keeps others that ask from a directory until what it gives is run; fails where another has it, and says who. The directory
   * is made where there is none.
   */
  readonly lock: (directory: string) => TE.TaskEither<KfacError, T.Task<void>>;
  /**
   * Makes a directory that nobody has yet and gives its name: the one asked for, or with `-2`, `-3`, … at its end. Of several
   * processes that ask at once each gets one of its own.
   */
  readonly claim: (directory: string) => TE.TaskEither<KfacError, string>;
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
  ENAMETOOLONG: 'a name in the path is too long',
  ELOOP: 'its links go round in a circle',
  ERR_INVALID_ARG_VALUE: 'a path holds no NUL',
};

/** What a system error says, in words. */
export const reasonOf = (thrown: unknown): string => reasons[codeOf(thrown) ?? ''] ?? messageOf(thrown);

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

/** An operation whose failure is looked at. */
const tried = <A>(operation: () => Promise<A>): TE.TaskEither<unknown, A> => TE.tryCatch(operation, identity);

/** What is there, `null` for nothing; fails where no file or directory can have the name. */
const takesName = (path: string): TE.TaskEither<unknown, Stats | null> =>
  pipe(
    tried((): Promise<Stats | null> => stat(path)),
    TE.orElse((thrown) => (codeOf(thrown) === 'ENOENT' ? TE.right(null) : TE.left(thrown))),
  );

const checkDirectory = (path: string): TE.TaskEither<unknown, void> =>
  pipe(
    tried(() => nearest(resolve(path))),
    // With a separator at the end, a plain file of that name is an error too.
    TE.chainFirst((directory) => tried(() => access(`${directory}/`, constants.W_OK))),
    // Whether the file system takes the names of those that are missing, it says when it is asked for each.
    TE.chain((directory) =>
      TE.traverseArray((name: string) => takesName(join(directory, name)))(
        relative(directory, resolve(path)).split(sep),
      ),
    ),
    TE.map(() => undefined),
  );

/** Fails where a file cannot be written: a directory is in the way, or asked for by a separator at the end. */
const checkFile = (path: string): TE.TaskEither<unknown, void> =>
  pipe(
    checkDirectory(dirname(path)),
    TE.chain(() => takesName(path)),
    TE.chain((found) =>
      found?.isDirectory() === true || path.endsWith('/') || path.endsWith(sep)
        ? TE.left({ code: 'EISDIR' })
        : TE.right(undefined),
    ),
  );

/** A directory of its own for whoever asks. */
const claim = (directory: string, number = 1): TE.TaskEither<unknown, string> => {
  const name = number === 1 ? directory : `${directory}-${number}`;
  return pipe(
    tried(() => makeDirectory(dirname(name))),
    TE.chain(() =>
      pipe(
        tried(() => mkdir(name)),
        TE.map(() => name),
        TE.orElse((thrown) => (codeOf(thrown) === 'EEXIST' ? claim(directory, number + 1) : TE.left(thrown))),
      ),
    ),
  );
};

/** Writes a file of its own, to the disk and not only to the system's memory. */
const writeThrough = async (path: string, content: Uint8Array | string): Promise<void> => {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
};

/** Names in a directory outlive a loss of power once it is written too; not every system has that. */
const syncDirectory = async (path: string): Promise<void> => {
  const directory = await open(path, 'r').catch(() => null);
  await directory?.sync().catch(() => undefined);
  await directory?.close();
};

/** Writes next to the target and renames; takes the temporary file away when that fails. */
const writeAtomically = async (path: string, content: Uint8Array | string): Promise<void> => {
  const temporary = `${path}.${process.pid}.tmp`;
  await makeDirectory(dirname(path));
  try {
    await rm(temporary, { force: true });
    await writeThrough(temporary, content);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
};

const isLink = (path: string): Promise<boolean> =>
  lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );

/** What stands in the way of files that belong to a run. */
const notThroughLinks = (...places: ReadonlyArray<string>): TE.TaskEither<unknown, void> =>
  pipe(
    places,
    TE.traverseArray((place) => TE.fromTask(() => isLink(place))),
    TE.chain((links) =>
      links.includes(true) ? TE.left(new Error('a link is in the way, and is not followed')) : TE.right(undefined),
    ),
  );

const deleted = (path: string): Promise<void> => rm(path, { recursive: true, force: true });

/** A directory loses its name before the first of its files goes: whoever looks sees all of it, or nothing. */
const removeDirectory = async (path: string): Promise<void> => {
  const nameless = `${path}.${process.pid}.gone.tmp`;
  await deleted(nameless);
  const isMoved = await rename(path, nameless).then(
    () => true,
    () => false, // nothing is there, or nothing that can be moved
  );
  await deleted(isMoved ? nameless : path);
};

/**
 * Writes next to the target and renames. Where there is one already it goes out of the way first, so for a moment there is
 * none: whoever looks sees all of one of them, or nothing.
 */
const writeDirectoryAtomically = async (
  path: string,
  files: Readonly<Record<string, Uint8Array | string>>,
): Promise<void> => {
  const [temporary, replaced] = [`${path}.${process.pid}.tmp`, `${path}.${process.pid}.old.tmp`];
  await makeDirectory(dirname(path));
  try {
    await Promise.all([temporary, replaced].map(deleted));
    await mkdir(temporary);
    await Object.entries(files).reduce(
      (before, [name, content]) => before.then(() => writeThrough(join(temporary, name), content)),
      Promise.resolve(),
    );
    await syncDirectory(temporary);
    if (await exists(path)) await rename(path, replaced);
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } finally {
    await Promise.all([temporary, replaced].map(deleted));
  }
};

const namesIn = (directory: string): TE.TaskEither<unknown, ReadonlyArray<string>> =>
  pipe(
    tried((): Promise<ReadonlyArray<string>> => readdir(directory)),
    TE.orElse((thrown) => (codeOf(thrown) === 'ENOENT' ? TE.right([]) : TE.left(thrown))),
  );

/** The files of this machine. */
export const nodeFileSystem: FileSystem = {
  read: (path) => TE.tryCatch(() => readFile(path), failed('read', path)),
  exists: (path) => TE.fromTask(() => exists(path)),
  write: (path, content) => TE.tryCatch(() => writeAtomically(path, content), failed('write', path)),
  append: (path, content) =>
    pipe(
      notThroughLinks(path, dirname(path), dirname(dirname(path))),
      TE.chain(() => tried(() => makeDirectory(dirname(path)))),
      TE.chain(() => tried(() => appendFile(path, content))),
      TE.mapLeft(failed('write', path)),
    ),
  writeDirectory: (path, files) =>
    pipe(
      notThroughLinks(path, dirname(path)),
      TE.chain(() => tried(() => writeDirectoryAtomically(path, files))),
      TE.mapLeft(failed('write', path)),
    ),
  refuseLink: (path) => pipe(notThroughLinks(path), TE.mapLeft(failed('write', path))),
  removeDirectory: (path) => TE.tryCatch(() => removeDirectory(path), failed('write', path)),
  list: (directory) => pipe(namesIn(directory), TE.mapLeft(failed('read', directory))),
  remove: (path) => TE.tryCatch(() => rm(path, { force: true }), failed('write', path)),
  canWrite: (directory) => pipe(checkDirectory(directory), TE.mapLeft(failed('write', directory))),
  canWriteFile: (path) => pipe(checkFile(path), TE.mapLeft(failed('write', path))),
  lock: (directory) => pipe(lockDirectory(directory), TE.mapLeft(failed('write', directory))),
  claim: (directory) => pipe(claim(directory), TE.mapLeft(failed('write', directory))),
  installed: packageDirectory,
};
