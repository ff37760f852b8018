/**
 * The table of a comparison: one row per optimizer.
 *
 * @module
 */
import type { Outcome } from '../experiment.ts';
import type { Cell, Column } from './table.ts';
import { textTable } from './table.ts';

/** `squaredError` as `squared error`. */
const words = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const rowOf = ({ optimizer, result }: Outcome): ReadonlyArray<Cell> => [
  optimizer.name,
  result.steps,
  result.seconds,
  result.steps === 0 ? 0 : (1000 * result.seconds) / result.steps,
  result.train.loss,
  result.test.loss,
  ...Object.values(result.test.measures),
];

/**
 * Outcomes as a table.
 *
 * @param outcomes - outcomes of one task
 */
export const resultTable = (outcomes: ReadonlyArray<Outcome>): ReadonlyArray<string> => {
  const measures = outcomes.length === 0 ? [] : Object.keys(outcomes[0].result.test.measures);
  const columns: ReadonlyArray<Column> = [
    { title: 'optimizer', align: 'left' },
    { title: 'steps' },
    { title: 'seconds' },
    { title: 'ms/step' },
    { title: 'train loss' },
    { title: 'test loss' },
    ...measures.map((name) => ({ title: `test ${words(name)}` })),
  ];
  return textTable(columns, outcomes.map(rowOf));
};
