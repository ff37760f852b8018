/**
 * The table of a comparison: one row per optimizer.
 *
 * @module
 */
import type { Ended } from './ended.ts';
import { courseOf, failureWord } from './ended.ts';
import type { Cell, Column } from './table.ts';
import { textTable } from './table.ts';

/** `squaredError` as `squared error`. */
export const measureWords = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const timesOf = (steps: number, seconds: number): ReadonlyArray<Cell> => [
  steps,
  seconds,
  steps === 0 ? 0 : (1000 * seconds) / steps,
];

/** A row with a cell for each measure; a run that failed has the word for it in the place of its losses. */
const rowOf =
  (measures: ReadonlyArray<string>) =>
  (ended: Ended): ReadonlyArray<Cell> => {
    const { name } = ended.optimizer;
    if (ended._tag === 'Finished') {
      const { history, seconds, train, test } = ended.result;
      const numbers = [train.loss, test.loss, ...measures.map((measure) => test.measures[measure])];
      return [name, ...timesOf(history.length, seconds), ...numbers];
    }
    const { history } = courseOf(ended);
    const seconds = history.length === 0 ? 0 : history[history.length - 1].seconds;
    return [name, ...timesOf(history.length, seconds), failureWord(ended), '–', ...measures.map(() => '–')];
  };

/**
 * Outcomes as a table.
 *
 * @param outcomes - outcomes of one task
 */
export const resultTable = (outcomes: ReadonlyArray<Ended>): ReadonlyArray<string> => {
  const finished = outcomes.find((outcome) => outcome._tag === 'Finished');
  const measures = finished === undefined ? [] : Object.keys(finished.result.test.measures);
  const columns: ReadonlyArray<Column> = [
    { title: 'optimizer', align: 'left' },
    { title: 'steps' },
    { title: 'seconds' },
    { title: 'ms/step' },
    { title: 'train loss' },
    { title: 'test loss' },
    ...measures.map((name) => ({ title: `test ${measureWords(name)}` })),
  ];
  return textTable(columns, outcomes.map(rowOf(measures)));
};
