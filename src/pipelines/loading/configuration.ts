/**
 * What a run's folder says of the run: its configuration, and which files there are.
 *
 * @module
 */
import { join } from 'node:path';

import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';

import type { KfacError } from '../../core/errors.ts';
import { shown } from '../../core/shown.ts';
import type { RunConfig } from '../config/runConfig.ts';
import { decodeRunConfig } from '../config/runConfig.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { configurationName, isFileName } from '../reports/earlierRun.ts';
import { folderFormat } from '../reports/folderFormat.ts';

/** A run as its folder describes it. */
export interface RunDescription {
  readonly config: RunConfig;
  /** Names of the optimizers that left parameters, in the order of the run. */
  readonly optimizers: ReadonlyArray<string>;
  /** Names of all files. */
  readonly files: ReadonlyArray<string>;
  /** Names of the files that the task needs besides parameters. */
  readonly kept: ReadonlyArray<string>;
}

const FileNames = t.readonlyArray(
  new t.Type<string>(
    'a name of a file',
    (value): value is string => typeof value === 'string' && isFileName(value),
    (value, context) => (typeof value === 'string' && isFileName(value) ? t.success(value) : t.failure(value, context)),
    t.identity,
  ),
);

const About = t.type({ about: t.type({ files: FileNames, kept: FileNames }) });
const Format = t.type({ about: t.type({ format: t.unknown }) });

const bad = (source: string, expected: string, actual: string): KfacError => ({
  _tag: 'BadCheckpoint',
  source,
  expected,
  actual,
});

const parsed = (bytes: Uint8Array, source: string): E.Either<KfacError, unknown> =>
  E.tryCatch(
    (): unknown => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)),
    () => bad(source, 'the configuration of a run, in JSON', 'text that is cut off or is no JSON'),
  );

/** The layout of the folder is the one that is read here. */
const ofThisFormat =
  (source: string) =>
  (value: unknown): E.Either<KfacError, unknown> => {
    const found = Format.is(value) ? value.about.format : undefined;
    return found === folderFormat
      ? E.right(value)
      : E.left(
          bad(
            source,
            `a run folder of format ${folderFormat}, as this version of kfac writes them`,
            found === undefined ? 'a configuration without a format' : `format ${shown(found)}`,
          ),
        );
  };

const described =
  (source: string) =>
  (value: unknown): E.Either<KfacError, RunDescription> =>
    pipe(
      E.Do,
      E.bind('config', () => decodeRunConfig((path) => `${source}: ${path}`, value)),
      E.bind('about', () =>
        About.is(value) ? E.right(value.about) : E.left(bad(source, 'names of its files under about', 'none')),
      ),
      E.map(({ config, about: { files, kept } }) => ({
        config,
        files,
        kept,
        optimizers: [...(config.optimizers ?? []), ...(config.optimizer === undefined ? [] : [config.optimizer])].map(
          (choice) => (typeof choice === 'string' ? choice : choice.name),
        ),
      })),
    );

/**
 * Reads what a folder says of its run.
 *
 * @param files - where to look
 * @param directory - the folder
 */
export const readDescription = (files: FileSystem, directory: string): TE.TaskEither<KfacError, RunDescription> => {
  const source = join(directory, configurationName);
  return pipe(
    files.exists(source),
    TE.filterOrElse(
      (isThere) => isThere,
      () => bad(directory, `a folder with the ${configurationName} of a run`, 'none there'),
    ),
    TE.chain(() => files.read(source)),
    TE.chainEitherK((bytes) => parsed(bytes, source)),
    TE.chainEitherK(ofThisFormat(source)),
    TE.chainEitherK(described(source)),
  );
};
