/**
 * Colour and dash of each optimizer's line: an optimizer looks the same in every figure, and no two in one figure alike, however
 * many there are.
 *
 * @module
 */
import { optimizerNames } from '../../solvers/presets/registry.ts';

/** How a line is drawn. */
export interface CurveStyle {
  readonly colour: string;
  /** Lengths of strokes and gaps; empty for a line without gaps. */
  readonly dash: ReadonlyArray<number>;
}

/**
 * Styles of presets. The colours of Okabe and Ito [OI08], which people with any colour vision tell apart, go to those that are
 * compared most; there are only eight of them, so dashes do the rest.
 */
const chosen: Readonly<Record<string, CurveStyle>> = {
  kfac: { colour: '#0072b2', dash: [] },
  'kfac-adaptive': { colour: '#56b4e9', dash: [9, 3] },
  'kfac-cg': { colour: '#000000', dash: [2, 2] },
  ekfac: { colour: '#cc79a7', dash: [10, 3, 2, 3] },
  'block-kfac': { colour: '#e69f00', dash: [5, 2] },
  'newton-schulz-kfac': { colour: '#882255', dash: [14, 4] },
  'low-rank-kfac': { colour: '#7a7a00', dash: [1, 3] },
  'tridiagonal-kfac': { colour: '#6a3d9a', dash: [10, 2, 2, 2, 2, 2] },
  'class-kfac': { colour: '#7f7f7f', dash: [4, 4] },
  'kfac-grafted': { colour: '#b2182b', dash: [12, 2, 4, 2] },
  adam: { colour: '#d55e00', dash: [16, 2] },
  adamw: { colour: '#8c510a', dash: [16, 2, 2, 2] },
  muon: { colour: '#b59f00', dash: [3, 1] },
  shampoo: { colour: '#c51b8a', dash: [8, 1] },
  soap: { colour: '#2b3990', dash: [8, 2, 4, 2] },
  sgd: { colour: '#009e73', dash: [6, 2, 1, 2] },
};

/** Part of a colour of full saturation: a channel of the hue, from 0 to 1. */
const channel = (hue: number): number => Math.min(1, Math.max(0, Math.abs((((hue % 6) + 6) % 6) - 3) - 1));

/** Between hues: the golden section of the circle, so that any number of them lie well apart. */
const turn = 6 * (2 / (1 + Math.sqrt(5)));

/** Dark enough on white, three depths in turn. */
const depths = [0.72, 0.42, 0.57] as const;

const colourAt = (i: number): string => {
  const depth = depths[i % depths.length];
  const channels = [0, -2, -4].map((shift) => Math.round(255 * depth * (0.2 + 0.8 * channel(0.05 + i * turn + shift))));
  return `#${channels.map((x) => x.toString(16).padStart(2, '0')).join('')}`;
};

const strokes = [2, 5, 8, 12] as const;

/** A stroke that no preset has, then the digits of the number as strokes: no two numbers have one pattern. */
const dashAt = (i: number): ReadonlyArray<number> => {
  const digits = Array.from(i.toString(strokes.length), (digit) => strokes[Number(digit)]);
  return [20, 3, ...digits.flatMap((stroke) => [stroke, 3])];
};

/** A style for every number. */
const madeAt = (i: number): CurveStyle => ({ colour: colourAt(i), dash: dashAt(i) });

/** Presets that have no style of their own. */
const others = optimizerNames.filter((name) => !Object.hasOwn(chosen, name));

/**
 * Styles for some optimizers. A preset has its own; any other has one by its position among those that are none.
 *
 * @param names - names, all different
 * @returns a style for each, in the same order
 */
export const stylesOf = (names: ReadonlyArray<string>): ReadonlyArray<CurveStyle> => {
  const unknown = names.filter((name) => !optimizerNames.includes(name));
  return names.map((name) => {
    if (Object.hasOwn(chosen, name)) return chosen[name];
    return madeAt(others.includes(name) ? others.indexOf(name) : others.length + unknown.indexOf(name));
  });
};
