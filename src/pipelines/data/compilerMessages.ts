/**
 * Messages of the TypeScript compiler, which come with the package `typescript` in fourteen languages: real text that is
 * aligned by its keys, and installed on most machines that have Node.js.
 *
 * English is in the compiler's own source, in one call for each message; the program is read and not run.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';

import type { KfacError } from '../../core/errors.ts';
import { shown } from '../../core/shown.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import type { Languages, ParallelText } from './parallelText.ts';

const name = 'messages of TypeScript';

/** Languages that there are besides English. */
const translations = ['cs', 'de', 'es', 'fr', 'it', 'ja', 'ko', 'pl', 'pt-br', 'ru', 'tr', 'zh-cn', 'zh-tw'];

/** Every language of the messages. */
export const messageLanguages: ReadonlyArray<string> = ['en', ...translations];

/** Messages by key. */
type Messages = ReadonlyMap<string, string>;

const Json = t.record(t.string, t.string);

const unreadable = (source: string, actual: string): KfacError => ({
  _tag: 'BadData',
  source,
  expected: 'messages by key',
  actual,
  advice: 'Install version 6 of the package: npm install typescript@6.',
});

/** A call that defines a message: its number, its kind, its key and its text. */
const definition = /\bdiag\(\d+, \d+ \/\* \w+ \*\/, "([^"\\]+)", ("(?:[^"\\]|\\.)*")/g;

const parsed = (json: string): unknown => JSON.parse(json);

const inSource = (text: string): Messages =>
  new Map(
    [...text.matchAll(definition)].flatMap(([, key, literal]): ReadonlyArray<readonly [string, string]> => {
      const message = parsed(literal);
      return typeof message === 'string' ? [[key, message]] : [];
    }),
  );

const inJson = (text: string, source: string): E.Either<KfacError, Messages> =>
  pipe(
    E.tryCatch(
      () => parsed(text),
      () => unreadable(source, 'text that is no JSON'),
    ),
    E.chain((value) =>
      Json.is(value) ? E.right(new Map(Object.entries(value))) : E.left(unreadable(source, shown(value))),
    ),
  );

const messagesIn = (files: FileSystem, directory: string, language: string): TE.TaskEither<KfacError, Messages> => {
  const path =
    language === 'en'
      ? `${directory}/lib/typescript.js`
      : `${directory}/lib/${language}/diagnosticMessages.generated.json`;
  return pipe(
    files.read(path),
    TE.map((bytes) => new TextDecoder().decode(bytes)),
    TE.chainEitherK((text) => (language === 'en' ? E.right(inSource(text)) : inJson(text, path))),
    TE.filterOrElse(
      (messages) => messages.size > 0,
      () => unreadable(path, 'none'),
    ),
  );
};

/** A language that the messages are in. */
const known = (path: string, language: string): E.Either<KfacError, string> =>
  messageLanguages.includes(language)
    ? E.right(language)
    : E.left({ _tag: 'BadConfig', path, expected: `one of ${messageLanguages.join(', ')}`, actual: shown(language) });

/**
 * Messages that are in both languages, in the order of the first.
 *
 * @param files - where packages are installed
 * @param languages - from which into which
 * @example
 * ```ts compile
 * import { nodeFileSystem, readMessages } from 'kfac-ts/pipelines';
 *
 * const pairs = await readMessages(nodeFileSystem, { from: 'en', to: 'fr' })();
 * ```
 */
export const readMessages = (files: FileSystem, { from, to }: Languages): TE.TaskEither<KfacError, ParallelText> =>
  pipe(
    TE.Do,
    TE.bind('source', () => TE.fromEither(known('with.from', from))),
    TE.bind('target', () => TE.fromEither(known('with.to', to))),
    TE.filterOrElse(
      ({ source, target }) => source !== target,
      (): KfacError => ({ _tag: 'BadConfig', path: 'with.to', expected: `another language than ${from}`, actual: to }),
    ),
    TE.bind('directory', () =>
      pipe(
        files.installed('typescript'),
        TE.fromOption((): KfacError => ({
          _tag: 'BadData',
          source: 'pairs of texts',
          expected: 'the package typescript',
          actual: 'no such package here',
          advice: 'Install it with npm install typescript@6, or name a file of pairs with --data.',
        })),
      ),
    ),
    TE.bind('left', ({ directory, source }) => messagesIn(files, directory, source)),
    TE.bind('right', ({ directory, target }) => messagesIn(files, directory, target)),
    TE.map(({ left, right }) => ({
      name: `${name}, ${from} to ${to}`,
      pairs: [...left].flatMap(([key, source]) => {
        const target = right.get(key);
        return target === undefined ? [] : [{ source: source.trim(), target: target.trim() }];
      }),
    })),
  );
