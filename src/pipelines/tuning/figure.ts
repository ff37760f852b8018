/**
 * The figure of a search: every trial as a line from rung to rung, as far as it came, an optimizer a panel.
 *
 * @module
 */
import type * as TE from 'fp-ts/lib/TaskEither.js';
import type { TopLevelSpec } from 'vega-lite';

import type { NotDrawn } from '../../core/errors.ts';
import { stylesOf } from '../reports/curveStyles.ts';
import type { Figure } from '../reports/vegaFigure.ts';
import { figureFrame, vegaFigure } from '../reports/vegaFigure.ts';
import type { Search, TuneResult } from './search.ts';
import { winnerOf } from './search.ts';

/** What the figure says in words. */
export interface TuneFigureText {
  readonly title: string;
  /** What is watched, with its unit. */
  readonly loss: string;
}

const quantitative = 'quantitative' as const;

/** One point of a trial's line. */
interface Point {
  readonly trial: number;
  readonly budget: number;
  readonly loss: number;
  readonly kind: 'defaults' | 'best' | 'other';
}

const pointsOf = (search: Search, results: ReadonlyArray<TuneResult>, optimizer: string): ReadonlyArray<Point> => {
  const best = winnerOf(search, results, optimizer)?.trial;
  return results
    .filter((result) => result.optimizer === optimizer && result.rung !== null)
    .flatMap(({ trial, budget, loss }) =>
      loss === null || !Number.isFinite(loss)
        ? []
        : [{ trial, budget, loss, kind: trial === best ? 'best' : trial === 0 ? 'defaults' : 'other' } as const],
    );
};

/**
 * Draws a search.
 *
 * @param search - the search
 * @param results - what has come
 * @param text - title and label
 * @example
 * ```ts no-run
 * import { nodeFileSystem, tuneFigure, type Search, type TuneResult } from 'kfac-ts/pipelines';
 *
 * declare const search: Search;
 * declare const results: ReadonlyArray<TuneResult>;
 * const drawn = await tuneFigure(search, results, { title: 'my task', loss: 'loss (nats)' })();
 * if (drawn._tag === 'Right') await nodeFileSystem.write('search.svg', drawn.right.svg)();
 * ```
 */
export const tuneFigure = (
  search: Search,
  results: ReadonlyArray<TuneResult>,
  { title, loss }: TuneFigureText,
): TE.TaskEither<NotDrawn, Figure> => {
  const names = search.contenders.map(({ optimizer }) => optimizer);
  const styles = stylesOf(names);
  const all = names.flatMap((name) => pointsOf(search, results, name)).map((point) => point.loss);
  const isPositive = all.every((value) => value > 0);
  const panelOf = (name: string, i: number) => ({
    width: 280,
    height: 260,
    title: { text: name, fontSize: 13 },
    data: { values: [...pointsOf(search, results, name)] },
    mark: { type: 'line' as const, point: { size: 25 } },
    encoding: {
      x: {
        field: 'budget',
        type: quantitative,
        title: 'steps' in search.budget ? 'steps' : 'seconds of training',
        scale: { type: 'log' as const, base: 2, nice: false },
        axis: { values: search.rungs.map(({ budget }) => budget), format: '~r' },
      },
      y: {
        field: 'loss',
        type: quantitative,
        title: loss,
        scale: { ...(isPositive ? { type: 'log' as const } : { zero: false }), domain: extent(all) },
      },
      detail: { field: 'trial', type: 'nominal' as const },
      color: {
        field: 'kind',
        type: 'nominal' as const,
        title: null,
        scale: { domain: ['best', 'defaults', 'other'], range: [styles[i].colour, '#000000', '#bbbbbb'] },
      },
    },
  });
  const spec: TopLevelSpec = {
    ...figureFrame,
    title: { text: title, anchor: 'start', fontSize: 15 },
    hconcat: names.map(panelOf),
    resolve: { scale: { color: 'independent' } },
  };
  return vegaFigure('search', spec);
};

/** Panels have one scale, so that they can be compared. */
const extent = (values: ReadonlyArray<number>): [number, number] =>
  values.length === 0 ? [0, 1] : [Math.min(...values), Math.max(...values)];
