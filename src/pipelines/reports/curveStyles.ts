/**
 * Colour and dash of each optimizer's line: an optimizer looks the same in every figure, and no two in one figure alike.
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
 * A style for each preset, and one more. The colours of Okabe and Ito [OI08] come first, which people with any colour vision
 * tell apart; there are not so many such colours, so dashes do the rest.
 */
const styles: ReadonlyArray<CurveStyle> = [
  { colour: '#0072b2', dash: [] },
  { colour: '#56b4e9', dash: [9, 3] },
  { colour: '#000000', dash: [2, 2] },
  { colour: '#cc79a7', dash: [10, 3, 2, 3] },
  { colour: '#e69f00', dash: [5, 2] },
  { colour: '#882255', dash: [14, 4] },
  { colour: '#7a7a00', dash: [1, 3] },
  { colour: '#6a3d9a', dash: [10, 2, 2, 2, 2, 2] },
  { colour: '#7f7f7f', dash: [4, 4] },
  { colour: '#d55e00', dash: [16, 2] },
  { colour: '#009e73', dash: [6, 2, 1, 2] },
  { colour: '#a6761d', dash: [3, 1] },
  { colour: '#e7298a', dash: [12, 2, 4, 2] },
  { colour: '#005a32', dash: [8, 2, 2, 2, 2, 2] },
  { colour: '#b15928', dash: [3, 3] },
  { colour: '#1a1a80', dash: [20, 3, 5, 3] },
  { colour: '#00a0a0', dash: [6, 6] },
];

/**
 * Styles for some optimizers: a preset has its own, any other the first that is free.
 *
 * @param names - names, all different
 * @returns a style for each, in the same order; they repeat where there are more names than styles
 */
export const stylesOf = (names: ReadonlyArray<string>): ReadonlyArray<CurveStyle> => {
  const taken = new Set(names.map((name) => optimizerNames.indexOf(name)));
  const free = styles.filter((_, i) => !taken.has(i));
  const others = names.filter((name) => !optimizerNames.includes(name));
  const rest = free.length === 0 ? styles : free;
  return names.map((name) => styles[optimizerNames.indexOf(name)] ?? rest[others.indexOf(name) % rest.length]);
};
