/**
 * Figures of a task's own: numbers of steps or of evaluations against steps, a panel for each and a line per optimizer.
 *
 * @module
 */
import type * as TE from 'fp-ts/lib/TaskEither.js';
import type { TopLevelSpec } from 'vega-lite';

import type { NotDrawn } from '../../core/errors.ts';
import type { Chart } from '../tasks/task.ts';
import { smoothed, thinned, windowOf } from './curves.ts';
import { stylesOf } from './curveStyles.ts';
import type { Course } from './ended.ts';
import type { Figure } from './vegaFigure.ts';
import { figureFrame, vegaDrawing, vegaFigure } from './vegaFigure.ts';

/** One number of one optimizer's run. */
export interface ChartLine {
  readonly optimizer: string;
  /** What the number is: the title of its panel. */
  readonly panel: string;
  readonly points: ReadonlyArray<{ readonly step: number; readonly value: number }>;
}

/** Digits that are drawn: rounding in a mean is no movement. */
const digits = 9;

/**
 * The lines of a run in a chart: means over a window where they are of steps, as they are where they are of evaluations.
 *
 * @param chart - which numbers
 * @param optimizer - whose run
 * @param course - the run
 */
export const linesOf = (
  { of, panels }: Chart,
  optimizer: string,
  { history, evaluations }: Course,
): ReadonlyArray<ChartLine> => {
  const marked =
    of === 'steps'
      ? history.map(({ step, seconds, metrics }) => ({ step, seconds, numbers: metrics }))
      : evaluations.map(({ step, seconds, measures }) => ({ step, seconds, numbers: measures }));
  return Object.entries(panels).flatMap(([name, panel]) => {
    const marks = marked
      .filter(({ numbers }) => Number.isFinite(numbers[name]))
      .map(({ step, seconds, numbers }) => ({ step, seconds, loss: numbers[name] }));
    const lines = of === 'steps' ? smoothed(marks, windowOf(marks.length)) : marks;
    const points = thinned(lines).map(({ step, loss }) => ({ step, value: Number(loss.toPrecision(digits)) }));
    return points.length === 0 ? [] : [{ optimizer, panel, points }];
  });
};

const quantitative = 'quantitative' as const;

/** Numbers that spread further than this are shown by their logarithms. */
const wide = 100;

/** The scale of a panel: logarithmic where all numbers are positive and some are many times others. */
const scaleOf = (lines: ReadonlyArray<ChartLine>): { readonly type: 'log' } | { readonly zero: false } => {
  const values = lines.flatMap(({ points }) => points.map(({ value }) => value));
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least > 0 && most > wide * least ? { type: 'log' } : { zero: false };
};

/** Panels beside each other. */
const columns = 3;

const specOf = ({ of, panels }: Chart, lines: ReadonlyArray<ChartLine>, title: string): TopLevelSpec => {
  const optimizers = [...new Set(lines.map(({ optimizer }) => optimizer))];
  const styles = stylesOf(optimizers);
  const named = { field: 'optimizer', type: 'nominal' as const, title: null };
  const panelOf = (panel: string, own: ReadonlyArray<ChartLine>) => ({
    width: 300,
    height: 220,
    data: { values: own.flatMap(({ optimizer, points }) => points.map((point) => ({ optimizer, ...point }))) },
    mark: { type: 'line' as const, strokeWidth: 2, point: of === 'evaluations' ? { size: 25 } : false },
    encoding: {
      x: {
        field: 'step',
        type: quantitative,
        title: 'steps',
        scale: { nice: false },
        axis: { tickMinStep: 1, tickCount: 6, format: ',d' },
      },
      y: { field: 'value', type: quantitative, title: panel, scale: scaleOf(own) },
      color: { ...named, scale: { domain: optimizers, range: styles.map(({ colour }) => colour) } },
      strokeDash: { ...named, scale: { domain: optimizers, range: styles.map(({ dash }) => [...dash]) } },
    },
  });
  return {
    ...figureFrame,
    title: { text: title, anchor: 'start', fontSize: 15 },
    columns,
    concat: Object.values(panels).flatMap((panel) => {
      const own = lines.filter((line) => line.panel === panel);
      return own.length === 0 ? [] : [panelOf(panel, own)];
    }),
  };
};

/**
 * Draws a chart, as SVG.
 *
 * @param chart - its name and panels
 * @param lines - of all optimizers
 * @param title - what the run was
 */
export const chartDrawing = (
  chart: Chart,
  lines: ReadonlyArray<ChartLine>,
  title: string,
): TE.TaskEither<NotDrawn, string> => vegaDrawing('chart', specOf(chart, lines, title));

/**
 * Draws a chart, in both formats.
 *
 * @param chart - its name and panels
 * @param lines - of all optimizers
 * @param title - what the run was
 */
export const chartFigure = (
  chart: Chart,
  lines: ReadonlyArray<ChartLine>,
  title: string,
): TE.TaskEither<NotDrawn, Figure> => vegaFigure('chart', specOf(chart, lines, title));
