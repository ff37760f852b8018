/**
 * What came of a search as text: the best settings of each optimizer, and what training with them comes to.
 *
 * @module
 */
import { measureWords } from '../reports/resultTable.ts';
import type { Cell } from '../reports/table.ts';
import { showNumber, textTable } from '../reports/table.ts';
import type { Chosen } from './candidates.ts';
import type { Search, TuneResult } from './search.ts';
import { winnerOf } from './search.ts';

type Results = ReadonlyArray<TuneResult>;

/** Settings as they are typed: `damping=0.3 learningRate=0.1`, or that they are a preset's own. */
export const settingsText = (settings: Chosen): string => {
  const words = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  return words.length === 0 ? 'defaults' : words.join(' ');
};

/** The mean, and how far values are from it: their standard deviation, where they are not all the same. */
const meanAndSpread = (values: ReadonlyArray<number>): string => {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  if (values.every((value) => value === values[0])) return showNumber(values[0]);
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return `${showNumber(mean)} ± ${showNumber(Number(Math.sqrt(squares / (values.length - 1)).toPrecision(2)))}`;
};

const lossCell = (result: TuneResult | undefined): Cell => (result === undefined ? '–' : (result.loss ?? 'failed'));

/** The best trial of each, beside that of the defaults as far as it came. */
const bestTable = (search: Search, results: Results, watched: string): ReadonlyArray<string> =>
  textTable(
    [
      { title: 'optimizer', align: 'left' },
      { title: watched },
      { title: 'defaults' },
      { title: 'best settings', align: 'left' },
    ],
    search.contenders.map(({ optimizer }): ReadonlyArray<Cell> => {
      const winner = winnerOf(search, results, optimizer);
      const standard = results.findLast(
        (result) => result.optimizer === optimizer && result.rung !== null && result.trial === 0,
      );
      const isWhole = standard?.rung === search.rungs.length - 1;
      return [
        optimizer,
        lossCell(winner ?? undefined),
        isWhole ? lossCell(standard) : 'left behind',
        winner === null ? '–' : settingsText(winner.settings),
      ];
    }),
  );

/** A number over all seeds; a run that came to no end has none, and says so. */
const overSeeds = (runs: Results, valueOf: (result: TuneResult) => number | null | undefined): Cell => {
  const values = runs.flatMap((run) => valueOf(run) ?? []);
  if (values.length === 0) return '–';
  return values.length === runs.length
    ? meanAndSpread(values)
    : `${meanAndSpread(values)} (${values.length} of ${runs.length})`;
};

const finalTable = (search: Search, finals: Results, watched: string): ReadonlyArray<string> => {
  const measures = [...new Set(finals.flatMap((result) => Object.keys(result.measures)))].filter(
    (name) => name !== watched,
  );
  return textTable(
    [
      { title: 'optimizer', align: 'left' },
      { title: 'steps' },
      { title: 'seconds' },
      { title: `test ${measureWords(watched)}` },
      ...measures.map((name) => ({ title: `test ${measureWords(name)}` })),
    ],
    search.contenders.map(({ optimizer }): ReadonlyArray<Cell> => {
      const runs = finals.filter((result) => result.optimizer === optimizer);
      return [
        optimizer,
        overSeeds(runs, ({ steps }) => steps),
        overSeeds(runs, ({ seconds }) => seconds),
        overSeeds(runs, ({ loss }) => loss),
        ...measures.map((name) => overSeeds(runs, (run) => run.measures[name])),
      ];
    }),
  );
};

/**
 * Both tables, as far as there is something for them.
 *
 * @param search - the search
 * @param results - what has come
 * @param watched - name of what is watched
 */
export const tuneText = (search: Search, results: Results, watched: string): ReadonlyArray<string> => {
  const finals = results.filter(({ rung }) => rung === null);
  const isJudged = results.some(({ rung }) => rung === search.rungs.length - 1);
  return [
    ...(isJudged ? bestTable(search, results, measureWords(watched)) : []),
    ...(finals.length === 0
      ? []
      : ['', `with the best settings, seeds ${search.seeds.join(', ')}:`, ...finalTable(search, finals, watched)]),
  ];
};
