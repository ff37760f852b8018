/**
 * Spectra of factors as a figure and a table.
 *
 * @module
 */
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { NotDrawn } from '../../core/errors.ts';
import type { Spectrum } from '../reports/spectra.ts';
import { showNumber } from '../reports/table.ts';
import { figureFrame, vegaDrawing } from '../reports/vegaFigure.ts';
import { escaped, table } from './html.ts';

/** Points of a line; more are not seen. */
const mostPoints = 200;

/** Eigenvalues below this part of the largest are rounding. */
const smallest = 1e-9;

const pointsOf = ({ block, factor, eigenvalues }: Spectrum): ReadonlyArray<object> => {
  const stride = Math.ceil(eigenvalues.length / mostPoints);
  return eigenvalues.flatMap((value, i) =>
    (i % stride === 0 || i === eigenvalues.length - 1) && value > smallest * eigenvalues[0]
      ? [{ block, factor, value, rank: (i + 1) / eigenvalues.length }]
      : [],
  );
};

/**
 * Draws eigenvalues by their rank, a panel for each factor and a line for each block.
 *
 * @param spectra - of one optimizer
 */
export const spectrumFigure = (spectra: ReadonlyArray<Spectrum>): TE.TaskEither<NotDrawn, string> =>
  vegaDrawing('spectra', {
    ...figureFrame,
    data: { values: spectra.flatMap(pointsOf) },
    columns: 3,
    concat: [...new Set(spectra.map(({ factor }) => factor))].map((factor) => ({
      width: 300,
      height: 220,
      title: `eigenvalues of ${factor}`,
      transform: [{ filter: { field: 'factor', equal: factor } }],
      mark: { type: 'line', strokeWidth: 2 },
      encoding: {
        x: {
          field: 'rank',
          type: 'quantitative',
          title: 'part of the eigenvalues that are larger',
          axis: { format: '%' },
        },
        y: { field: 'value', type: 'quantitative', title: null, scale: { type: 'log' } },
        color: { field: 'block', type: 'nominal', title: null, scale: { scheme: 'viridis' } },
      },
    })),
  });

/**
 * The ends and the middle of spectra.
 *
 * @param spectra - of one optimizer
 */
export const spectrumTable = (spectra: ReadonlyArray<Spectrum>): string =>
  table(
    [
      { title: 'block' },
      { title: 'factor' },
      ...['size', 'largest', 'median', 'smallest', 'mean'].map((title) => ({ title, isNumber: true })),
    ],
    spectra.map(({ block, factor, eigenvalues }) => [
      escaped(block),
      escaped(factor),
      ...[
        eigenvalues.length,
        eigenvalues[0],
        eigenvalues[Math.floor(eigenvalues.length / 2)],
        eigenvalues[eigenvalues.length - 1],
        eigenvalues.reduce((sum, value) => sum + value, 0) / eigenvalues.length,
      ].map(showNumber),
    ]),
  );
