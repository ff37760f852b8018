/**
 * The figure of a performance profile [DM02]: for each factor τ the share of problems that an optimizer solves to within τ
 * times what the best of all does.
 *
 * @module
 */
import type * as TE from 'fp-ts/lib/TaskEither.js';
import type { TopLevelSpec } from 'vega-lite';

import type { NotDrawn } from '../../core/errors.ts';
import type { CurveStyle } from './curveStyles.ts';
import { stylesOf } from './curveStyles.ts';
import type { Figure } from './vegaFigure.ts';
import { figureFrame, vegaFigure } from './vegaFigure.ts';

/** One line of the figure. */
export interface Profile {
  readonly name: string;
  /** Factors from 1 on, and shares from 0 to 1. */
  readonly points: ReadonlyArray<{ readonly tau: number; readonly share: number }>;
}

const quantitative = 'quantitative' as const;

const specOf = (profiles: ReadonlyArray<Profile>, title: string): TopLevelSpec => {
  const names = profiles.map(({ name }) => name);
  const styles = stylesOf(names);
  const byName = <Value>(range: (style: CurveStyle) => Value) => ({
    field: 'name',
    type: 'nominal' as const,
    title: null,
    scale: { domain: names, range: styles.map(range) },
  });
  const most = Math.max(1, ...profiles.flatMap(({ points }) => points.map(({ tau }) => tau)));
  return {
    ...figureFrame,
    title: { text: title, anchor: 'start', fontSize: 15 },
    width: 480,
    height: 320,
    data: { values: profiles.flatMap(({ name, points }) => points.map((point) => ({ name, ...point }))) },
    mark: { type: 'line', interpolate: 'step-after', strokeWidth: 2 },
    encoding: {
      x: {
        field: 'tau',
        type: quantitative,
        title: 'τ (loss above the floor, in units of the best)',
        scale: { type: 'log', base: 2, domain: [1, most], nice: false },
      },
      y: {
        field: 'share',
        type: quantitative,
        title: 'share of problems within τ',
        scale: { domain: [0, 1] },
        axis: { format: '.0%' },
      },
      color: byName(({ colour }) => colour),
      strokeDash: byName(({ dash }) => [...dash]),
    },
  };
};

/**
 * Draws a performance profile.
 *
 * @param profiles - one line each
 * @param title - above it
 */
export const profileFigure = (profiles: ReadonlyArray<Profile>, title: string): TE.TaskEither<NotDrawn, Figure> =>
  vegaFigure('performance profile', specOf(profiles, title));
