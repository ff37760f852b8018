/**
 * Figures in both formats, from what Vega-Lite is told.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { TopLevelSpec } from 'vega-lite';

import type { NotDrawn } from '../../core/errors.ts';
import { drawing, fontFamily, rasterise } from './packages.ts';

/** A figure in both formats. */
export interface Figure {
  readonly svg: string;
  readonly png: Uint8Array;
}

/** What all figures look like: font, grid, legends with a sample long enough for a dash to be seen and room for names. */
const config = {
  font: `${fontFamily}, Helvetica, Arial, sans-serif`,
  axis: { labelFontSize: 12, titleFontSize: 13, gridColor: '#e4e4e4' },
  legend: {
    labelFontSize: 13,
    labelLimit: 0,
    symbolStrokeWidth: 2.5,
    symbolSize: 1000,
    symbolOpacity: 1,
    rowPadding: -10,
    symbolType: 'stroke',
    orient: 'right' as const,
  },
  view: { stroke: '#888888' },
};

/** What every figure says besides its own. */
export const figureFrame = {
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  background: 'white',
  padding: 12,
  config,
};

/**
 * Draws, as SVG.
 *
 * @param what - what is being drawn, for errors
 * @param spec - the figure
 */
export const vegaDrawing = (what: string, spec: TopLevelSpec): TE.TaskEither<NotDrawn, string> =>
  drawing(what, async () => {
    const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
    const compiled = vegaLite.compile(spec);
    return new vega.View(vega.parse(compiled.spec), { renderer: 'none', logLevel: vega.Error }).toSVG();
  });

/**
 * Draws, in both formats.
 *
 * @param what - what is being drawn, for errors
 * @param spec - the figure
 */
export const vegaFigure = (what: string, spec: TopLevelSpec): TE.TaskEither<NotDrawn, Figure> =>
  pipe(
    vegaDrawing(what, spec),
    TE.bindTo('svg'),
    TE.bind('png', ({ svg }) => rasterise(what, svg, 2)),
  );
