/**
 * The metrics of a run, read back from its JSON lines.
 *
 * @module
 */
import { join } from 'node:path';

import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';

import type { KfacError } from '../../core/errors.ts';
import type { Metrics } from '../../core/pipeline/metrics.ts';
import { mergeMetrics, secondsAt } from '../../core/pipeline/metrics.ts';
import { shown } from '../../core/shown.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import type { Course } from '../reports/ended.ts';
import { metricsName } from '../reports/folderFormat.ts';
import type { EvaluationRecord, StepRecord } from '../trainer/events.ts';

/** The course of one optimizer of a run. */
export interface CourseOf extends Course {
  readonly optimizer: string;
}

/** A number, as JSON has it: one that was not finite has become `null`. */
const Measured = new t.Type<number, number | null>(
  'a number',
  t.number.is,
  (value, context) => (value === null ? t.success(NaN) : t.number.validate(value, context)),
  (value) => (Number.isFinite(value) ? value : null),
);

const own = { event: t.string, step: t.number, seconds: t.number, loss: Measured, optimizer: t.string };

const Step = t.intersection([
  t.type({ ...own, event: t.literal('step') }),
  t.partial({ stages: t.record(t.string, Measured) }),
]);
const Evaluation = t.type({ ...own, event: t.literal('evaluation') });

/** Ends of runs, which the report tells in words, and whatever later versions may tell. */
const Other = t.type({ event: t.string });

/** A line, as what it is. */
type Line =
  | { readonly kind: 'step'; readonly optimizer: string; readonly record: StepRecord }
  | { readonly kind: 'evaluation'; readonly optimizer: string; readonly record: EvaluationRecord }
  | { readonly kind: 'other' };

/** Numbers of a line besides those that have a place of their own. */
const othersOf = (line: object): Metrics =>
  Object.fromEntries(
    Object.entries(line).flatMap(([name, value]: readonly [string, unknown]) =>
      !Object.hasOwn(own, name) && (typeof value === 'number' || value === null) ? [[name, value ?? NaN]] : [],
    ),
  );

const lineOf = (value: { readonly event: string }): E.Either<t.Errors, Line> => {
  switch (value.event) {
    case 'step':
      return pipe(
        Step.decode(value),
        E.map(({ step, seconds, loss, optimizer, stages = {} }): Line => {
          const times = Object.entries(stages).map(([name, time]) => secondsAt(name, time));
          const metrics = mergeMetrics<never>([{ loss, ...othersOf(value) }, ...times]);
          return { kind: 'step', optimizer, record: { step, seconds, loss, metrics } };
        }),
      );
    case 'evaluation':
      return pipe(
        Evaluation.decode(value),
        E.map(({ step, seconds, loss, optimizer }): Line => {
          return { kind: 'evaluation', optimizer, record: { step, seconds, loss, measures: othersOf(value) } };
        }),
      );
    default:
      return E.right({ kind: 'other' });
  }
};

const parsed =
  (source: string) =>
  (i: number, text: string): E.Either<KfacError, Line> =>
    pipe(
      E.tryCatch(
        (): unknown => JSON.parse(text),
        () => [],
      ),
      E.chain((value) => Other.decode(value)),
      E.chain(lineOf),
      E.mapLeft(() => ({
        _tag: 'BadCheckpoint',
        source: `${source}, line ${i + 1}`,
        expected: 'a step, an evaluation or an end of a run, as JSON',
        actual: shown(text),
      })),
    );

const together = (lines: ReadonlyArray<Line>): ReadonlyArray<CourseOf> =>
  [...new Set(lines.flatMap((line) => (line.kind === 'other' ? [] : [line.optimizer])))].map((optimizer) => ({
    optimizer,
    history: lines.flatMap((line) => (line.kind === 'step' && line.optimizer === optimizer ? [line.record] : [])),
    evaluations: lines.flatMap((line) =>
      line.kind === 'evaluation' && line.optimizer === optimizer ? [line.record] : [],
    ),
  }));

/**
 * Courses from JSON lines, in the order in which optimizers appear.
 *
 * @param text - the lines
 * @param source - what to call them in errors
 */
export const coursesIn = (text: string, source: string): E.Either<KfacError, ReadonlyArray<CourseOf>> =>
  pipe(
    text.trimEnd() === '' ? [] : text.trimEnd().split('\n'),
    E.traverseArrayWithIndex(parsed(source)),
    E.map(together),
  );

/**
 * Reads the courses of a run.
 *
 * @param files - where to look
 * @param directory - the run's folder
 */
export const readCourses = (
  files: FileSystem,
  directory: string,
): TE.TaskEither<KfacError, ReadonlyArray<CourseOf>> => {
  const path = join(directory, metricsName);
  return pipe(
    files.read(path),
    TE.chainEitherK((bytes) => coursesIn(new TextDecoder().decode(bytes), path)),
  );
};
