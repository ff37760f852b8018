/**
 * Losses as a curve of one line of text, for terminals.
 *
 * @module
 */
import type { Mark } from './curves.ts';
import { smoothed, windowOf } from './curves.ts';
import type { Ended } from './ended.ts';
import { courseOf } from './ended.ts';
import { showNumber } from './table.ts';

const levels = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** Characters of a curve at most. */
const widest = 40;

/**
 * Numbers as characters of different heights, by their logarithms where all are positive.
 *
 * @param values - from left to right; those that are not finite are gaps
 * @param range - the smallest and the largest that are shown; those of the values unless given
 */
export const sparkline = (values: ReadonlyArray<number>, range: ReadonlyArray<number> = values): string => {
  const finite = range.filter(Number.isFinite);
  const scaled = finite.every((value) => value > 0) ? Math.log : (value: number): number => value;
  const [least, most] = [scaled(Math.min(...finite)), scaled(Math.max(...finite))];
  return values
    .map((value) => {
      if (!Number.isFinite(value)) return ' ';
      const height = most > least ? (scaled(value) - least) / (most - least) : 0;
      return levels[Math.min(levels.length - 1, Math.floor(levels.length * height))];
    })
    .join('');
};

/** As many marks as there are characters, evenly from the first to the last. */
const picked = (marks: ReadonlyArray<Mark>): ReadonlyArray<Mark> => {
  const count = Math.min(widest, marks.length);
  return Array.from({ length: count }, (_, i) => marks[Math.round((i * (marks.length - 1)) / Math.max(1, count - 1))]);
};

/**
 * A line for each run: its loss as a curve, all to the same scale, and where it begins and ends.
 *
 * @param outcomes - runs that have ended
 * @returns none where no run took two steps
 */
export const curveLines = (outcomes: ReadonlyArray<Ended>): ReadonlyArray<string> => {
  const curves = outcomes.flatMap((ended) => {
    const { history } = courseOf(ended);
    const losses = picked(smoothed(history, windowOf(history.length))).map(({ loss }) => loss);
    return losses.length < 2 ? [] : [{ name: ended.optimizer.name, losses }];
  });
  const width = Math.max(...curves.map(({ name }) => name.length));
  const all = curves.flatMap(({ losses }) => losses);
  return curves.map(
    ({ name, losses }) =>
      `${name.padEnd(width)}  ${sparkline(losses, all)}  ${showNumber(losses[0])} → ${showNumber(losses[losses.length - 1])}`,
  );
};
