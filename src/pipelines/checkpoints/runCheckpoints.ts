/**
 * The checkpoints of a whole run: a folder `checkpoints` in the run's, and in it one for each optimizer.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RA from 'fp-ts/lib/ReadonlyArray.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { inside } from './files.ts';
import { keepOnly, latestName, stepsIn } from './store.ts';

/** Name of the folder. */
export const checkpointsName = 'checkpoints';

/** The folder of an optimizer's checkpoints. */
export const checkpointsOf = (run: string, optimizer: string): string =>
  inside(inside(run, checkpointsName), optimizer);

/**
 * The folder of an optimizer's checkpoints, to write to: not where a link leads.
 *
 * @param files - where
 * @param run - the run's folder
 * @param optimizer - name of the optimizer
 */
export const ownCheckpointsOf = (files: FileSystem, run: string, optimizer: string): TE.TaskEither<KfacError, string> =>
  pipe(
    files.refuseLink(inside(run, checkpointsName)),
    TE.map(() => checkpointsOf(run, optimizer)),
  );

/** A checkpoint of a run by its path: the run's folder and the optimizer. */
const within = new RegExp(`^(.*?)/?${checkpointsName}/([^/]+)/[^/]+$`);

/**
 * The run that a checkpoint belongs to by its path, `null` where it stands elsewhere.
 *
 * @param checkpoint - path of its folder
 */
export const runOfCheckpoint = (checkpoint: string): string | null => {
  const [, run] = within.exec(checkpoint.replaceAll('\\', '/').replace(/\/+$/, '')) ?? [];
  return run === undefined ? null : run === '' ? '.' : run;
};

/**
 * Optimizers of a run that have checkpoints.
 *
 * @param files - where to look
 * @param run - the run's folder
 */
export const withCheckpoints = (files: FileSystem, run: string): TE.TaskEither<KfacError, ReadonlyArray<string>> =>
  pipe(
    files.list(inside(run, checkpointsName)),
    TE.chain(
      TE.traverseSeqArray((optimizer) =>
        pipe(
          stepsIn(files, checkpointsOf(run, optimizer)),
          TE.orElse(() => TE.right<KfacError, ReadonlyArray<number>>([])), // a file is no folder of checkpoints
          TE.map((steps) => (steps.length === 0 ? [] : [optimizer])),
        ),
      ),
    ),
    TE.map(RA.flatten),
  );

/** Takes a folder away that nothing is in. */
const removeEmpty = (files: FileSystem, directory: string): TE.TaskEither<KfacError, unknown> =>
  pipe(
    files.list(directory),
    TE.chain((names) => (names.length === 0 ? files.removeDirectory(directory) : TE.right(undefined))),
  );

/**
 * Takes the checkpoints of a run away, and nothing else that may stand there.
 *
 * @param files - where
 * @param run - the run's folder
 */
export const withoutCheckpoints = (files: FileSystem, run: string): TE.TaskEither<KfacError, unknown> =>
  pipe(
    withCheckpoints(files, run),
    TE.chain(TE.traverseSeqArray((optimizer) => ownCheckpointsOf(files, run, optimizer))),
    TE.chain(
      TE.traverseSeqArray((directory) =>
        pipe(
          keepOnly(files, directory, []),
          TE.chain(() => files.remove(inside(directory, latestName))),
          TE.chain(() => removeEmpty(files, directory)),
        ),
      ),
    ),
    TE.chain((removed) =>
      removed.length === 0 ? TE.right(undefined) : removeEmpty(files, inside(run, checkpointsName)),
    ),
  );
