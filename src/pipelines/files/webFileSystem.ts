/**
 * Files below an address, read with `fetch`: how a page gets at a data set.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as O from 'fp-ts/lib/Option.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { FileFailed, KfacError } from '../../core/errors.ts';
import type { FileSystem } from './fileSystem.ts';
import { messageOf } from './thrown.ts';

const failed = (operation: FileFailed['operation'], path: string, reason: string): KfacError => ({
  _tag: 'FileFailed',
  path,
  operation,
  reason,
});

const readOnly = (path: string): TE.TaskEither<KfacError, never> =>
  TE.left(failed('write', path, 'files behind an address can only be read'));

/**
 * Files below an address. A path that is an address itself is read from there.
 *
 * @param base - the address, with a slash at its end where it is that of a directory
 * @example
 * ```ts
 * import { mnistClassifier, webFileSystem } from 'kfac-ts/pipelines';
 *
 * // Reads https://example.org/data/mnist/train-images-idx3-ubyte and the like when it is run.
 * const files = webFileSystem('https://example.org/data/');
 * const load = mnistClassifier.ofSize('small').load(files, 'mnist');
 * ```
 */
export const webFileSystem = (base: string): FileSystem => {
  const request = (path: string, method: 'GET' | 'HEAD'): TE.TaskEither<KfacError, Response> =>
    TE.tryCatch(
      () => fetch(new URL(path, base), { method }),
      (thrown) => failed('read', path, messageOf(thrown)),
    );
  return {
    read: (path) =>
      pipe(
        request(path, 'GET'),
        TE.filterOrElse(
          ({ ok }) => ok,
          ({ status }) => failed('read', path, `the server answered ${status}`),
        ),
        TE.chain((answer) =>
          TE.tryCatch(
            async () => new Uint8Array(await answer.arrayBuffer()),
            (thrown) => failed('read', path, messageOf(thrown)),
          ),
        ),
      ),
    exists: (path) =>
      pipe(
        request(path, 'HEAD'),
        TE.map(({ ok }) => ok),
      ),
    write: readOnly,
    append: readOnly,
    refuseLink: readOnly,
    writeDirectory: readOnly,
    removeDirectory: readOnly,
    list: (directory) => TE.left(failed('read', directory, 'an address has no list of what is behind it')),
    remove: readOnly,
    canWrite: readOnly,
    canWriteFile: readOnly,
    lock: readOnly,
    claim: readOnly,
    installed: () => O.none,
  };
};
