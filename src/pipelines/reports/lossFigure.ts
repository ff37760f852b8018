/**
 * The figure of a comparison: loss against steps and against seconds, one line per optimizer.
 *
 * The loss of each batch is a faint line with its running mean over it; where there were evaluations, circles joined by a
 * thin line are the losses on the test examples.
 *
 * @module
 */
import type * as TE from 'fp-ts/lib/TaskEither.js';
import type { TopLevelSpec } from 'vega-lite';

import type { NotDrawn } from '../../core/errors.ts';
import type { Mark } from './curves.ts';
import { smoothed, thinned, windowOf } from './curves.ts';
import type { CurveStyle } from './curveStyles.ts';
import { stylesOf } from './curveStyles.ts';
import type { Figure } from './vegaFigure.ts';
import { figureFrame, vegaFigure } from './vegaFigure.ts';

/** One line of the figure, with its circles. */
export interface Curve {
  readonly name: string;
  /** Loss of the batch of each step. */
  readonly history: ReadonlyArray<Mark>;
  /** Losses on the test examples, where there are some. */
  readonly evaluations?: ReadonlyArray<Mark>;
}

/** What the figure says in words. */
export interface FigureText {
  readonly title: string;
  /** Name and unit of the loss, for the vertical axis. */
  readonly loss: string;
}

/** Which of the lines of an optimizer a point belongs to. */
type Kind = 'batches' | 'mean' | 'test';

interface Point extends Mark {
  readonly optimizer: string;
  readonly kind: Kind;
}

const pointsOf = ({ name, history, evaluations = [] }: Curve): ReadonlyArray<Point> => {
  const window = windowOf(history.length);
  const lines: ReadonlyArray<readonly [Kind, ReadonlyArray<Mark>]> = [
    ...(window === 1 ? [] : [['batches', history] as const]),
    ['mean', smoothed(history, window)],
    ['test', evaluations],
  ];
  return lines.flatMap(([kind, marks]) =>
    thinned(marks).map(({ step, seconds, loss }) => ({ optimizer: name, kind, step, seconds, loss })),
  );
};

/** What the lines are, in a line below the title. */
const legendOf = (curves: ReadonlyArray<Curve>): string => {
  const windows = [...new Set(curves.map(({ history }) => windowOf(history.length)))];
  const means = windows.every((window) => window === 1)
    ? 'lines: loss of each batch'
    : `faint: loss of each batch; lines: mean over ${windows.join(' or ')} steps`;
  return curves.some(({ evaluations = [] }) => evaluations.length > 0) ? `${means}; circles: test examples` : means;
};

const quantitative = 'quantitative' as const;

const specOf = (curves: ReadonlyArray<Curve>, { title, loss }: FigureText): TopLevelSpec => {
  const values = curves.flatMap(pointsOf);
  const isPositive = values.every((point) => point.loss > 0);
  const styles = stylesOf(curves.map(({ name }) => name));
  const byOptimizer = <Value>(range: (style: CurveStyle) => Value) => ({
    field: 'optimizer',
    type: 'nominal' as const,
    title: null,
    scale: { domain: curves.map(({ name }) => name), range: styles.map(range) },
  });
  const line = (
    kind: Kind,
    mark: { readonly strokeWidth: number; readonly opacity: number; readonly point: object | boolean },
  ) => ({
    transform: [{ filter: `datum.kind === '${kind}'` }],
    mark: { type: 'line' as const, ...mark },
    encoding: {
      color: byOptimizer(({ colour }) => colour),
      ...(kind === 'mean' ? { strokeDash: byOptimizer(({ dash }) => [...dash]) } : {}),
    },
  });
  const isShort = curves.every(({ history }) => windowOf(history.length) === 1);
  const circles = { filled: false, fill: 'white', size: 35, strokeWidth: 1.5 };
  const panel = (x: object, vertical: string | null) => ({
    width: 360,
    height: 300,
    encoding: {
      x,
      y: {
        field: 'loss',
        type: quantitative,
        title: vertical,
        scale: isPositive ? { type: 'log' as const, nice: false } : { zero: false },
      },
    },
    layer: [
      line('batches', { strokeWidth: 1, opacity: 0.25, point: false }),
      line('mean', { strokeWidth: 2, opacity: 1, point: isShort ? { size: 25 } : false }),
      line('test', { strokeWidth: 1, opacity: 0.9, point: circles }),
    ],
  });
  const scale = { nice: false };
  const steps = {
    field: 'step',
    type: quantitative,
    title: 'steps',
    scale,
    axis: { tickMinStep: 1, tickCount: 6, format: ',d' },
  };
  const seconds = { field: 'seconds', type: quantitative, title: 'training time (seconds)', scale };
  return {
    ...figureFrame,
    title: { text: title, subtitle: legendOf(curves), anchor: 'start', fontSize: 15, subtitleFontSize: 12 },
    data: { values: [...values] },
    hconcat: [panel(steps, loss), panel(seconds, null)],
  };
};

/**
 * Draws loss curves, on a logarithmic axis where all losses are above zero.
 *
 * @param curves - one line each
 * @param text - title and axis
 * @returns the figure, or a `NotDrawn` that says which package is missing or what it complains of
 * @example
 * ```ts no-run
 * import { lossFigure, type Curve } from 'kfac-ts/pipelines';
 *
 * declare const curves: ReadonlyArray<Curve>;
 * const figure = await lossFigure(curves, { title: 'MNIST', loss: 'cross-entropy, nats' })();
 * ```
 */
export const lossFigure = (curves: ReadonlyArray<Curve>, text: FigureText): TE.TaskEither<NotDrawn, Figure> =>
  vegaFigure('loss figure', specOf(curves, text));
