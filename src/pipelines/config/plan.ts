/**
 * From a configuration to a run: names become tasks and optimizers, what was left out gets its default.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { BackendOptions } from '../../core/backends/choice/choose.ts';
import type { KfacError } from '../../core/errors.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import type { Presets } from '../../solvers/presets/registry.ts';
import { presetIn, presets } from '../../solvers/presets/registry.ts';
import { taskOf, tasks as ownTasks } from '../catalogue/tasks.ts';
import type { Task, TaskFamily } from '../tasks/task.ts';
import type { Duration, TrainOptions } from '../trainer/options.ts';
import type { ExportFormat, OptimizerChoice, OptimizerSettings, RunConfig } from './runConfig.ts';

/** A run that is ready to begin. */
export interface Plan {
  readonly task: Task;
  readonly optimizers: ReadonlyArray<Optimizer>;
  readonly options: Omit<TrainOptions, 'listeners' | 'steer' | 'from' | 'start' | 'hold'>;
  readonly backend: BackendOptions;
  /** Directory of the data set, where one was named. */
  readonly data: string | undefined;
  /** File with the parameters to start from, where one was named. */
  readonly start: string | undefined;
  /** Paths of parameters that are held fixed. */
  readonly hold: ReadonlyArray<string>;
  /** Between checkpoints, as it was set; `undefined` where it was not. */
  readonly checkpointEvery: number | string | undefined;
  /** Checkpoints that stay, where it was said. */
  readonly keep: number | undefined;
  /** How often a run that diverges goes back, where it was said. */
  readonly backoff: number | undefined;
  /** Whether what happens is written as events of TensorBoard too, where it was said. */
  readonly tensorboard: boolean | undefined;
  /** What else parameters are written for, where it was said. */
  readonly export: ExportFormat | undefined;
  /** Directory of the report, where one was named. */
  readonly out: string | undefined;
  /** What is doubtful in the configuration, in sentences. */
  readonly warnings: ReadonlyArray<string>;
}

const bad = (path: string, expected: string, actual: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'BadConfig', path, expected, actual });

const durationOf = ({ steps, epochs }: RunConfig, task: Task): E.Either<KfacError, Duration> => {
  if (steps !== undefined && epochs !== undefined) return bad('epochs', 'either steps or epochs', 'both');
  return E.right(epochs === undefined ? { steps: steps ?? task.defaults.steps } : { epochs });
};

const nameOf = (choice: OptimizerChoice): string => (typeof choice === 'string' ? choice : choice.name);

const evaluatingEvery = (evaluateEvery: number | undefined): Pick<TrainOptions, 'evaluateEvery'> =>
  evaluateEvery === undefined ? {} : { evaluateEvery };

/** Presets that a task can be trained with. */
export const presetsOf = ({ optimizers = {} }: Task): Presets<Optimizer> => ({ ...presets, ...optimizers });

/** Checks settings of an optimizer that may not run. */
const settingsFor = (
  known: Presets<Optimizer>,
  choices: ReadonlyArray<OptimizerChoice>,
  name: string,
  changes: OptimizerSettings[string],
): E.Either<KfacError, unknown> =>
  choices.some((choice) => typeof choice !== 'string' && choice.name === name)
    ? bad(`settings.${name}`, 'settings of a preset', 'those of an optimizer of parts, which has its own')
    : pipe(
        presetIn(known, name, changes),
        E.mapLeft((error) =>
          error._tag === 'BadConfig' && error.path === 'optimizer' ? { ...error, path: `settings.${name}` } : error,
        ),
      );

/** Settings that nothing in the configuration has a use for. */
const unusedSettings = (
  choices: ReadonlyArray<OptimizerChoice>,
  { settings = {}, optimizer, optimizers = [] }: RunConfig,
): ReadonlyArray<string> => {
  const named = [...choices, ...optimizers, ...(optimizer === undefined ? [] : [optimizer])].map(nameOf);
  return Object.keys(settings)
    .filter((name) => !named.includes(name))
    .map((name) => `Settings of ${name} are not used: it does not run.`);
};

/** All optimizers that are asked for; settings for others must make sense too, since they may be misspelt. */
const optimizersOf = (
  known: Presets<Optimizer>,
  choices: ReadonlyArray<OptimizerChoice>,
  { settings = {} }: RunConfig,
): E.Either<KfacError, ReadonlyArray<Optimizer>> => {
  const names = choices.map(nameOf);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return bad('optimizers', 'each optimizer once', `${twice} twice`);
  if (names.length === 0) return bad('optimizers', 'at least one optimizer', 'none');
  return pipe(
    Object.entries(settings),
    E.traverseArray(([name, changes]) => settingsFor(known, choices, name, changes)),
    E.chain(() =>
      E.traverseArray((choice: OptimizerChoice) =>
        typeof choice === 'string' ? presetIn(known, choice, settings[choice] ?? {}) : E.right(choice),
      )(choices),
    ),
  );
};

/** Whether every part of a batch can have an example. */
const partsOf = ({ accumulate = 1 }: RunConfig, batch: number): E.Either<KfacError, unknown> =>
  accumulate <= batch
    ? E.right(accumulate)
    : bad('accumulate', `at most as many parts as a batch has examples, ${batch}`, String(accumulate));

/**
 * The backend that a configuration asks for.
 *
 * @param config - what was set
 */
export const backendOf = ({
  backend = 'auto',
  gpuMode,
  threads,
  gradientWorkers,
  wire,
  accumulate,
}: RunConfig): BackendOptions => ({
  backend,
  ...(gpuMode === undefined ? {} : { gpuMode }),
  ...(threads === undefined ? {} : { threads }),
  ...(gradientWorkers === undefined ? {} : { gradientWorkers }),
  ...(wire === undefined ? {} : { wire }),
  ...(accumulate === undefined ? {} : { accumulate }),
});

/**
 * The run that a configuration describes.
 *
 * @param task - name of the task
 * @param optimizers - names of presets, or optimizers
 * @param config - everything else
 * @param tasks - what can be learned
 */
export const planOf = (
  task: string,
  optimizers: ReadonlyArray<OptimizerChoice>,
  config: RunConfig,
  tasks: ReadonlyArray<TaskFamily> = ownTasks,
): E.Either<KfacError, Plan> => {
  const { batch, seed = 1, evaluateEvery, patience, data, start, hold = [], out, size = 'full' } = config;
  const { checkpointEvery, keep, backoff, tensorboard } = config;
  if (config.task !== undefined && config.task !== task) {
    return bad('task', `${task}, as on the command line`, config.task);
  }
  return pipe(
    E.Do,
    E.bind('task', () => taskOf(task, size, tasks, config.with)),
    E.bind('optimizers', (found) => optimizersOf(presetsOf(found.task), optimizers, config)),
    E.bind('duration', (found) => durationOf(config, found.task)),
    E.tap((found) => partsOf(config, batch ?? found.task.defaults.batch)),
    E.map((found) => ({
      task: found.task,
      optimizers: found.optimizers,
      options: {
        duration: found.duration,
        batch: batch ?? found.task.defaults.batch,
        seed,
        ...evaluatingEvery(evaluateEvery ?? found.task.defaults.evaluateEvery),
        ...(patience === undefined ? {} : { earlyStopping: { patience } }),
      },
      backend: backendOf(config),
      data,
      start,
      hold,
      checkpointEvery,
      keep,
      backoff,
      tensorboard,
      export: config.export,
      out,
      warnings: unusedSettings(optimizers, config),
    })),
  );
};
