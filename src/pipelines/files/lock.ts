/**
 * A lock on a directory: a file that says who writes there, taken away at the end. One that its owner has left, because it was
 * killed, is no one's.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { open, readFile, rm, rmdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';

import { makeDirectory } from './makeDirectory.ts';
import { codeOf } from './thrown.ts';

/** Who holds a lock. */
const Owner = t.type({ process: t.number, host: t.string, since: t.string });
type Owner = t.TypeOf<typeof Owner>;

/** Name of the file. */
export const lockName = 'run.lock';

const ownerIn = (text: string): Owner | null =>
  pipe(
    E.tryCatch(
      (): unknown => JSON.parse(text),
      () => null,
    ),
    E.chainW((value) => Owner.decode(value)),
    E.match(
      () => null,
      (owner) => owner,
    ),
  );

/** Whether a process has ended and only its parent has not asked how: Linux tells, after the name of the program, in brackets. */
const hasEnded = (id: number): boolean =>
  pipe(
    E.tryCatch(
      () => readFileSync(`/proc/${id}/stat`, 'latin1'),
      () => null,
    ),
    E.match(
      () => false,
      (status) => /^\) [ZX]/.test(status.slice(status.lastIndexOf(')'))),
    ),
  );

/** A process of this machine that is no more; of others nothing is known. */
const isGone = ({ process: id, host }: Owner): boolean => {
  if (host !== hostname()) return false;
  return pipe(
    E.tryCatch(
      () => process.kill(id, 0),
      (thrown) => codeOf(thrown),
    ),
    E.match(
      (code) => code === 'ESRCH',
      () => hasEnded(id),
    ),
  );
};

/** Someone else's lock. */
const taken = (path: string, owner: Owner | null): Error => {
  const who =
    owner === null ? 'another run' : `another run, process ${owner.process} on ${owner.host} since ${owner.since},`;
  return new Error(`${who} writes there; if it does not, delete ${path}`);
};

const create = async (path: string): Promise<void> => {
  const file = await open(path, 'wx');
  try {
    const owner: Owner = { process: process.pid, host: hostname(), since: new Date().toISOString() };
    await file.writeFile(JSON.stringify(owner));
  } finally {
    await file.close();
  }
};

/** What is in a file; nothing where there is none any more. */
const contentOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

const tried = <A>(operation: () => Promise<A>): TE.TaskEither<unknown, A> => TE.tryCatch(operation, (thrown) => thrown);

/** Takes the lock of an owner that is gone. */
const inherited = (path: string): TE.TaskEither<unknown, void> =>
  pipe(
    TE.fromTask(() => contentOf(path)),
    TE.map(ownerIn),
    TE.chain((owner) =>
      owner !== null && isGone(owner)
        ? tried(async () => {
            await rm(path, { force: true });
            await create(path);
          })
        : TE.left(taken(path, owner)),
    ),
  );

const acquired = (directory: string, path: string): TE.TaskEither<unknown, void> =>
  pipe(
    tried(() => makeDirectory(directory)),
    TE.chain(() => tried(() => create(path))),
    TE.orElse((thrown) => (codeOf(thrown) === 'EEXIST' ? inherited(path) : TE.left(thrown))),
  );

/** A directory that holds nothing was made for the lock. */
const release = async (directory: string, path: string): Promise<void> => {
  await rm(path, { force: true });
  await rmdir(directory).catch(() => undefined);
};

/**
 * Takes a lock, making the directory where there is none.
 *
 * @param directory - what nobody else may write to
 * @returns what gives it back, or what was thrown
 */
export const lockDirectory = (directory: string): TE.TaskEither<unknown, T.Task<void>> => {
  const path = join(directory, lockName);
  return pipe(
    acquired(directory, path),
    TE.map(() => () => release(directory, path)),
  );
};
