/**
 * Convolutions on the host: products of patches, of as many lines at a time as stay in a cache. A depthwise convolution goes
 * over the pixels instead, and one by 1 × 1 has the images themselves as its patches.
 *
 * @module
 */
import type { Convolutions } from '../../ops/convolutions.ts';
import type { Window } from '../../ops/window.ts';
import { convolutionExtents, convolveTransposedExtents, correlateShape } from '../../ops/shapes.ts';
import type { ReadonlyVector, Shape, Tensor } from '../../tensor.ts';
import { sizeOf } from '../../tensor.ts';
import type { View } from './columns.ts';
import { gatherColumns, scatterColumns } from './columns.ts';
import { directConvolutions } from './direct.ts';
import { convolveByChannel, correlateByChannel, spreadByChannel } from './depthwise.ts';
import type { Host } from './host.ts';
import { floatsOf, floatTensor } from './host.ts';
import type { Vector } from './kernels/precision.ts';
import type { Piece, Rooms } from './pieces.ts';
import { forEachPiece, frameIn, roomsOf } from './pieces.ts';

/** Whether patches are the pixels themselves. */
const isPointwise = ({ kernel, stride, padding }: Window): boolean =>
  [...kernel, ...stride].every((extent) => extent === 1) && padding.every((zeros) => zeros === 0);

/** Columns `first` to `first + count` of rows `[rows, width]`, as rows of their own. */
const columnsOut = (
  x: ReadonlyVector,
  width: number,
  first: number,
  count: number,
  rows: number,
  out: Vector,
): void => {
  for (let r = 0; r < rows; r += 1) {
    for (let i = 0; i < count; i += 1) out[r * count + i] = x[r * width + first + i];
  }
};

const columnsIn = (x: ReadonlyVector, width: number, first: number, count: number, rows: number, out: Vector): void => {
  for (let r = 0; r < rows; r += 1) {
    for (let i = 0; i < count; i += 1) out[r * width + first + i] = x[r * count + i];
  }
};

const placesOf = ([, oh, ow]: Shape): readonly [number, number] => [oh, ow];

/** The primitives that convolve. */
export const convolutions = (host: Host): Convolutions<Tensor> => {
  const { precision, products, allocator } = host;
  const direct = directConvolutions(host);

  /** Patches of a piece as rows. */
  const patchesOf = (
    rooms: Rooms,
    x: ReadonlyVector,
    view: View,
    { lines, channels, rows, firstRow }: Piece,
  ): ReadonlyVector => {
    const { kernel } = view.window;
    const length = kernel[0] * kernel[1] * channels.count;
    if (isPointwise(view.window) && channels.count === view.images[3]) {
      return precision.part(x, firstRow * length, rows * length);
    }
    const out = rooms('patches', rows * length);
    gatherColumns(host.kernels, frameIn(rooms), x, view, lines, channels, out);
    return out;
  };

  /** The outputs of a piece as rows `[rows, out / groups]`. */
  const outputsOf = (
    rooms: Rooms,
    y: ReadonlyVector,
    out: number,
    groups: number,
    { group, rows, firstRow }: Piece,
  ): ReadonlyVector => {
    const all = precision.part(y, firstRow * out, rows * out);
    if (groups === 1) return all;
    const each = out / groups;
    const part = rooms('outputs', rows * each);
    columnsOut(all, out, group * each, each, rows, part);
    return part;
  };

  return {
    convolve: (images, filters, window) => {
      const { outputs, groups } = convolutionExtents(images.shape, filters.shape, window);
      const view = { images: images.shape, places: placesOf(outputs), window };
      const [x, w] = [floatsOf(host, images), floatsOf(host, filters)];
      const [out, length] = filters.shape;
      const each = out / groups;
      if (length === window.kernel[0] * window.kernel[1] && groups > 1) {
        const y = allocator.zeros(sizeOf(outputs));
        convolveByChannel(x, w, out, view, y);
        return floatTensor(host, outputs, y);
      }
      const y = allocator.take(sizeOf(outputs));
      if (groups === 1 && direct.convolve(x, w, view, out, y)) return floatTensor(host, outputs, y);
      const rooms = roomsOf(host);
      forEachPiece(view, groups, (piece) => {
        const { rows, firstRow, group } = piece;
        const patches = patchesOf(rooms, x, view, piece);
        const into = precision.part(y, firstRow * out, rows * out);
        const product = groups === 1 ? into : rooms('outputs', rows * each);
        const own = precision.part(w, group * each * length, each * length);
        products.matmul(patches, own, { m: rows, n: each, k: length, transposeA: false, transposeB: true }, product);
        if (groups > 1) columnsIn(product, out, group * each, each, rows, into);
      });
      return floatTensor(host, outputs, y);
    },
    convolveTransposed: (outputs, filters, window, shape) => {
      const { groups } = convolveTransposedExtents(outputs.shape, filters.shape, window, shape);
      const view = { images: shape, places: placesOf(outputs.shape), window };
      const [y, w] = [floatsOf(host, outputs), floatsOf(host, filters)];
      const [out, length] = filters.shape;
      const each = out / groups;
      const x = allocator.zeros(sizeOf(shape));
      if (length === window.kernel[0] * window.kernel[1] && groups > 1) {
        spreadByChannel(y, w, out, view, x);
        return floatTensor(host, shape, x);
      }
      if (groups === 1 && direct.convolveTransposed(y, w, view, out, x)) return floatTensor(host, shape, x);
      const isWhole = groups === 1 && isPointwise(window);
      const rooms = roomsOf(host);
      forEachPiece(view, groups, (piece) => {
        const { rows, firstRow, group, lines, channels } = piece;
        const own = precision.part(w, group * each * length, each * length);
        const into = isWhole ? precision.part(x, firstRow * length, rows * length) : rooms('patches', rows * length);
        const from = outputsOf(rooms, y, out, groups, piece);
        products.matmul(from, own, { m: rows, n: length, k: each, transposeA: false, transposeB: false }, into);
        if (!isWhole) scatterColumns(host.kernels, frameIn(rooms), into, view, lines, channels, x);
      });
      return floatTensor(host, shape, x);
    },
    correlate: (images, outputs, window, groups) => {
      const shape = correlateShape(images.shape, outputs.shape, window, groups);
      const view = { images: images.shape, places: placesOf(outputs.shape), window };
      const [x, y] = [floatsOf(host, images), floatsOf(host, outputs)];
      const [out, length] = shape;
      const each = out / groups;
      if (length === window.kernel[0] * window.kernel[1] && groups > 1) {
        const sums = allocator.take(sizeOf(shape));
        sums.set(correlateByChannel(x, y, out, view));
        return floatTensor(host, shape, sums);
      }
      const sums = allocator.zeros(sizeOf(shape));
      if (groups === 1 && direct.correlate(x, y, view, out, sums)) return floatTensor(host, shape, sums);
      const rooms = roomsOf(host);
      forEachPiece(view, groups, (piece) => {
        const { rows, group } = piece;
        const patches = patchesOf(rooms, x, view, piece);
        const product = rooms('products', each * length);
        const from = outputsOf(rooms, y, out, groups, piece);
        products.matmul(from, patches, { m: each, n: length, k: rows, transposeA: true, transposeB: false }, product);
        const at = group * each * length;
        const own = precision.part(sums, at, each * length);
        host.kernels.linearCombination(1, own, 1, product, own);
      });
      return floatTensor(host, shape, sums);
    },
  };
};
