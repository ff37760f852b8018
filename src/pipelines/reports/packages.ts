/**
 * Drawing packages, loaded when something is drawn.
 *
 * They are optional: training does not need them, and a report without its figures says why they are missing. They are
 * imported on demand also because they are large, and because one of them exists as an ES module only.
 *
 * @module
 */
import { join } from 'node:path';

import { pipe } from 'fp-ts/lib/function.js';
import * as O from 'fp-ts/lib/Option.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { packageDirectory } from '../files/packages.ts';
import type { NotDrawn } from '../../core/errors.ts';
import { codeOf, messageOf } from '../files/thrown.ts';

/** The packages that draw, as they are installed. */
const packages = 'npm install vega vega-lite @resvg/resvg-js dejavu-fonts-ttf';

const isMissing = (thrown: unknown): boolean =>
  ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(codeOf(thrown) ?? '');

/**
 * Loads or runs a drawing package.
 *
 * @param what - what is being drawn
 * @param run - does it
 */
export const drawing = <A>(what: string, run: () => Promise<A>): TE.TaskEither<NotDrawn, A> =>
  TE.tryCatch(run, (thrown) => ({
    _tag: 'NotDrawn',
    what,
    reason: messageOf(thrown),
    advice: isMissing(thrown) ? `Figures need packages of their own: ${packages}.` : 'The numbers are in the report.',
  }));

/** Family of the font in figures, which comes as a package: a machine for computing often has no fonts at all. */
export const fontFamily = 'DejaVu Sans';

const fontFiles = (): ReadonlyArray<string> =>
  pipe(
    packageDirectory('dejavu-fonts-ttf'),
    O.match(
      () => [],
      (directory) => ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((name) => join(directory, 'ttf', name)),
    ),
  );

/**
 * An SVG drawing as a PNG file.
 *
 * @param what - what is being drawn
 * @param svg - the drawing
 * @param zoom - pixels per unit of the drawing
 */
export const rasterise = (what: string, svg: string, zoom: number): TE.TaskEither<NotDrawn, Uint8Array> =>
  drawing(what, async () => {
    const { Resvg } = await import('@resvg/resvg-js');
    const files = fontFiles();
    return new Resvg(svg, {
      fitTo: { mode: 'zoom', value: zoom },
      background: 'white',
      font: { fontFiles: [...files], loadSystemFonts: files.length === 0, defaultFontFamily: fontFamily },
    })
      .render()
      .asPng();
  });
