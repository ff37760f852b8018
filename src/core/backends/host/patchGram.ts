/**
 * Second moments of patches, piece by piece: the patches of a batch never lie in memory together.
 *
 * @module
 */
import type { Derived } from '../../ops/ops.ts';
import { patchesShape } from '../../ops/shapes.ts';
import type { Tensor } from '../../tensor.ts';
import { gatherColumns } from './columns.ts';
import type { Host } from './host.ts';
import { floatsOf, floatTensor } from './host.ts';
import type { Vector } from './kernels/precision.ts';
import { forEachPiece, roomsOf } from './pieces.ts';

/** Rows `[rows, width]` with a column of ones behind them. */
const withOnes = (rows: Vector, count: number, width: number, out: Vector): void => {
  for (let r = 0; r < count; r += 1) {
    for (let i = 0; i < width; i += 1) out[r * (width + 1) + i] = rows[r * width + i];
    out[r * (width + 1) + width] = 1;
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
      const patches = rooms('patches', rows * length);
      gatherColumns(host.kernels, x, view, lines, channels, patches);
      const whole = homogeneous ? rooms('homogeneous', rows * order) : patches;
      if (homogeneous) withOnes(patches, rows, length, whole);
      if (w !== null) {
        for (let r = 0; r < rows; r += 1) {
          const root = Math.sqrt(w[firstRow + r]);
          for (let i = r * order; i < (r + 1) * order; i += 1) whole[i] *= root;
        }
      }
      const gram = rooms('products', order * order);
      host.products.gram(whole, rows, order, gram);
      for (let i = 0; i < order * order; i += 1) sums[i] += gram[i];
    });
    return floatTensor(host, [order, order], sums);
  },
});
