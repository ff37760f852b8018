/**
 * Text in two languages, line by line: a file of pairs with tabs between, or two files whose lines belong together.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { shown } from '../../core/shown.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { readText } from './text.ts';

/** A text and what it is in the other language. */
export interface TextPair {
  readonly source: string;
  readonly target: string;
}

/** Pairs by the name of their file. */
export interface ParallelText {
  readonly name: string;
  readonly pairs: ReadonlyArray<TextPair>;
}

/** From one language to another, by the endings of files and the names of folders: `en`, `pt-br`. */
export interface Languages {
  readonly from: string;
  readonly to: string;
}

const bad = (source: string, expected: string, actual: string, advice: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'BadData', source, expected, actual, advice });

/** Lines with their numbers from 1. */
const linesOf = (text: string): ReadonlyArray<readonly [line: string, number: number]> =>
  text.split('\n').map((line, i) => [line, i + 1] as const);

const pairOf =
  (name: string) =>
  ([line, number]: readonly [string, number]): E.Either<KfacError, TextPair> => {
    const [source = '', target] = line.split('\t').map((cell) => cell.trim());
    const where = `${name}, line ${number}`;
    const expected = 'a text, a tab, and the text in the other language';
    if (target === undefined) return bad(where, expected, `${shown(line)} without a tab`, 'Repair the line.');
    return source === '' || target === ''
      ? bad(
          where,
          expected,
          `nothing ${source === '' ? 'before' : 'after'} the tab`,
          'Repair the line, or leave it out.',
        )
      : E.right({ source, target });
  };

/**
 * Pairs from text with a pair on each line, a tab between its two sides; columns after them and blank lines are left out.
 *
 * @param text - content of a file
 * @param name - its name, for errors
 * @example
 * ```ts
 * import { parsePairs } from 'kfac-ts/pipelines';
 *
 * const read = parsePairs('red\trot\nblue\tblau\n', 'colours.tsv');
 * read._tag === 'Right' ? read.right.pairs[1] : null; // => { source: 'blue', target: 'blau' }
 * ```
 */
export const parsePairs = (text: string, name: string): E.Either<KfacError, ParallelText> =>
  pipe(
    linesOf(text).filter(([line]) => line.trim() !== ''),
    E.traverseArray(pairOf(name)),
    E.map((pairs) => ({ name, pairs })),
  );

/** Two texts line by line; lines that are blank in both are left out. */
const aligned = (
  a: { readonly name: string; readonly text: string },
  b: { readonly name: string; readonly text: string },
): E.Either<KfacError, ParallelText> => {
  const [left, right] = [a.text, b.text].map((text) =>
    linesOf(text.replace(/\n$/, '')).map(([line, number]) => [line.trim(), number] as const),
  );
  if (left.length !== right.length) {
    const counts = `${left.length} lines in ${a.name}, ${right.length} in ${b.name}`;
    return bad(`${a.name} and ${b.name}`, 'as many lines', counts, 'Line n of one is line n of the other.');
  }
  return pipe(
    left.map(([source, number], i) => ({ source, target: right[i][0], number })),
    (lines) => lines.filter(({ source, target }) => source !== '' || target !== ''),
    E.traverseArray(({ source, target, number }): E.Either<KfacError, TextPair> =>
      source === '' || target === ''
        ? bad(
            `${source === '' ? a.name : b.name}, line ${number}`,
            'a text, since the line has one in the other file',
            'nothing',
            'Repair the line, or leave it out of both.',
          )
        : E.right({ source, target }),
    ),
    E.map((pairs) => ({ name: a.name, pairs })),
  );
};

/**
 * Pairs from a file with tabs, or from two files whose names end in the languages.
 *
 * @param files - where to look
 * @param path - the file; or how two names begin: `corpus` for `corpus.en` and `corpus.de`
 * @param languages - from which into which
 * @example
 * ```ts compile
 * import { nodeFileSystem, readPairs } from 'kfac-ts/pipelines';
 *
 * const pairs = await readPairs(nodeFileSystem, 'corpus', { from: 'en', to: 'de' })();
 * ```
 */
export const readPairs = (
  files: FileSystem,
  path: string,
  { from, to }: Languages,
): TE.TaskEither<KfacError, ParallelText> =>
  pipe(
    TE.Do,
    TE.bind('isOne', () => files.exists(path)),
    TE.bind('areTwo', () => files.exists(`${path}.${from}`)),
    TE.chain(({ isOne, areTwo }) =>
      isOne || !areTwo
        ? pipe(
            readText(files, path),
            TE.chainEitherK(({ name, text }) => parsePairs(text, name)),
          )
        : pipe(
            TE.Do,
            TE.bind('source', () => readText(files, `${path}.${from}`)),
            TE.bind('target', () => readText(files, `${path}.${to}`)),
            TE.chainEitherK(({ source, target }) => aligned(source, target)),
          ),
    ),
  );
