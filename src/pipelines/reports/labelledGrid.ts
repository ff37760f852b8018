/**
 * A grid of images with a name beside each row.
 *
 * @module
 */
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { NotDrawn } from '../../core/errors.ts';
import type { ImageRow } from '../tasks/exhibit.ts';
import type { GridLayout } from './grid.ts';
import { drawGrid } from './grid.ts';
import { fontFamily, rasterise } from './packages.ts';
import { encodePng } from './png.ts';

/** Width of a letter and size of the font, in pixels; names are short, so a bound on the width is enough. */
const letterWidth = 9;
const fontSize = 15;
const margin = 10;

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => escapes[character]);

/**
 * Draws rows of images with their labels.
 *
 * @param rows - rows from top to bottom
 * @param layout - sizes
 * @returns a PNG file
 */
export const labelledGrid = (
  rows: ReadonlyArray<ImageRow>,
  layout: GridLayout,
): TE.TaskEither<NotDrawn, Uint8Array> => {
  const grid = drawGrid(rows, layout);
  const left = 2 * margin + letterWidth * Math.max(0, ...rows.map(({ label }) => label.length));
  const pitch = layout.image[0] * layout.zoom + layout.gap;
  const labels = rows.map(({ label }, row) => {
    const baseline = margin + layout.gap + row * pitch + (pitch + fontSize) / 2 - layout.gap;
    return `<text x="${left - margin}" y="${baseline}" text-anchor="end">${escape(label)}</text>`;
  });
  const image = Buffer.from(encodePng(grid)).toString('base64');
  const [width, height] = [left + grid.width + margin, grid.height + 2 * margin];
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"`,
    ` font-family="${fontFamily}" font-size="${fontSize}">`,
    `<image x="${left}" y="${margin}" width="${grid.width}" height="${grid.height}"`,
    ` image-rendering="optimizeSpeed" href="data:image/png;base64,${image}"/>`,
    ...labels,
    '</svg>',
  ];
  return rasterise('reconstruction grid', svg.join(''), 1);
};
