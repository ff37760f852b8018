/**
 * Codecs whose names read as the end of "expected …", and one way from a failed decoding to an error with its path.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';

import type { KfacError } from '../../../core/errors.ts';
import { shown } from '../../../core/shown.ts';
import type { Range } from '../../../solvers/settings/range.ts';
import * as ranges from '../../../solvers/settings/range.ts';

/**
 * A codec of the values in a range.
 *
 * @param range - which values there may be
 */
export const codecOf = <A>({ words, holds }: Range<A>): t.Type<A> =>
  new t.Type<A>(
    words,
    holds,
    (value, context) => (holds(value) ? t.success(value) : t.failure(value, context)),
    t.identity,
  );

/** Whole numbers from a lower bound. */
export const wholeFrom = (low: number): t.Type<number> => codecOf(ranges.wholeFrom(low));

/** Whole numbers within bounds, both included. */
export const wholeBetween = (low: number, high: number): t.Type<number> => codecOf(ranges.wholeBetween(low, high));

/** Numbers above zero. */
export const positive: t.Type<number> = codecOf(ranges.positive);

/** Numbers above 0 and up to 1. */
export const fraction: t.Type<number> = codecOf(ranges.fraction);

/** Numbers from 0 up to, not including, 1. */
export const belowOne: t.Type<number> = codecOf(ranges.belowOne);

/** Numbers from 0. */
export const notNegative: t.Type<number> = codecOf(ranges.notNegative);

/** A truth value. */
export const truth: t.Type<boolean> = codecOf(ranges.truth);

/** Any finite number. */
export const finite: t.Type<number> = codecOf(ranges.finite);

/** Text with something in it. */
export const text: t.Type<string> = codecOf(ranges.text);

/** A name that can stand in a report, a path of settings and a file's name. */
export const nameText: t.Type<string> = new t.Type(
  'a name of at most 64 letters, digits and dashes',
  text.is,
  (value, context) =>
    typeof value === 'string' && /^[\w-]{1,64}$/.test(value) ? t.success(value) : t.failure(value, context),
  t.identity,
);

/** Name of a file or directory. */
export const pathText: t.Type<string> = new t.Type(
  'a path without NUL',
  (value): value is string => text.is(value) && !value.includes('\0'),
  (value, context) => (text.is(value) && !value.includes('\0') ? t.success(value) : t.failure(value, context)),
  t.identity,
);

/** Decoded values are told from others by nothing but having been decoded. */
const undecoded = Symbol('undecoded');
const isDecoded = (value: unknown): value is never => value === undecoded;

/**
 * A codec that only decodes, for values that are functions or hold some.
 *
 * @param name - the end of "expected …"
 * @param validate - decodes
 */
export const decoder = <A>(name: string, validate: t.Validate<unknown, A>): t.Type<A> =>
  new t.Type<A>(name, isDecoded, validate, t.identity);

/** What is expected where nothing can be right. */
export const named = (name: string): t.Type<never> => decoder<never>(name, t.failure);

/** One of some words. */
export const oneOf = <Word extends string>(words: ReadonlyArray<Word>): t.Type<Word> => codecOf(ranges.oneOf(words));

/** A number, a truth value or text. */
export const setting: t.Type<number | boolean | string> = new t.Type(
  'a number, true, false or text',
  (value): value is number | boolean | string => finite.is(value) || typeof value === 'boolean' || text.is(value),
  (value, context) =>
    finite.is(value) || typeof value === 'boolean' || text.is(value) ? t.success(value) : t.failure(value, context),
  t.identity,
);

/** The value of a setting that there is not: what is wrong with it is its name. */
export const unknownSetting = Symbol('an unknown setting');

const describeValue = (value: unknown): string => {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a record';
  if (typeof value === 'string') return shown(value.split(/\r?\n/)[0]);
  return value === unknownSetting ? 'an unknown setting' : shown(value);
};

/** Longer names are none that anyone means. */
const longestName = 100;

/** A name from a file, in a length that a sentence can have. */
export const inSentence = (name: string): string =>
  name.length > longestName ? `${name.slice(0, longestName)}…` : name;

/** The first thing that is wrong, with where it is. */
const firstError = (errors: t.Errors, showPath: (path: string) => string): KfacError => {
  const [{ context, value }] = errors;
  const path = context
    .map(({ key }) => key)
    .filter((key) => key !== '')
    .map(inSentence)
    .join('.');
  return {
    _tag: 'BadConfig',
    path: showPath(path),
    expected: context[context.length - 1].type.name,
    actual: describeValue(value),
  };
};

/**
 * Decodes a value; what is wrong with it first becomes an error.
 *
 * @param codec - what is expected
 * @param showPath - how to call a place in the value, from its path; the empty path is the value itself
 * @param value - anything
 */
export const decodeWith = <A>(
  codec: t.Decoder<unknown, A>,
  showPath: (path: string) => string,
  value: unknown,
): E.Either<KfacError, A> =>
  pipe(
    codec.decode(value),
    E.mapLeft((errors) => firstError(errors, showPath)),
  );
