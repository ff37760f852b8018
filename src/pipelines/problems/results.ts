/**
 * Results of trials in files: a JSON line each.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';

import type { KfacError } from '../../core/errors.ts';
import { describeError } from '../../core/errors.ts';
import { decodeWith } from '../config/codecs/codecs.ts';
import type { TrialResult } from './trial.ts';

const numberOrNone = t.union([t.number, t.null]);

const Told = t.type({
  problem: t.string,
  half: t.union([t.literal('tune'), t.literal('report')]),
  optimizer: t.string,
  settings: t.record(t.string, t.union([t.number, t.string, t.boolean])),
  seed: t.number,
  steps: t.number,
  batch: t.number,
  floor: t.number,
  initialLoss: numberOrNone,
  trainLoss: numberOrNone,
  testLoss: numberOrNone,
  ended: t.boolean,
  error: t.union([t.string, t.null]),
  seconds: numberOrNone,
  secondsPerStep: numberOrNone,
  flopsOfAdam: numberOrNone,
});

const Result: t.Decoder<unknown, TrialResult> = t.intersection([Told, t.partial({ longer: t.number })]);

/** A result as a line, without its end. */
export const resultLine = (result: TrialResult): string => JSON.stringify(result);

/** An error in words, without the end of its sentence and without its place in the codec. */
const wordsOf = (error: KfacError): string =>
  describeError(error)
    .replace(/^\d+\.?/, '')
    .replace(/\.$/, '');

const bad = (source: string, row: number, actual: string): KfacError => ({
  _tag: 'BadData',
  source,
  expected: `a result of kfac bench in line ${row}`,
  actual,
  row,
  advice: 'Give files that kfac bench --out has written.',
});

/**
 * The results in a file.
 *
 * @param source - its name
 * @param text - lines; empty ones are passed over
 */
export const parseResults = (source: string, text: string): E.Either<KfacError, ReadonlyArray<TrialResult>> =>
  pipe(
    text.split('\n').map((line, i) => [line.trim(), i + 1] as const),
    (lines) => lines.filter(([line]) => line !== ''),
    E.traverseArray(([line, row]) =>
      pipe(
        E.tryCatch(
          (): unknown => JSON.parse(line),
          () => bad(source, row, 'a line that is no JSON'),
        ),
        E.chain((value) =>
          pipe(
            decodeWith(Result, (path) => path, value),
            E.mapLeft((error) => bad(source, row, wordsOf(error))),
          ),
        ),
      ),
    ),
  );
