/**
 * Where a run leaves its report: in a new directory, or in one that was asked for and that no other run has.
 *
 * @module
 */
import { join } from 'node:path';

import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as IOR from 'fp-ts/lib/IORef.js';
import type * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { withCheckpoints, withoutCheckpoints } from '../checkpoints/runCheckpoints.ts';
import type { Plan } from '../config/plan.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { earlierRun, withoutEarlier } from '../reports/earlierRun.ts';
import type { Report, Written } from '../reports/runFolder.ts';
import { writeReport } from '../reports/runFolder.ts';
import { withoutEvents } from '../tensorboard/runEvents.ts';
import type { World } from '../world.ts';
import type { TrainingCommand } from './planning.ts';

/** A name that sorts by time: `20260131-142501`. */
export const timestamp = (date: Date): string => date.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');

/** A directory for a report. */
export interface Place {
  readonly directory: string;
  /** Whether someone asked for this one; it is a new one otherwise. */
  readonly isGiven: boolean;
  /** Files of the run that it holds, which this one replaces. */
  readonly earlier?: ReadonlyArray<string>;
  /** Whether the run that it holds goes on. */
  readonly isResumed?: boolean;
}

/** A place while a run has it. */
export interface Taken extends Place {
  /** The directory, which is made when it is asked for first. */
  readonly taken: TE.TaskEither<KfacError, string>;
}

/** Where the report goes, or `null` for nowhere: programs that read JSON lines say where they want a report. */
export const placeOf = (
  world: World,
  { name, flags }: TrainingCommand,
  plan: Plan,
  resumed: string | null,
): Place | null => {
  if (resumed !== null) return { directory: resumed, isGiven: true, isResumed: true };
  if (plan.out !== undefined) return { directory: plan.out, isGiven: true };
  if (flags['json'] === true && plan.checkpointEvery === undefined && plan.tensorboard !== true) return null;
  const [only] = plan.optimizers;
  const what = name === 'compare' ? 'compare' : only.name;
  const directory = join('runs', `${timestamp(world.date())}-${plan.task.name}-${plan.task.size}-${what}`);
  return { directory, isGiven: false };
};

const nothingWritten: Written = { files: [], warnings: [] };

/** Writes the report; what a run has left that this one replaces goes. */
export const writeTo = ({ files }: World, place: Taken | null, report: Report): TE.TaskEither<KfacError, Written> => {
  if (place === null) return TE.right(nothingWritten);
  return pipe(
    place.taken,
    TE.chain((directory) =>
      pipe(
        writeReport(files, directory, report),
        TE.chainFirst((written) => withoutEarlier(files, directory, place.earlier ?? [], written.files)),
      ),
    ),
  );
};

/** Names of the files of the run that a directory holds, `null` where it holds none; one that was killed has checkpoints only. */
const runIn = (files: FileSystem, directory: string): TE.TaskEither<KfacError, ReadonlyArray<string> | null> =>
  pipe(
    earlierRun(files, directory),
    TE.chain((earlier) =>
      earlier !== null
        ? TE.right(earlier)
        : pipe(
            withCheckpoints(files, directory),
            TE.map((optimizers) => (optimizers.length === 0 ? null : [])),
          ),
    ),
  );

/** A directory that was asked for and holds a run already is for a run that replaces that one, or goes on with it. */
export const replacing = (
  { files }: World,
  place: Place | null,
  replaces: boolean,
): TE.TaskEither<KfacError, Place | null> =>
  place?.isGiven === true
    ? pipe(
        runIn(files, place.directory),
        TE.filterOrElse(
          (earlier) => earlier === null || replaces || place.isResumed === true,
          (): KfacError => ({
            _tag: 'BadConfig',
            path: 'out',
            expected: 'a directory that holds no run, --resume to go on with it or --replace to replace it',
            actual: `${place.directory}, which holds one`,
          }),
        ),
        TE.map((earlier) => ({ ...place, earlier: earlier ?? [] })),
      )
    : TE.right(place);

/** A directory of its own for whoever runs, without checkpoints and events of a run that it replaces, and what gives it back. */
const claimed = (
  files: FileSystem,
  { directory, isGiven, isResumed = false }: Place,
): TE.TaskEither<KfacError, Held> =>
  isGiven
    ? pipe(
        isResumed
          ? TE.right(undefined)
          : pipe(
              withoutCheckpoints(files, directory),
              TE.chain(() => withoutEvents(files, directory)),
            ),
        TE.map(() => ({ directory, release: () => Promise.resolve() })),
      )
    : pipe(
        files.claim(directory),
        TE.chain((own) =>
          pipe(
            files.lock(own),
            TE.map((release) => ({ directory: own, release })),
          ),
        ),
      );

interface Held {
  readonly directory: string;
  readonly release: T.Task<void>;
}

/**
 * Runs something that writes to a place, with the place to itself: from the start where it was asked for, from its first look
 * at the directory where it is a new one.
 *
 * @param world - whose files
 * @param place - the place, `null` for none
 * @param run - what writes there
 */
export const taking = <A>(
  { files }: World,
  place: Place | null,
  run: (place: Taken | null) => TE.TaskEither<KfacError, A>,
): TE.TaskEither<KfacError, A> => {
  if (place === null) return run(null);
  const first = IOR.newIORef<Promise<E.Either<KfacError, Held>> | null>(null)();
  const held: TE.TaskEither<KfacError, Held> = () => {
    const found = first.read() ?? claimed(files, place)();
    first.write(found)();
    return found;
  };
  const taken = pipe(
    held,
    TE.map(({ directory }) => directory),
  );
  const lock = place.isGiven ? files.lock(place.directory) : TE.right<KfacError, T.Task<void>>(() => Promise.resolve());
  return TE.bracket(
    lock,
    () => run({ ...place, taken }),
    (release) =>
      TE.fromTask(async () => {
        const found = await first.read();
        if (found !== null && E.isRight(found)) await found.right.release();
        await release();
      }),
  );
};
