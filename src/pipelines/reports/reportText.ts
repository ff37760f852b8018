/**
 * The text of a report: the table of results, losses as curves, and what happened in each run.
 *
 * @module
 */
import { accountOf } from './account.ts';
import type { Ended } from './ended.ts';
import { courseOf } from './ended.ts';
import { resultTable } from './resultTable.ts';
import { curveLines } from './sparkline.ts';

/** What happened in the runs in which something did. */
const accounts = (outcomes: ReadonlyArray<Ended>): ReadonlyArray<string> =>
  outcomes.flatMap((ended) => {
    const sentences = accountOf(courseOf(ended).history);
    return sentences.length === 0
      ? []
      : ['', `What happened with ${ended.optimizer.name}:`, ...sentences.map((sentence) => `- ${sentence}`)];
  });

/** The losses as curves of text, where there are some. */
const curves = (outcomes: ReadonlyArray<Ended>): ReadonlyArray<string> => {
  const lines = curveLines(outcomes);
  return lines.length === 0 ? [] : ['', ...lines];
};

/**
 * Results of one task as lines.
 *
 * @param outcomes - runs that have ended
 */
export const reportText = (outcomes: ReadonlyArray<Ended>): ReadonlyArray<string> => [
  ...resultTable(outcomes),
  ...curves(outcomes),
  ...accounts(outcomes),
];
