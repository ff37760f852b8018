/**
 * Configuration files, in YAML or JSON (which is YAML as well).
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { parse } from 'yaml';

import type { KfacError } from '../../core/errors.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { messageOf } from '../files/thrown.ts';
import type { RunConfig } from './runConfig.ts';
import { decodeRunConfig } from './runConfig.ts';

const parseText = (text: string, path: string): E.Either<KfacError, unknown> =>
  E.tryCatch(
    (): unknown => parse(text),
    (thrown) => ({
      _tag: 'BadConfig',
      path,
      expected: 'YAML or JSON',
      actual: messageOf(thrown),
    }),
  );

/**
 * Decodes the text of a configuration file; an empty file sets nothing.
 *
 * @param content - the text
 * @param path - name of the file, for errors
 */
export const decodeConfigFile = (content: string, path: string): E.Either<KfacError, RunConfig> =>
  pipe(
    parseText(content, path),
    E.chain((value) =>
      value === null ? E.right({}) : decodeRunConfig((place) => (place === '' ? path : `${path}: ${place}`), value),
    ),
  );

/**
 * Reads a configuration file.
 *
 * @param files - where to read
 * @param path - the file
 */
export const readConfigFile = (files: FileSystem, path: string): TE.TaskEither<KfacError, RunConfig> =>
  pipe(
    files.read(path),
    TE.chainEitherK((bytes) => decodeConfigFile(new TextDecoder().decode(bytes), path)),
  );
