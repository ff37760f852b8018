/**
 * The figure of a performance profile [DM02]: for each factor τ the share of problems that an optimizer solves to within τ
 * times what the best of all does.
 *
 * Twenty lines in one frame cannot be told apart. Optimizers that were tried at several learning rates have a frame of their
 * own, below that of all others, with a full line for the best of the rates and a dashed one of the same colour for the
 * default. In each frame the leader of the other is a broad grey line, so that the two can be compared.
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
  /** Whose colour it has. */
  readonly optimizer: string;
  /** Whether it is of an optimizer that was tried at several rates: the best of them on each problem, or its default. */
  readonly rated?: 'best' | 'default';
  /** Factors from 1 on, and shares from 0 to 1. */
  readonly points: ReadonlyArray<{ readonly tau: number; readonly share: number }>;
}

const quantitative = 'quantitative' as const;

const meanShare = ({ points }: Profile): number =>
  points.reduce((sum, { share }) => sum + share, 0) / Math.max(1, points.length);

/** The best first. */
const ranked = (profiles: ReadonlyArray<Profile>): ReadonlyArray<Profile> =>
  profiles.toSorted((a, b) => meanShare(b) - meanShare(a));

/** Presets look as in every figure; where there are two lines of each, the colour is the preset's and dashes tell them apart. */
const stylesIn = (profiles: ReadonlyArray<Profile>): ReadonlyArray<CurveStyle> => {
  const own = stylesOf(profiles.map(({ name }) => name));
  const ofPresets = stylesOf(profiles.map(({ optimizer }) => optimizer));
  return profiles.map(({ rated }, i) =>
    rated === undefined ? own[i] : { colour: ofPresets[i].colour, dash: rated === 'best' ? [] : [4, 3] },
  );
};

const valuesOf = (profiles: ReadonlyArray<Profile>) =>
  profiles.flatMap(({ name, points }) => points.map((point) => ({ name, ...point })));

/** A frame with some lines, the best first in the legend, and the leader of others behind them. */
const frame = (title: string, profiles: ReadonlyArray<Profile>, others: ReadonlyArray<Profile>, most: number) => {
  const lines = ranked(profiles);
  const styles = stylesIn(lines);
  const names = lines.map(({ name }) => name);
  const byName = <Value>(range: (style: CurveStyle) => Value) => ({
    field: 'name',
    type: 'nominal' as const,
    title: null,
    scale: { domain: names, range: styles.map(range) },
  });
  const leader = ranked(others).slice(0, 1);
  const line = { type: 'line' as const, interpolate: 'step-after' as const };
  return {
    title: {
      text: title,
      subtitle: leader.map(({ name }) => `broad and grey: ${name}`),
      anchor: 'start' as const,
      fontSize: 13,
      subtitleFontSize: 12,
    },
    width: 520,
    height: Math.max(240, 28 * lines.length),
    encoding: {
      x: {
        field: 'tau',
        type: quantitative,
        title: 'τ: loss above the floor, in units of the least of all',
        scale: { type: 'log' as const, base: 2, domain: [1, most], nice: false },
      },
      y: {
        field: 'share',
        type: quantitative,
        title: 'share of problems within τ',
        scale: { domain: [0, 1] },
        axis: { format: '.0%' },
      },
    },
    layer: [
      { data: { values: valuesOf(leader) }, mark: { ...line, strokeWidth: 7, color: '#d4d4d4' } },
      {
        data: { values: valuesOf(lines) },
        mark: { ...line, strokeWidth: 2 },
        encoding: { color: byName(({ colour }) => colour), strokeDash: byName(({ dash }) => [...dash]) },
      },
    ],
  };
};

const specOf = (profiles: ReadonlyArray<Profile>, title: string): TopLevelSpec => {
  const rated = profiles.filter((profile) => profile.rated !== undefined);
  const others = profiles.filter((profile) => profile.rated === undefined);
  const most = Math.max(1, ...profiles.flatMap(({ points }) => points.map(({ tau }) => tau)));
  const both = rated.length > 0 && others.length > 0;
  const frames = [
    ...(others.length > 0 ? [frame('one setting for all problems', others, both ? rated : [], most)] : []),
    ...(rated.length > 0
      ? [
          frame(
            'full: best of several learning rates on each problem; dashed: default',
            rated,
            both ? others : [],
            most,
          ),
        ]
      : []),
  ];
  return {
    ...figureFrame,
    title: { text: title, anchor: 'start', fontSize: 15 },
    vconcat: frames,
    resolve: { scale: { color: 'independent', strokeDash: 'independent' } },
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
