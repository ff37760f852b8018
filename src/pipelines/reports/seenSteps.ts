/**
 * What an account of a run is made of: the numbers of its steps, and words for how often something was the case.
 *
 * @module
 */
import type { StepRecord } from '../trainer/events.ts';
import { showNumber } from './table.ts';

/** What is looked at of a step. */
export type SeenStep = Pick<StepRecord, 'step' | 'metrics'>;

/** Something that may have happened in a run. */
export interface Kind {
  /** For tests and tables. */
  readonly name: string;
  /** Sentences about it; none where it did not happen. */
  readonly about: (steps: ReadonlyArray<SeenStep>) => ReadonlyArray<string>;
}

/** Steps that report a number. */
export const reporting = (steps: ReadonlyArray<SeenStep>, metric: string): ReadonlyArray<SeenStep> =>
  steps.filter(({ metrics }) => Object.hasOwn(metrics, metric));

/**
 * The middle of some numbers.
 *
 * @param values - at least one
 */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
};

/** The largest of some numbers, however many; at least one. */
export const largest = (values: ReadonlyArray<number>): number => values.reduce((a, b) => Math.max(a, b));

/** Three digits are enough for a sentence. */
export const roughly = (value: number): string => showNumber(Number(value.toPrecision(3)));

/** A part as `9 %`; what is small keeps a digit, and what is not all is never 100 %. */
export const percent = (part: number): string => {
  const hundred = 100 * part;
  if (hundred > 99 && hundred < 100) return `${Math.floor(10 * hundred) / 10} %`;
  return Math.abs(hundred) < 0.95 ? `${Number(hundred.toPrecision(2))} %` : `${Math.round(hundred)} %`;
};

/** Neighbouring steps as one range, from each step without the one before it to the next without the one after it. */
const ranges = (steps: ReadonlyArray<number>): ReadonlyArray<readonly [from: number, to: number]> => {
  const ends = steps.filter((step, i) => steps[i + 1] !== step + 1);
  return steps.filter((step, i) => steps[i - 1] !== step - 1).map((from, i) => [from, ends[i]]);
};

/** More ranges than this are not read. */
const mostRanges = 6;

/**
 * Steps in words: `step 5`, `steps 5, 6, 19`, `steps 12–40`, and how many more where there are many.
 *
 * @param steps - at least one, rising
 */
export const stepsInWords = (steps: ReadonlyArray<number>): string => {
  const found = ranges(steps);
  const shown = found.slice(0, mostRanges);
  const texts = shown.flatMap(([from, to]) => {
    if (from === to) return [String(from)];
    return to === from + 1 ? [String(from), String(to)] : [`${from}–${to}`];
  });
  const left = steps.length - shown.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  return `${steps.length === 1 ? 'step' : 'steps'} ${texts.join(', ')}${left === 0 ? '' : ` and ${left} more`}`;
};

/** `3 of 200 steps`. */
export const someOf = (some: ReadonlyArray<unknown>, all: ReadonlyArray<unknown>): string =>
  `${some.length} of ${all.length} steps`;
