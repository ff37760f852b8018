/**
 * Convolutions without patches on the vector unit, of arrays in its memory.
 *
 * @module
 */
import type { WindowProducts, Windows } from '../kernels/products.ts';
import type { VectorUnit } from './instance.ts';
import { correlateTile, windowTile } from './windows.ts';

/** Bytes of what is gone over again for each tile of a correlation: they stay in the first cache. */
const nearBytes = 16_384;

/** Lines whose pixels and outputs stay in the first cache. */
const linesAtOnce = ({ seen, made, lines }: Windows): number =>
  Math.min(lines, Math.max(1, Math.floor(nearBytes / (4 * (seen.line + made.line)))));

/** The geometry as kernels take it, with runs of so many elements. */
const geometryOf = ({ rows, places, lines, images, seen, made }: Windows, run: number): ReadonlyArray<number> => [
  ...[4 * run, rows, 4 * seen.row],
  ...[places, 4 * seen.place, 4 * made.place],
  ...[lines, 4 * seen.line, 4 * made.line],
  ...[images, 4 * seen.image, 4 * made.image],
];

/**
 * Such convolutions.
 *
 * @param unit - the unit
 * @param widest - outputs up to which they are faster than products of patches
 */
export const windowProducts = (unit: VectorUnit, widest: number): WindowProducts => {
  const { addressOf } = unit.memory;
  const { elements, outputs: together } = correlateTile;
  return {
    widest,
    narrowest: windowTile.places,
    together: { filters: windowTile.outputs, outputs: together, elements },
    convolve: (x, atX, w, y, atY, windows) => {
      const [from, filters, to] = [addressOf(x, atX), addressOf(w, 0), addressOf(y, atY)];
      if (from < 0 || filters < 0 || to < 0) return false;
      unit.convolveWindows(from, filters, to, ...geometryOf(windows, windows.run), 4 * windows.outputs);
      return true;
    },
    correlate: (x, atX, y, atY, sums, windows) => {
      const [from, cotangents, to] = [addressOf(x, atX), addressOf(y, atY), addressOf(sums, 0)];
      if (from < 0 || cotangents < 0 || to < 0) return false;
      const geometry = geometryOf(windows, elements * Math.ceil(windows.run / elements));
      const blocks = Math.ceil(windows.outputs / together);
      unit.correlateWindows(from, cotangents, to, ...geometry, linesAtOnce(windows), blocks);
      return true;
    },
  };
};
