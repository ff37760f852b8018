/**
 * Where a run leaves its report: in a new directory, or in one that was asked for and that no other run has.
 *
 * @module
 */
import { join } from 'node:path';

import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { Plan } from '../config/plan.ts';
import { earlierRun, withoutEarlier } from '../reports/earlierRun.ts';
import type { Report, Written } from '../reports/runFolder.ts';
import { writeReport } from '../reports/runFolder.ts';
import type { World } from '../world.ts';
import type { TrainingCommand } from './planning.ts';

/** A name that sorts by time: `20260131-142501`. */
const timestamp = (date: Date): string => date.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');

/** A directory for a report. */
export interface Place {
  readonly directory: string;
  /** Whether someone asked for this one; it is a new one otherwise. */
  readonly isGiven: boolean;
  /** Files of the run that it holds, which this one replaces. */
  readonly earlier?: ReadonlyArray<string>;
}

/** Where the report goes, or `null` for nowhere: programs that read JSON lines say where they want a report. */
export const placeOf = (world: World, { name, flags }: TrainingCommand, plan: Plan): Place | null => {
  if (plan.out !== undefined) return { directory: plan.out, isGiven: true };
  if (flags['json'] === true) return null;
  const [only] = plan.optimizers;
  const what = name === 'compare' ? 'compare' : only.name;
  const directory = join('runs', `${timestamp(world.date())}-${plan.task.name}-${plan.task.size}-${what}`);
  return { directory, isGiven: false };
};

const nothingWritten: Written = { files: [], warnings: [] };

/** Writes the report, into a directory of its own where nobody named one: runs may begin in the same second. */
export const writeTo = ({ files }: World, place: Place | null, report: Report): TE.TaskEither<KfacError, Written> => {
  if (place === null) return TE.right(nothingWritten);
  return pipe(
    place.isGiven ? TE.right(place.directory) : files.claim(place.directory),
    TE.chain((directory) =>
      pipe(
        writeReport(files, directory, report),
        TE.chainFirst((written) => withoutEarlier(files, directory, place.earlier ?? [], written.files)),
      ),
    ),
  );
};

/** A directory that was asked for and holds a run already is for a run that replaces that one. */
export const replacing = (
  { files }: World,
  place: Place | null,
  replaces: boolean,
): TE.TaskEither<KfacError, Place | null> =>
  place?.isGiven === true
    ? pipe(
        earlierRun(files, place.directory),
        TE.filterOrElse(
          (earlier) => earlier === null || replaces,
          (): KfacError => ({
            _tag: 'BadConfig',
            path: 'out',
            expected: 'a directory that holds no run, or --replace to replace it',
            actual: `${place.directory}, which holds one`,
          }),
        ),
        TE.map((earlier) => ({ ...place, earlier: earlier ?? [] })),
      )
    : TE.right(place);

/** Keeps other runs from a directory that was asked for; a new one is nobody else's. */
export const locked =
  ({ files }: World, place: Place | null) =>
  <A>(run: TE.TaskEither<KfacError, A>): TE.TaskEither<KfacError, A> =>
    place?.isGiven === true
      ? TE.bracket(
          files.lock(place.directory),
          () => run,
          (release) => TE.fromTask(release),
        )
      : run;
