/**
 * Configuration files, in YAML or JSON (which is YAML as well).
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { KfacError } from '../../core/errors.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import type { RunConfig } from './runConfig.ts';
import { decodeRunConfig } from './runConfig.ts';
import { parseYaml } from './yaml.ts';

/** What a file sets. */
export interface ConfigFile {
  readonly config: RunConfig;
  /** What is doubtful in it, in sentences. */
  readonly warnings: ReadonlyArray<string>;
}

/**
 * Decodes the text of a configuration file; an empty file sets nothing.
 *
 * @param content - the text
 * @param path - name of the file, for errors
 */
export const decodeConfigFile = (content: string, path: string): E.Either<KfacError, ConfigFile> =>
  pipe(
    parseYaml(content, path),
    E.chain(({ value, warnings }) =>
      pipe(
        value === null ? E.right({}) : decodeRunConfig((place) => (place === '' ? path : `${path}: ${place}`), value),
        E.map((config) => ({ config, warnings })),
      ),
    ),
  );

/**
 * Reads a configuration file.
 *
 * @param files - where to read
 * @param path - the file
 */
export const readConfigFile = (files: FileSystem, path: string): TE.TaskEither<KfacError, ConfigFile> =>
  pipe(
    files.read(path),
    TE.chainEitherK((bytes) => decodeConfigFile(new TextDecoder().decode(bytes), path)),
  );
