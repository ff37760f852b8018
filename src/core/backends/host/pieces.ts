/**
 * Convolutions in pieces: as many lines of outputs at a time as leave their patches in a cache, and room for those patches.
 *
 * @module
 */
import type { Channels, FrameRoom, Lines, View } from './columns.ts';
import type { Host } from './host.ts';
import type { Vector } from './kernels/precision.ts';

/** Elements of patches that are formed at once. */
const atOnce = 1 << 17;
/** Rows of a product from which it is worth its overheads. */
const fewestRows = 256;

/** Room by name, with arbitrary contents. */
export type Rooms = (name: 'patches' | 'frame' | 'filters' | 'outputs' | 'products', length: number) => Vector;

/**
 * Room for the pieces of one operation: each name has one array, a larger one when it is asked for.
 *
 * @param host - where arrays come from
 */
export const roomsOf = ({ allocator, precision }: Host): Rooms => {
  const rooms = new Map<string, Vector>();
  return (name, length) => {
    const held = rooms.get(name);
    if (held !== undefined && held.length >= length) return precision.part(held, 0, length);
    const made = allocator.take(length);
    rooms.set(name, made);
    return made;
  };
};

/** Room for frames among the others. */
export const frameIn =
  (rooms: Rooms): FrameRoom<Vector> =>
  (length) =>
    rooms('frame', length);

/** One group of a convolution on some lines. */
export interface Piece {
  readonly lines: Lines;
  readonly group: number;
  readonly channels: Channels;
  /** Rows of the piece, from which on they are in the outputs. */
  readonly rows: number;
  readonly firstRow: number;
}

/** Runs over the pieces of a convolution, the groups of a run of lines one after another. */
export const forEachPiece = (view: View, groups: number, visit: (piece: Piece) => void): void => {
  const [n, , , c] = view.images;
  const [oh, ow] = view.places;
  const count = c / groups;
  const rowsAtOnce = Math.max(fewestRows, Math.floor(atOnce / (view.window.kernel[0] * view.window.kernel[1] * count)));
  const step = Math.max(1, Math.floor(rowsAtOnce / ow));
  for (let from = 0; from < n * oh; from += step) {
    const to = Math.min(from + step, n * oh);
    for (let group = 0; group < groups; group += 1) {
      const channels = { first: group * count, count };
      visit({ lines: { from, to }, group, channels, rows: (to - from) * ow, firstRow: from * ow });
    }
  }
};
