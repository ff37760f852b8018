/**
 * The text of a report: the table of results, and what happened in each run.
 *
 * @module
 */
import { accountOf } from './account.ts';
import type { Ended } from './ended.ts';
import { courseOf } from './ended.ts';
import { resultTable } from './resultTable.ts';

/** What happened in the runs in which something did. */
const accounts = (outcomes: ReadonlyArray<Ended>): ReadonlyArray<string> =>
  outcomes.flatMap((ended) => {
    const sentences = accountOf(courseOf(ended).history);
    return sentences.length === 0
      ? []
      : ['', `What happened with ${ended.optimizer.name}:`, ...sentences.map((sentence) => `- ${sentence}`)];
  });

/**
 * Results of one task as lines.
 *
 * @param outcomes - runs that have ended
 */
export const reportText = (outcomes: ReadonlyArray<Ended>): ReadonlyArray<string> => [
  ...resultTable(outcomes),
  ...accounts(outcomes),
];
