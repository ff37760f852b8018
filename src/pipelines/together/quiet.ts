/**
 * The world of a process that trains with others and is not the one that tells of it: it reads, and writes nothing.
 *
 * @module
 */
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { FileSystem } from '../files/fileSystem.ts';
import type { World } from '../world.ts';

const done = (): TE.TaskEither<never, void> => TE.right(undefined);

/** Files that are read as they are; what is written goes nowhere, without an error. */
const readOnly = (files: FileSystem): FileSystem => ({
  ...files,
  write: done,
  append: done,
  refuseLink: done,
  writeDirectory: done,
  removeDirectory: done,
  remove: done,
  canWrite: done,
  canWriteFile: done,
  lock: () => TE.right(() => Promise.resolve()),
  claim: TE.right,
});

/**
 * The same world, in which nothing is said and nothing written.
 *
 * @param world - that of the process
 * @param err - what becomes of lines on standard error
 */
export const quiet = (world: World, err: World['err']): World => ({
  ...world,
  out: () => () => undefined,
  print: () => () => undefined,
  err,
  isWatched: false,
  files: readOnly(world.files),
});
