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
import { withBackend } from '../../core/backends/choose.ts';
import type { KfacError } from '../../core/errors.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import { readConfigFile } from '../config/file.ts';
import type { Plan } from '../config/plan.ts';
import { planOf } from '../config/plan.ts';
import type { RunConfig } from '../config/runConfig.ts';
import { mergeConfigs } from '../config/runConfig.ts';
import type { Splits } from '../data/dataset.ts';
import { runExperiment } from '../experiment.ts';
import { doneLine, eventLine } from '../reports/jsonLines.ts';
import type { Progress } from '../reports/progress.ts';
import { noProgress, progressBar, progressLines } from '../reports/progress.ts';
import { resultTable } from '../reports/resultTable.ts';
import type { Concluded, Written } from '../reports/runFolder.ts';
import { writeReport } from '../reports/runFolder.ts';
import type { Listener } from '../trainer/events.ts';
import { stepsOf } from '../trainer/options.ts';
import type { World } from '../world.ts';
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

const optimizersIn = (name: TrainingCommand['name'], config: RunConfig): ReadonlyArray<string> | undefined =>
  name === 'compare' ? config.optimizers : config.optimizer === undefined ? undefined : [config.optimizer];

const readPlan = ({ files }: World, { name, task, flags }: TrainingCommand): TE.TaskEither<KfacError, Plan> =>
  pipe(
    typeof flags['config'] === 'string' ? readConfigFile(files, flags['config']) : TE.right<KfacError, RunConfig>({}),
    TE.chainEitherK((fromFile) => {
      const optimizers = optimizersOfFlags(flags) ?? optimizersIn(name, fromFile) ?? defaultOptimizers[name];
      return pipe(
        configOfFlags(flags, optimizers),
        E.chain((fromFlags) => planOf(task, optimizers, mergeConfigs(fromFile, fromFlags))),
      );
    }),
  );

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

const progressOf = (world: World, isJson: boolean, name: string, total: number): Progress => {
  if (isJson) return noProgress;
  return world.isWatched ? progressBar(name, total) : progressLines(world, name, total);
};

/** A line about the run before it begins, and the backend's warnings. */
const announce = (world: World, isJson: boolean, plan: Plan, data: Splits, report: BackendReport): IO.IO<void> => () => {
  report.warnings.forEach((warning) => world.err(`warning: ${warning}`)());
  if (isJson) return;
  const { task, options } = plan;
  const backend = `${report.backend} (${report.library}, ${report.threads} ${report.threads === 1 ? 'thread' : 'threads'})`;
  const examples = data.train.size.toLocaleString('en-US');
  world.err(`${task.objective.model.name}: ${examples} examples, batch ${options.batch}, seed ${options.seed}, ${backend}`)();
};

interface Ended {
  readonly data: Splits;
  readonly backend: BackendReport;
  readonly outcomes: ReadonlyArray<Concluded>;
}

const runOn =
  (world: World, isJson: boolean, plan: Plan, data: Splits) =>
  <T extends Shaped>(backend: Backend<T>): TE.TaskEither<KfacError, Ended> => {
    const total = stepsOf(plan.options, data.train.size);
    const listenersOf = (optimizer: Optimizer): ReadonlyArray<Listener> => [
      progressOf(world, isJson, optimizer.name, total).listener,
      ...(isJson ? [(event: Parameters<Listener>[0]) => world.out(eventLine(optimizer.name, event))] : []),
    ];
    return pipe(
      TE.fromIO(announce(world, isJson, plan, data, backend.report())),
      TE.chain(() =>
        runExperiment(
          { backend, clock: world.clock },
          {
            ...plan,
            data,
            listeners: listenersOf,
            conclude: (outcome) => () => {
              const ending = doneLine(outcome, world.memory());
              if (isJson) world.out(ending)();
              return { ...outcome, ending };
            },
          },
        ),
      ),
      TE.map((outcomes) => ({ data, backend: backend.report(), outcomes })),
    );
  };
