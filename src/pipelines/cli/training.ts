/**
 * `kfac train` and `kfac compare`: one run with one optimizer or with several.
 *
 * @module
 */
import { join } from 'node:path';

import * as E from 'fp-ts/lib/Either.js';
import type * as IO from 'fp-ts/lib/IO.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend, BackendReport } from '../../core/backends/backend.ts';
import { withBackend } from '../../core/backends/choice/choose.ts';
import type { KfacError } from '../../core/errors.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { ConfigFile } from '../config/file.ts';
import { readConfigFile } from '../config/file.ts';
import type { Plan } from '../config/plan.ts';
import { planOf } from '../config/plan.ts';
import type { OptimizerChoice, RunConfig } from '../config/runConfig.ts';
import { mergeConfigs } from '../config/runConfig.ts';
import type { Observer } from '../experiment.ts';
import { runExperiment } from '../experiment.ts';
import { doneLine } from '../reports/jsonLines.ts';
import { progressBar, progressJson, progressLines } from '../reports/progress.ts';
import { resultTable } from '../reports/resultTable.ts';
import { standstill } from '../reports/standstill.ts';
import type { Concluded, Written } from '../reports/runFolder.ts';
import { writeReport } from '../reports/runFolder.ts';
import type { Loaded } from '../tasks/task.ts';
import { stepsOf } from '../trainer/options.ts';
import type { World } from '../world.ts';
import { asGiven } from './asGiven.ts';
import type { RawFlags } from './options.ts';
import { configOfFlags, optimizersOfFlags } from './options.ts';

/** What a command asks for. */
export interface TrainingCommand {
  readonly name: 'train' | 'compare';
  readonly task: string;
  readonly flags: RawFlags;
}

/** Optimizers of a run that names none. */
const defaultOptimizers: Readonly<Record<TrainingCommand['name'], ReadonlyArray<string>>> = {
  train: ['kfac'],
  compare: ['kfac', 'adam', 'sgd'],
};

/** The optimizers that a file names for a command; a list of one will do for `train`, and one for `compare`. */
const optimizersIn = (
  name: TrainingCommand['name'],
  { optimizer, optimizers }: RunConfig,
): E.Either<KfacError, ReadonlyArray<OptimizerChoice> | undefined> => {
  const one = optimizer === undefined ? undefined : [optimizer];
  if (name === 'compare') return E.right(optimizers ?? one);
  return one !== undefined || optimizers === undefined || optimizers.length === 1
    ? E.right(one ?? optimizers)
    : E.left({
        _tag: 'BadConfig',
        path: 'optimizers',
        expected: 'one optimizer to train with, or --optimizer to choose one',
        actual: `${optimizers.length} of them`,
      });
};

/** Flags that set something about presets have nothing to set where every optimizer is composed. */
const withoutSettings = (flags: RawFlags): E.Either<KfacError, RawFlags> => {
  const flag = ['lr', 'set'].find((name) => name in flags);
  return flag === undefined
    ? E.right(flags)
    : E.left({
        _tag: 'BadConfig',
        path: `--${flag}`,
        expected: 'a preset to set something of',
        actual: 'an optimizer that is composed in the file',
      });
};

/** A configuration file with its name. */
interface Source extends ConfigFile {
  readonly path: string;
}

const readSource = ({ files }: World, { flags }: TrainingCommand): TE.TaskEither<KfacError, Source | null> => {
  const path = flags['config'];
  return typeof path === 'string'
    ? pipe(
        readConfigFile(files, path),
        TE.map((read) => ({ ...read, path })),
      )
    : TE.right(null);
};

const planFrom = ({ name, task, flags }: TrainingCommand, source: Source | null): E.Either<KfacError, Plan> => {
  const fromFile = source?.config ?? {};
  const named = optimizersOfFlags(flags);
  return pipe(
    named === undefined ? optimizersIn(name, fromFile) : E.right(named),
    E.map((found) => found ?? defaultOptimizers[name]),
    E.chain((optimizers) => {
      const presets = optimizers.flatMap((choice) => (typeof choice === 'string' ? [choice] : []));
      return pipe(
        presets.length === 0 ? withoutSettings(flags) : E.right(flags),
        E.chain((allowed) => configOfFlags(allowed, presets)),
        E.chain((fromFlags) => planOf(task, optimizers, mergeConfigs(fromFile, fromFlags))),
      );
    }),
    E.map((plan) => ({ ...plan, warnings: [...(source?.warnings ?? []), ...plan.warnings] })),
  );
};

/** A name that sorts by time: `20260131-142501`. */
const timestamp = (date: Date): string => date.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');

/** Where the report goes, or `null` for nowhere: programs that read JSON lines say where they want a report. */
const directoryOf = (world: World, { name, flags }: TrainingCommand, plan: Plan): string | null => {
  if (plan.out !== undefined) return plan.out;
  if (flags['json'] === true) return null;
  const [only] = plan.optimizers;
  const what = name === 'compare' ? 'compare' : only.name;
  return join('runs', `${timestamp(world.date())}-${plan.task.name}-${plan.task.size}-${what}`);
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
    world.err(`${task.objective.model.name}: ${examples}`)();
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

const runPlan = (world: World, command: TrainingCommand, asked: Plan): TE.TaskEither<KfacError, void> => {
  const isJson = command.flags['json'] === true;
  return pipe(
    TE.Do,
    TE.bind('directory', () => TE.fromIO(() => directoryOf(world, command, asked))),
    TE.chainFirst(({ directory }) => (directory === null ? TE.right(undefined) : world.files.canWrite(directory))),
    TE.bind('data', () => asked.task.load(world.files, asked.data)),
    TE.let('plan', ({ data }): Plan => ({ ...asked, task: data.task })),
    TE.bind('ended', ({ plan, data }) => withBackend(plan.backend, runOn(world, isJson, plan, data))),
    TE.bind('written', ({ plan, data, directory, ended }) =>
      directory === null ? TE.right(nothingWritten) : writeReport(world.files, directory, { plan, data, ...ended }),
    ),
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
