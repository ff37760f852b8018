/**
 * The figure of a comparison: loss against steps and against seconds, one line per optimizer.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { TopLevelSpec } from 'vega-lite';

import type { StepRecord } from '../trainer/events.ts';
import type { NotDrawn } from './packages.ts';
import { drawing, fontFamily, rasterise } from './packages.ts';

/** One line of the figure. */
export interface Curve {
  readonly name: string;
  readonly history: ReadonlyArray<StepRecord>;
}

/** What the figure says in words. */
export interface FigureText {
  readonly title: string;
  /** Name and unit of the loss, for the vertical axis. */
  readonly loss: string;
}

/** A figure in both formats. */
export interface Figure {
  readonly svg: string;
  readonly png: Uint8Array;
}

/** More points than this in a line are not seen. */
const mostPoints = 800;

/** Fewer points than this are marked, since a line through one or two says little. */
const fewPoints = 40;

interface Point {
  readonly optimizer: string;
  readonly step: number;
  readonly seconds: number;
  readonly loss: number;
}

const pointsOf = ({ name, history }: Curve): ReadonlyArray<Point> => {
  const stride = Math.ceil(history.length / mostPoints);
  return history
    .filter((_, i) => i % stride === 0 || i === history.length - 1)
    .map(({ step, seconds, loss }) => ({ optimizer: name, step, seconds, loss }));
};

/** Colours that people with any colour vision tell apart [OI08]. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];

const specOf = (curves: ReadonlyArray<Curve>, { title, loss }: FigureText): TopLevelSpec => {
  const values = curves.flatMap(pointsOf);
  const isPositive = values.every((point) => point.loss > 0);
  const panel = (field: 'step' | 'seconds', axis: string, vertical: string | null) => ({
    width: 340,
    height: 280,
    mark: { type: 'line' as const, strokeWidth: 2, point: values.length <= fewPoints },
    encoding: {
      x: { field, type: 'quantitative' as const, title: axis, scale: { nice: false } },
      y: {
        field: 'loss',
        type: 'quantitative' as const,
        title: vertical,
        scale: isPositive ? { type: 'log' as const, nice: false } : { zero: false },
      },
      color: {
        field: 'optimizer',
        type: 'nominal' as const,
        title: null,
        scale: { domain: curves.map(({ name }) => name), range: colours },
      },
    },
  });
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: title, anchor: 'start', fontSize: 15 },
    background: 'white',
    padding: 12,
    data: { values: [...values] },
    hconcat: [panel('step', 'steps', loss), panel('seconds', 'training time (seconds)', null)],
    config: {
      font: `${fontFamily}, Helvetica, Arial, sans-serif`,
      axis: { labelFontSize: 12, titleFontSize: 13, gridColor: '#e4e4e4' },
      legend: { labelFontSize: 13, symbolStrokeWidth: 3, orient: 'right' },
      view: { stroke: '#888888' },
    },
  };
};

/**
 * Draws loss curves, on a logarithmic axis where all losses are above zero.
 *
 * @param curves - one line each
 * @param text - title and axis
 * @example
 * ```ts no-run
 * import { lossFigure, type TrainResult } from 'kfac-ts/pipelines';
 *
 * declare const results: ReadonlyArray<TrainResult>;
 * const curves = results.map(({ optimizer, history }) => ({ name: optimizer, history }));
 * const figure = await lossFigure(curves, { title: 'MNIST', loss: 'cross-entropy, nats' })();
 * ```
 */
export const lossFigure = (curves: ReadonlyArray<Curve>, text: FigureText): TE.TaskEither<NotDrawn, Figure> =>
  pipe(
    drawing('loss figure', async () => {
      const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
      const { spec } = vegaLite.compile(specOf(curves, text));
      return new vega.View(vega.parse(spec), { renderer: 'none', logLevel: vega.Error }).toSVG();
    }),
    TE.bindTo('svg'),
    TE.bind('png', ({ svg }) => rasterise('loss figure', svg, 2)),
  );
