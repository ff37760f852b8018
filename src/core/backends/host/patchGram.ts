/**
 * Second moments of patches, piece by piece: the patches of a batch never lie in memory together.
 *
 * @module
 */
import type { Derived } from '../../ops/ops.ts';
import { patchesShape } from '../../ops/shapes.ts';
import type { ReadonlyVector, Tensor } from '../../tensor.ts';
import { gatherColumns } from './columns.ts';
import type { Host } from './host.ts';
import { floatsOf, floatTensor } from './host.ts';
import type { Vector } from './kernels/precision.ts';
import { forEachPiece, frameIn, roomsOf } from './pieces.ts';

/** Ones in the last column of rows `[rows, order]`. */
const fillOnes = (rows: number, order: number, out: Vector): void => {
  for (let r = 1; r <= rows; r += 1) out[r * order - 1] = 1;
};

/** Rows times the roots of their weights. */
const weigh = (weights: ReadonlyVector, from: number, rows: number, order: number, out: Vector): void => {
  for (let r = 0; r < rows; r += 1) {
    const root = Math.sqrt(weights[from + r]);
    for (let i = r * order; i < (r + 1) * order; i += 1) out[i] *= root;
  }
};

/** The derived operations on patches. */
export const patchMoments = (host: Host): Pick<Derived<Tensor>, 'patchGram'> => ({
  patchGram: (images, window, weights, homogeneous) => {
    const [, oh, ow, length] = patchesShape(images.shape, window);
    const order = length + (homogeneous ? 1 : 0);
    const x = floatsOf(host, images);
    const w = weights === null ? null : floatsOf(host, weights);
    const sums = host.allocator.zeros(order * order);
    const view = { images: images.shape, places: [oh, ow], window } as const;
    const rooms = roomsOf(host);
    forEachPiece(view, 1, ({ lines, channels, rows, firstRow }) => {
      const patches = rooms('patches', rows * order);
      gatherColumns(host.kernels, frameIn(rooms), x, view, lines, channels, patches, order);
      if (homogeneous) fillOnes(rows, order, patches);
      if (w !== null) weigh(w, firstRow, rows, order, patches);
      const gram = rooms('products', order * order);
      host.products.gram(patches, rows, order, gram);
      host.kernels.linearCombination(1, sums, 1, gram, sums);
    });
    return floatTensor(host, [order, order], sums);
  },
});
