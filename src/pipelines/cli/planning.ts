/**
 * From a training command to a plan: flags, the configuration file, defaults.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { ConfigFile } from '../config/file.ts';
import { readConfigFile } from '../config/file.ts';
import type { Plan } from '../config/plan.ts';
import { planOf } from '../config/plan.ts';
import type { OptimizerChoice, RunConfig } from '../config/runConfig.ts';
import { mergeConfigs } from '../config/runConfig.ts';
import type { TaskFamily } from '../tasks/task.ts';
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
export interface Source extends ConfigFile {
  readonly path: string;
}

/** Reads the file that flags name, if they do. */
export const readSource = ({ files }: World, { flags }: TrainingCommand): TE.TaskEither<KfacError, Source | null> => {
  const path = flags['config'];
  return typeof path === 'string'
    ? pipe(
        readConfigFile(files, path),
        TE.map((read) => ({ ...read, path })),
      )
    : TE.right(null);
};

/**
 * What a command and a file describe.
 *
 * @param command - task and flags
 * @param source - the file, where one was named
 * @param tasks - what can be learned
 */
export const planFrom = (
  { name, task, flags }: TrainingCommand,
  source: Source | null,
  tasks: ReadonlyArray<TaskFamily>,
): E.Either<KfacError, Plan> => {
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
        E.chain((fromFlags) => planOf(task, optimizers, mergeConfigs(fromFile, fromFlags), tasks)),
      );
    }),
    E.map((plan) => ({ ...plan, warnings: [...(source?.warnings ?? []), ...plan.warnings] })),
  );
};
