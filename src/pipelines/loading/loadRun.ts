/**
 * A run that is over, from its folder: the task as it was, and the parameters that it came to.
 *
 * @module
 */
import { join } from 'node:path';

import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import { checkPaths } from '../../core/nn/model.ts';
import type { Params } from '../../core/params.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { RunConfig } from '../config/runConfig.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { parametersName, runningName } from '../reports/folderFormat.ts';
import { readSafetensors } from '../safetensors/read.ts';
import { familyOf, settingsOf, tasksWith } from '../catalogue/tasks.ts';
import type { Task, TaskFamily } from '../tasks/task.ts';
import type { RunDescription } from './configuration.ts';
import { readDescription } from './configuration.ts';

/** A run that is over. */
export interface LoadedRun {
  readonly directory: string;
  readonly config: RunConfig;
  /** The task as the run's files make it, or as it is before data are read. */
  readonly task: Task;
  /** Whether the task is as the run had it, so that it can be used without data. */
  readonly isRecalled: boolean;
  /** Whose parameters these are. */
  readonly optimizer: string;
  /** All parameters, in host memory. */
  readonly params: Params<Tensor>;
  /** State of layers that is not trained. */
  readonly running: Params<Tensor>;
}

/** Which run. */
export interface LoadRunOptions {
  /** Whose parameters; those of the first optimizer that left some unless given. */
  readonly optimizer?: string;
  /** Tasks besides the library's. */
  readonly tasks?: ReadonlyArray<Task | TaskFamily>;
}

const bad = (source: string, expected: string, actual: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'BadCheckpoint', source, expected, actual });

/** The optimizer whose parameters are wanted and there. */
const chosen = (
  directory: string,
  { optimizers, files }: RunDescription,
  wanted: string | undefined,
): E.Either<KfacError, string> => {
  const there = optimizers.filter((name) => files.includes(parametersName(name)));
  const found = wanted === undefined ? there[0] : there.find((name) => name === wanted);
  if (found !== undefined) return E.right(found);
  return wanted === undefined || there.length === 0
    ? bad(directory, 'parameters of an optimizer that came to its end', 'none')
    : E.left({ _tag: 'BadConfig', path: 'optimizer', expected: `one of ${there.join(', ')}`, actual: wanted });
};

/** Texts that the run kept, by the names of their files. */
const readKept = (
  files: FileSystem,
  directory: string,
  { kept }: RunDescription,
): TE.TaskEither<KfacError, Readonly<Record<string, string>>> =>
  pipe(
    kept,
    TE.traverseSeqArray((name) => {
      const path = join(directory, name);
      return pipe(
        files.read(path),
        TE.chainEitherK((bytes) =>
          E.tryCatch(
            () => [name, new TextDecoder('utf-8', { fatal: true }).decode(bytes)] as const,
            (): KfacError => ({
              _tag: 'BadCheckpoint',
              source: path,
              expected: 'text in UTF-8',
              actual: 'bytes that are not',
            }),
          ),
        ),
      );
    }),
    TE.map((entries) => Object.fromEntries(entries)),
  );

/** An error about a file that a run kept, by where the file is: who makes the task knows its name alone. */
const inFolder =
  (directory: string, kept: Readonly<Record<string, string>>) =>
  (error: KfacError): KfacError =>
    error._tag === 'BadCheckpoint' && Object.hasOwn(kept, error.source)
      ? { ...error, source: join(directory, error.source) }
      : error;

/** The task of a run, as it was where its family can tell. */
const taskOfRun = (
  files: FileSystem,
  directory: string,
  description: RunDescription,
  tasks: ReadonlyArray<Task | TaskFamily>,
): TE.TaskEither<KfacError, Pick<LoadedRun, 'task' | 'isRecalled'>> => {
  const { task: name = '', size = 'full', with: given = {} } = description.config;
  return pipe(
    TE.Do,
    TE.bind('family', () => TE.fromEither(familyOf(name, tasksWith(tasks)))),
    TE.bind('settings', ({ family }) => TE.fromEither(settingsOf(family, size, given))),
    TE.chain(({ family, settings }): TE.TaskEither<KfacError, Pick<LoadedRun, 'task' | 'isRecalled'>> => {
      const { recalled } = family;
      return recalled === undefined
        ? pipe(
            TE.fromEither(attempt(() => family.ofSize(size, settings))),
            TE.map((task) => ({ task, isRecalled: false })),
          )
        : pipe(
            readKept(files, directory, description),
            TE.chainEitherK((kept) => pipe(recalled(size, settings, kept), E.mapLeft(inFolder(directory, kept)))),
            TE.map((task) => ({ task, isRecalled: true })),
          );
    }),
  );
};

/** Parameters are those of the task's networks, where these are known without data; only their shapes are made. */
const fitting = (run: LoadedRun, path: string): E.Either<KfacError, LoadedRun> =>
  run.isRecalled
    ? pipe(
        attempt(() => run.task.networks.flatMap(({ layer }) => layer.parameters(''))),
        E.chain((specs) => checkPaths(path, Object.fromEntries(specs.map((spec) => [spec.path, spec])), run.params)),
        E.map(() => run),
      )
    : E.right(run);

/**
 * Loads a run from its folder.
 *
 * @param files - where to look
 * @param directory - the folder that `kfac train` or `writeReport` wrote
 * @param options - which optimizer's parameters, tasks of one's own
 * @returns the run; `BadCheckpoint` of a folder that holds none, of another version, or whose files are cut off
 * @example
 * ```ts no-run
 * import { loadRun, nodeFileSystem } from 'kfac-ts/pipelines';
 *
 * const run = await loadRun(nodeFileSystem, 'runs/moby')();
 * ```
 */
export const loadRun = (
  files: FileSystem,
  directory: string,
  { optimizer, tasks = [] }: LoadRunOptions = {},
): TE.TaskEither<KfacError, LoadedRun> =>
  pipe(
    readDescription(files, directory),
    TE.bindTo('description'),
    TE.bind('name', ({ description }) => TE.fromEither(chosen(directory, description, optimizer))),
    TE.bind('made', ({ description }) => taskOfRun(files, directory, description, tasks)),
    TE.bind('params', ({ name }) => readSafetensors(files, join(directory, parametersName(name)))),
    TE.bind('running', ({ name, description }) =>
      description.files.includes(runningName(name))
        ? readSafetensors(files, join(directory, runningName(name)))
        : TE.right<KfacError, Params<Tensor>>({}),
    ),
    TE.chainEitherK(({ description: { config }, name, made, params, running }) =>
      fitting({ directory, config, ...made, optimizer: name, params, running }, join(directory, parametersName(name))),
    ),
  );
