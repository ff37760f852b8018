/**
 * A run as event files while it goes on: numbers of steps and evaluations, and how the eigenvalues of factors are spread.
 *
 * Each event is on its way to the file when the step after it begins, so a checkpoint never knows of a step that the files do
 * not. A run that goes on, or goes back, says from which step it tells anew, and what a file has beyond that does not count.
 * Events that cannot be written are no reason to end a run: a warning says so, once.
 *
 * @module
 */
import { join } from 'node:path';

import * as E from 'fp-ts/lib/Either.js';
import type * as IO from 'fp-ts/lib/IO.js';
import * as IOR from 'fp-ts/lib/IORef.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as R from 'fp-ts/lib/Record.js';
import type * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import { describeError } from '../../core/errors.ts';
import type { Metrics } from '../../core/pipeline/metrics.ts';
import { byStage, withoutSeconds } from '../../core/pipeline/metrics.ts';
import type { Shaped } from '../../core/tensor.ts';
import { joinedBytes } from '../files/bytes.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { spectraOn } from '../reports/spectra.ts';
import type { Listener, TrainEvent } from '../trainer/events.ts';
import { eventsBefore } from '../trainer/saving.ts';
import type { Saving, Snapshot } from '../trainer/snapshot.ts';
import { fileVersion, histograms, restart, scalars } from './events.ts';
import { histogramOf } from './histogram.ts';

/** Settings of event files. */
export interface EventLogOptions {
  /** Folder of the files, asked for with the first event. */
  readonly directory: TE.TaskEither<KfacError, string>;
  readonly date: IO.IO<Date>;
  /** Steps between two looks at the eigenvalues. */
  readonly every: number;
  /** Told why nothing more is written. */
  readonly warn: (sentence: string) => IO.IO<void>;
  /** Where the run goes on from, if it does. */
  readonly from?: Snapshot;
}

/** Event files of a run. */
export interface EventLog {
  readonly listener: Listener;
  /** Looks at the eigenvalues when that is due. */
  readonly saving: <T extends Shaped>(backend: Backend<T>) => Saving;
}

/** Files that are ours; the number at the end is the step that they begin with. */
const ours = /^events\.out\.tfevents\.\d+\.kfac\.\d+$/;

const nameAt = (time: number, step: number): string =>
  `events.out.tfevents.${String(Math.floor(time)).padStart(10, '0')}.kfac.${String(step).padStart(9, '0')}`;

/**
 * Names of the event files in a folder.
 *
 * @param files - where to look
 * @param directory - the folder
 */
export const eventFilesIn = (files: FileSystem, directory: string): TE.TaskEither<KfacError, ReadonlyArray<string>> =>
  pipe(
    files.list(directory),
    TE.map((names) => names.filter((name) => ours.test(name))),
  );

/**
 * A new event file with what it begins with.
 *
 * @param files - where
 * @param directory - its folder
 * @param date - when it is made
 * @param step - that it begins with
 * @param content - records after the one that every file begins with
 * @returns its path
 */
export const newEventFile = (
  files: FileSystem,
  directory: string,
  date: Date,
  step: number,
  content: ReadonlyArray<Uint8Array>,
): TE.TaskEither<KfacError, string> => {
  const time = date.getTime() / 1000;
  const path = join(directory, nameAt(time, step));
  return pipe(
    files.append(path, joinedBytes([fileVersion(time), ...content])),
    TE.map(() => path),
  );
};

const under = (heading: string, numbers: Metrics): Metrics =>
  Object.fromEntries(Object.entries(numbers).map(([name, value]) => [`${heading}/${name}`, value]));

/** Tags of what a step or an evaluation says. */
const numbersOf = (event: TrainEvent): Metrics =>
  event.event === 'step'
    ? {
        ...under('train', { loss: event.loss, ...withoutSeconds(event.metrics) }),
        ...under('seconds', byStage(event.metrics)),
      }
    : under('test', { loss: event.loss, ...event.measures });

/**
 * Event files of a run.
 *
 * @param files - where they go
 * @param options - folder, period
 */
export const eventLog = (files: FileSystem, { directory, date, every, warn, from }: EventLogOptions): EventLog => {
  const before = from?.state.step ?? 0;
  const opened = IOR.newIORef<Promise<E.Either<KfacError, string>> | null>(null)();
  const isBroken = IOR.newIORef(false)();
  const last = IOR.newIORef(before)();
  const now = (): number => date().getTime() / 1000;
  const recordOf = (event: TrainEvent): Uint8Array => scalars({ time: now(), step: event.step }, numbersOf(event));

  const begun = pipe(
    directory,
    TE.chain((folder) =>
      pipe(
        eventFilesIn(files, folder),
        TE.map((earlier) =>
          // What was before is there, or is told now: a run that goes on may have been begun without event files.
          earlier.length === 0 ? eventsBefore(from).map(recordOf) : [restart({ time: now(), step: before + 1 })],
        ),
        TE.chain((content) => newEventFile(files, folder, date(), before + 1, content)),
      ),
    ),
  );
  const path: TE.TaskEither<KfacError, string> = () => {
    const found = opened.read() ?? begun();
    opened.write(found)();
    return found;
  };

  const write =
    (content: () => Uint8Array): T.Task<void> =>
    async () => {
      if (isBroken.read()) return;
      const written = await pipe(
        path,
        TE.chain((file) => files.append(file, content())),
      )();
      if (E.isRight(written)) return;
      // A record may be there in part, and nothing can follow it.
      isBroken.write(true)();
      warn(`no more events are written for TensorBoard. ${describeError(written.left)}`)();
    };

  const look =
    <T extends Shaped>(backend: Backend<T>, { state }: Snapshot): T.Task<void> =>
    async () => {
      const spectra = await spectraOn(backend, state)();
      if (E.isLeft(spectra)) return; // a factor that is not finite, of which a step will tell
      const tagged = Object.fromEntries(
        spectra.right.flatMap(({ block, factor, eigenvalues }) => {
          const histogram = histogramOf(eigenvalues);
          return histogram === null ? [] : [[`eigenvalues/${block === '' ? 'model' : block}/${factor}`, histogram]];
        }),
      );
      if (!R.isEmpty(tagged)) await write(() => histograms({ time: now(), step: state.step }, tagged))();
    };

  return {
    listener: (event) => {
      const isAgain = event.event === 'step' && event.step <= last.read();
      if (event.event === 'step') last.write(event.step)();
      return write(() =>
        joinedBytes([...(isAgain ? [restart({ time: now(), step: event.step })] : []), recordOf(event)]),
      );
    },
    saving: (backend) => ({
      isDue: ({ step, isLast }) => step !== before && (isLast || step % every === 0),
      save: (snapshot) => TE.fromTask(look(backend, snapshot)),
    }),
  };
};
