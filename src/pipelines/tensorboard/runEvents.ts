/**
 * The event files of a whole run: a folder `tensorboard` in the run's, and in it one for each optimizer and one for figures.
 *
 * @module
 */
import { basename, extname, join } from 'node:path';

import { pipe } from 'fp-ts/lib/function.js';
import * as RA from 'fp-ts/lib/ReadonlyArray.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { eventFilesIn, newEventFile } from './eventLog.ts';
import { image } from './events.ts';

/** Name of the folder. */
const boardName = 'tensorboard';

/** The folder of an optimizer's events. */
export const eventsOf = (run: string, optimizer: string): string => join(run, boardName, optimizer);

/**
 * Puts the pictures of a report among the events.
 *
 * @param files - where
 * @param run - the run's folder
 * @param written - paths of the report's files
 * @param when - steps done, and the time
 */
export const figuresAsEvents = (
  files: FileSystem,
  run: string,
  written: ReadonlyArray<string>,
  when: { readonly step: number; readonly date: Date },
): TE.TaskEither<KfacError, unknown> => {
  const pictures = written.filter((path) => extname(path) === '.png');
  if (pictures.length === 0) return TE.right(undefined);
  const at = { step: when.step, time: when.date.getTime() / 1000 };
  return pipe(
    pictures,
    TE.traverseSeqArray((path) =>
      pipe(
        files.read(path),
        TE.map((png) => image(at, basename(path, '.png'), png)),
      ),
    ),
    TE.chain((records) => newEventFile(files, eventsOf(run, 'figures'), when.date, when.step, records)),
  );
};

/**
 * Takes the event files of a run away, and nothing else that may stand there.
 *
 * @param files - where
 * @param run - the run's folder
 */
export const withoutEvents = (files: FileSystem, run: string): TE.TaskEither<KfacError, unknown> =>
  pipe(
    files.list(join(run, boardName)),
    TE.chainFirst((names) => (names.length === 0 ? TE.right(undefined) : files.refuseLink(join(run, boardName)))),
    TE.map(RA.map((name) => eventsOf(run, name))),
    TE.chain(
      TE.traverseSeqArray((folder) =>
        pipe(
          eventFilesIn(files, folder),
          TE.orElse(() => TE.right<KfacError, ReadonlyArray<string>>([])), // a file is no folder of events
          TE.chain(TE.traverseSeqArray((name) => files.remove(join(folder, name)))),
        ),
      ),
    ),
  );
