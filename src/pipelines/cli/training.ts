/**
 * `kfac train` and `kfac compare`: one run with one optimizer or with several.
 *
 * @module
 */
import { join } from 'node:path';

import type * as IO from 'fp-ts/lib/IO.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend, BackendReport } from '../../core/backends/backend.ts';
import { withBackend } from '../../core/backends/choice/choose.ts';
import type { KfacError } from '../../core/errors.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Plan } from '../config/plan.ts';
import type { Observer } from '../experiment.ts';
import { runExperiment } from '../experiment.ts';
import { doneLine } from '../reports/jsonLines.ts';
import { progressBar, progressJson, progressLines } from '../reports/progress.ts';
import { resultTable } from '../reports/resultTable.ts';
import { standstill } from '../reports/standstill.ts';
import type { Concluded, Report, Written } from '../reports/runFolder.ts';
import { writeReport } from '../reports/runFolder.ts';
import type { Loaded } from '../tasks/task.ts';
import { stepsOf } from '../trainer/options.ts';
import type { World } from '../world.ts';
import { asGiven } from './asGiven.ts';
import type { TrainingCommand } from './planning.ts';
import { planFrom, readSource } from './planning.ts';

/** A name that sorts by time: `20260131-142501`. */
const timestamp = (date: Date): string => date.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');

/** A directory for a report. */
interface Place {
  readonly directory: string;
  /** Whether someone asked for this one; it is a new one otherwise. */
  readonly isGiven: boolean;
}

/** Where the report goes, or `null` for nowhere: programs that read JSON lines say where they want a report. */
const placeOf = (world: World, { name, flags }: TrainingCommand, plan: Plan): Place | null => {
  if (plan.out !== undefined) return { directory: plan.out, isGiven: true };
  if (flags['json'] === true) return null;
  const [only] = plan.optimizers;
  const what = name === 'compare' ? 'compare' : only.name;
  const directory = join('runs', `${timestamp(world.date())}-${plan.task.name}-${plan.task.size}-${what}`);
  return { directory, isGiven: false };
};

const observerOf = (world: World, isJson: boolean, name: string, total: number): IO.IO<Observer> => {
  if (isJson) return progressJson(world, name);
  return world.isWatched ? progressBar(name, total) : progressLines(world, name, total);
};

/** A line about the run before it begins, after all warnings. */
const announce =
  (world: World, isJson: boolean, plan: Plan, data: Loaded, report: BackendReport): IO.IO<void> =>
  () => {
    [...plan.warnings, ...report.warnings, ...data.warnings].forEach((warning) => world.err(`warning: ${warning}`)());
    if (isJson) return;
    const { task, options } = plan;
    const examples = `${data.train.size.toLocaleString('en-US')} examples, batch ${options.batch}, seed ${options.seed}`;
    const threads = `${report.threads} ${report.threads === 1 ? 'thread' : 'threads'}`;
    world.err(`${task.name}-${task.size}: ${examples}`)();
    world.err(`${report.backend}: ${report.library}, ${threads}`)();
  };

interface Ended {
  readonly backend: BackendReport;
  readonly outcomes: ReadonlyArray<Concluded>;
}

const runOn =
  (world: World, isJson: boolean, plan: Plan, data: Loaded) =>
  <T extends Shaped>(backend: Backend<T>): TE.TaskEither<KfacError, Ended> => {
    const total = stepsOf(plan.options, data.train.size);
    return pipe(
      TE.fromIO(announce(world, isJson, plan, data, backend.report())),
      TE.chain(() =>
        runExperiment(
          { backend, clock: world.clock },
          {
            ...plan,
            data,
            observe: (optimizer) => observerOf(world, isJson, optimizer.name, total),
            conclude: (outcome) => () => {
              const ending = doneLine(outcome, world.memory());
              if (isJson) world.out(ending)();
              return { ...outcome, ending };
            },
          },
        ),
      ),
      TE.map((outcomes) => ({ backend: backend.report(), outcomes })),
    );
  };

/** The table, unless a program reads, and what was written. */
const conclude =
  (world: World, isJson: boolean, outcomes: ReadonlyArray<Concluded>, written: Written): IO.IO<void> =>
  () => {
    const still = outcomes.map(standstill).filter((sentence) => sentence !== null);
    [...still, ...written.warnings].forEach((warning) => world.err(`warning: ${warning}`)());
    if (isJson) return;
    ['', ...resultTable(outcomes), '', ...written.files].forEach((line) => world.out(line)());
  };

const nothingWritten: Written = { files: [], warnings: [] };

/** Writes the report, into a directory of its own where nobody named one: runs may begin in the same second. */
const writeTo = ({ files }: World, place: Place | null, report: Report): TE.TaskEither<KfacError, Written> => {
  if (place === null) return TE.right(nothingWritten);
  return pipe(
    place.isGiven ? TE.right(place.directory) : files.claim(place.directory),
    TE.chain((directory) => writeReport(files, directory, report)),
  );
};

const runPlan = (world: World, command: TrainingCommand, asked: Plan): TE.TaskEither<KfacError, void> => {
  const isJson = command.flags['json'] === true;
  return pipe(
    TE.Do,
    TE.bind('place', () => TE.fromIO(() => placeOf(world, command, asked))),
    TE.chainFirst(({ place }) => (place === null ? TE.right(undefined) : world.files.canWrite(place.directory))),
    TE.bind('data', () => asked.task.load(world.files, asked.data)),
    TE.let('plan', ({ data }): Plan => ({ ...asked, task: data.task })),
    TE.bind('ended', ({ plan, data }) => withBackend(plan.backend, runOn(world, isJson, plan, data))),
    TE.bind('written', ({ plan, data, place, ended }) => writeTo(world, place, { plan, data, ...ended })),
    TE.chainIOK(({ ended, written }) => conclude(world, isJson, ended.outcomes, written)),
  );
};

/**
 * Runs a training command to its end: plan, data, training, report.
 *
 * Whatever can be found wrong before training is, the report's directory included.
 *
 * @param world - what the program may do
 * @param command - what to do
 */
export const runTraining = (world: World, command: TrainingCommand): TE.TaskEither<KfacError, void> =>
  pipe(
    readSource(world, command),
    TE.chain((source) =>
      pipe(
        TE.fromEither(planFrom(command, source)),
        TE.chain((plan) => runPlan(world, command, plan)),
        TE.mapLeft(asGiven({ flags: command.flags, file: source })),
      ),
    ),
  );
