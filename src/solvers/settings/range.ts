/**
 * Ranges of settings as data: which values there may be, and the words for them.
 *
 * Presets and configurations check against the same ones; a codec of a configuration is made of a range, not beside it.
 *
 * @module
 */

/** Values that a setting may have. */
export interface Range<A> {
  /** The end of "expected …". */
  readonly words: string;
  /** Whether a value is one of them. */
  readonly holds: (value: unknown) => value is A;
}

const numbers = (words: string, holds: (value: number) => boolean): Range<number> => ({
  words,
  holds: (value): value is number => typeof value === 'number' && holds(value),
});

/** Whole numbers from a lower bound. */
export const wholeFrom = (low: number): Range<number> =>
  numbers(`a whole number of at least ${low}`, (value) => Number.isSafeInteger(value) && value >= low);

/** Whole numbers within bounds, both included. */
export const wholeBetween = (low: number, high: number): Range<number> =>
  numbers(`a whole number from ${low} to ${high}`, (value) => Number.isInteger(value) && value >= low && value <= high);

/** Numbers above zero. */
export const positive: Range<number> = numbers('a number above 0', (value) => value > 0 && value < Infinity);

/** Numbers above 0 and up to 1. */
export const fraction: Range<number> = numbers('a number above 0 and up to 1', (value) => value > 0 && value <= 1);

/** Numbers between 0 and 1, neither included. */
export const between: Range<number> = numbers('a number above 0 and below 1', (value) => value > 0 && value < 1);

/** Numbers from 0 up to, not including, 1. */
export const belowOne: Range<number> = numbers('a number from 0 to below 1', (value) => value >= 0 && value < 1);

/** Numbers from 0. */
export const notNegative: Range<number> = numbers('a number of at least 0', (value) => value >= 0 && value < Infinity);

/** Any finite number. */
export const finite: Range<number> = numbers('a finite number', (value) => Number.isFinite(value));

/** A truth value. */
export const truth: Range<boolean> = {
  words: 'true or false',
  holds: (value): value is boolean => typeof value === 'boolean',
};

/** Text with something in it. */
export const text: Range<string> = {
  words: 'text',
  holds: (value): value is string => typeof value === 'string' && value !== '',
};

/** One of some words. */
export const oneOf = <Word extends string>(words: ReadonlyArray<Word>): Range<Word> => ({
  words: `one of ${words.join(', ')}`,
  holds: (value): value is Word => words.some((word) => word === value),
});
