/**
 * A search in a file: a line that says what was asked for, and one for each result.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';

import type { KfacError } from '../../core/errors.ts';
import { decodeWith } from '../config/codecs/codecs.ts';
import type { TuneResult } from './search.ts';

/** What was asked for: the task, and flags as they were typed. */
export interface Asked {
  readonly task: string;
  readonly flags: Readonly<Record<string, string | boolean | ReadonlyArray<string>>>;
}

/** A search as its file has it. */
export interface SearchRecord {
  readonly asked: Asked;
  readonly results: ReadonlyArray<TuneResult>;
}

/** Of the lines; another one is for another version to read. */
const version = 1;

const numberOrNone = t.union([t.number, t.null]);
const textOrNone = t.union([t.string, t.null]);

const AskedLine = t.type({
  search: t.literal(version),
  task: t.string,
  flags: t.record(t.string, t.union([t.string, t.boolean, t.readonlyArray(t.string)])),
});

const ResultLine: t.Decoder<unknown, TuneResult> = t.type({
  optimizer: t.string,
  trial: t.number,
  settings: t.record(t.string, t.union([t.number, t.string, t.boolean])),
  rung: numberOrNone,
  budget: t.number,
  seed: t.number,
  loss: numberOrNone,
  measures: t.record(t.string, t.number),
  steps: t.number,
  seconds: t.number,
  error: textOrNone,
});

/** What was asked for as a line, without its end. */
const askedLine = ({ task, flags }: Asked): string => JSON.stringify({ search: version, task, flags });

/** A result as a line, without its end. */
export const tuneResultLine = (result: TuneResult): string => JSON.stringify(result);

/** All of a search as the text of its file. */
export const recordText = ({ asked, results }: SearchRecord): string =>
  [askedLine(asked), ...results.map(tuneResultLine)].map((line) => `${line}\n`).join('');

const bad = (source: string, row: number, expected: string): KfacError => ({
  _tag: 'BadCheckpoint',
  source,
  expected: `${expected} in line ${row}`,
  actual: 'a line that is none, or is cut off',
});

const lineOf =
  <A>(source: string, codec: t.Decoder<unknown, A>, expected: string) =>
  ([line, row]: readonly [string, number]): E.Either<KfacError, A> =>
    pipe(
      E.tryCatch(
        (): unknown => JSON.parse(line),
        () => null,
      ),
      E.chainW((value) => decodeWith(codec, (path) => path, value)),
      E.mapLeft(() => bad(source, row, expected)),
    );

/**
 * The search in a file.
 *
 * @param source - its name
 * @param text - as {@link recordText} makes it
 */
export const parseRecord = (source: string, text: string): E.Either<KfacError, SearchRecord> => {
  const [first, ...rest] = text
    .trimEnd()
    .split('\n')
    .map((line, i) => [line, i + 1] as const);
  return pipe(
    E.Do,
    E.bind('asked', () => lineOf(source, AskedLine, `what a search of version ${version} was asked for`)(first)),
    E.bind('results', () => pipe(rest, E.traverseArray(lineOf(source, ResultLine, 'a result of a search')))),
    E.map(({ asked: { task, flags }, results }) => ({ asked: { task, flags }, results })),
  );
};
