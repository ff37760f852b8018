/**
 * YAML from outside, as plain data.
 *
 * Merge keys (`<<`) are understood. What a small file can make of a reader is bounded before anything is made: its size, how
 * deep it is nested, aliases inside of what they stand for. Tags that nobody knows are told of, and nothing is written to
 * the screen past those who read.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { CST, Document } from 'yaml';
import { Composer, isAlias, isCollection, isPair, LineCounter, Parser } from 'yaml';

import type { KfacError } from '../../core/errors.ts';
import { messageOf } from '../files/thrown.ts';
import { inSentence } from './codecs/codecs.ts';

/** A file's value. */
export interface Parsed {
  /** `null` for a file with nothing in it. */
  readonly value: unknown;
  readonly warnings: ReadonlyArray<string>;
}

/** Longer files are no configurations. */
const mostCharacters = 2 ** 20;

/** Levels of lists and records; what this library reads has about ten. */
const mostLevels = 64;

const bad = (path: string, expected: string, actual: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'BadConfig', path, expected, actual });

/** Lists and records that are parts of a token. */
const partsOf = (token: CST.Token): ReadonlyArray<CST.Token> => {
  const parts =
    token.type === 'document'
      ? [token.value]
      : 'items' in token
        ? token.items.flatMap(({ key, value }) => [key, value])
        : [];
  return parts.flatMap((part) => (part !== undefined && part !== null && 'items' in part ? [part] : []));
};

/** Whether documents are nested in no more levels than are allowed, looked at level by level. */
const isShallow = (tokens: ReadonlyArray<CST.Token>, levels: number = mostLevels + 1): boolean =>
  tokens.length === 0 || (levels > 0 && isShallow(tokens.flatMap(partsOf), levels - 1));

/** Whether there is an alias below a node that stands for something that it is a part of. */
const isCircular = (document: Document, node: unknown, outer: ReadonlyArray<unknown> = []): boolean => {
  if (isAlias(node)) {
    const meant = node.resolve(document);
    return meant !== undefined && outer.includes(meant);
  }
  if (isPair(node)) return isCircular(document, node.value, outer);
  return isCollection(node) && node.items.some((item) => isCircular(document, item, [...outer, node]));
};

const toData = (document: Document, path: string): E.Either<KfacError, Parsed> => {
  if (isCircular(document, document.contents))
    return bad(path, 'aliases of other things', 'one inside of what it stands for');
  return pipe(
    E.tryCatch(
      (): unknown => document.toJS(),
      (thrown): KfacError => ({ _tag: 'BadConfig', path, expected: 'YAML or JSON', actual: messageOf(thrown) }),
    ),
    E.map((value) => ({ value, warnings: document.warnings.map(({ message }) => `${path}: ${message}.`) })),
  );
};

/** The tokens of a text, `null` where they are nested in more levels than the parser has a stack for. */
const tokensOf = (text: string, lines: LineCounter): ReadonlyArray<CST.Token> | null =>
  pipe(
    E.tryCatch(
      () => [...new Parser(lines.addNewLine).parse(text)],
      () => null,
    ),
    E.getOrElseW((none) => none),
  );

/**
 * The value of a YAML file.
 *
 * @param text - the file
 * @param path - its name, for errors
 */
export const parseYaml = (text: string, path: string): E.Either<KfacError, Parsed> => {
  if (text.length > mostCharacters) {
    return bad(path, `YAML or JSON of at most ${mostCharacters} characters`, `${text.length} of them`);
  }
  const lines = new LineCounter();
  const tokens = tokensOf(text, lines);
  if (tokens === null || !isShallow(tokens))
    return bad(path, `at most ${mostLevels} levels`, 'more, one inside another');
  const options = { merge: true, stringKeys: true, logLevel: 'error', lineCounter: lines } as const;
  const [document, second] = [...new Composer(options).compose(tokens)];
  if (document === undefined) return E.right({ value: null, warnings: [] });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    return bad(path, 'YAML or JSON', `“${inSentence(error.message)}” in line ${line}, column ${col}`);
  }
  return second === undefined ? toData(document, path) : bad(path, 'one document', 'several, with --- between them');
};
