/**
 * Sliding windows over images, and their adjoint.
 *
 * Channels lie together, so a window's row is a run of neighbouring pixels unless it is dilated.
 *
 * @module
 */
import type { Primitives } from '../../ops/primitives.ts';
import type { Window } from '../../ops/window.ts';
import { patchesShape, unpatchesShape } from '../../ops/shapes.ts';
import type { Shape, Tensor } from '../../tensor.ts';
import { sizeOf } from '../../tensor.ts';

import type { Host } from './host.ts';
import { copyRun } from './kernels/plain.ts';
import { floatsOf, floatTensor, movable, zeros } from './host.ts';

/**
 * Visits the runs of elements that columns and images share; what is left of the columns is padding.
 *
 * @param images - shape `[n, h, w, c]`
 * @param columns - shape `[n, oh, ow, kh * kw * c]`
 * @param window - geometry
 * @param visit - called with the positions of a run in the columns and in the images, and its length
 */
const forEachWindowRun = (
  images: Shape,
  columns: Shape,
  window: Window,
  visit: (inColumns: number, inImages: number, length: number) => void,
): void => {
  const [n, h, w, c] = images;
  const [, oh, ow] = columns;
  const { kernel, stride, dilation, padding } = window;
  const together = dilation[1] === 1 ? kernel[1] : 1; // pixels of a run
  let column = 0;
  for (let example = 0; example < n; example += 1) {
    for (let oy = 0; oy < oh; oy += 1) {
      for (let ox = 0; ox < ow; ox += 1) {
        for (let ky = 0; ky < kernel[0]; ky += 1) {
          const y = oy * stride[0] + ky * dilation[0] - padding[0];
          for (let kx = 0; kx < kernel[1]; kx += together) {
            const x = ox * stride[1] + kx * dilation[1] - padding[2];
            const first = Math.max(x, 0);
            const past = Math.min(x + together, w);
            if (y >= 0 && y < h && past > first) {
              visit(column + (first - x) * c, ((example * h + y) * w + first) * c, (past - first) * c);
            }
            column += together * c;
          }
        }
      }
    }
  }
};

/** The primitives on windows. */
export const windows = (host: Host): Pick<Primitives<Tensor>, 'patches' | 'unpatches'> => ({
  patches: (images, window) => {
    const shape = patchesShape(images.shape, window);
    const source = movable(host, images);
    const out = zeros(host, source.dtype, sizeOf(shape));
    forEachWindowRun(images.shape, shape, window, (to, from, n) => copyRun(source.data, from, out, to, n));
    return { ...source, shape, data: out };
  },
  unpatches: (columns, window, shape) => {
    unpatchesShape(columns.shape, window, shape);
    const out = host.allocator.zeros(sizeOf(shape));
    const source = floatsOf(host, columns);
    forEachWindowRun(shape, columns.shape, window, (from, to, n) => {
      for (let i = 0; i < n; i += 1) out[to + i] += source[from + i];
    });
    return floatTensor(host, shape, out);
  },
});
