/**
 * Convolutions by their definition: a visit of every product of a filter's element with an element of the images.
 *
 * @module
 */
import type { Primitives } from '../../ops/primitives.ts';
import type { Window } from '../../ops/window.ts';
import { convolutionExtents, convolveTransposedExtents, correlateShape } from '../../ops/shapes.ts';
import type { Shape, Tensor } from '../../tensor.ts';
import { sizeOf } from '../../tensor.ts';
import { imagePositionOf } from './windows.ts';

/**
 * Visits the products that a convolution sums: output y takes filter w times pixel x.
 *
 * @param images - shape `[n, h, w, c]`
 * @param outputs - shape `[n, oh, ow, out]`
 * @param window - geometry
 * @param groups - runs of channels
 * @param visit - positions of y, w and x in their arrays
 */
const forEachProduct = (
  images: Shape,
  outputs: Shape,
  window: Window,
  groups: number,
  visit: (y: number, w: number, x: number) => void,
): void => {
  const [n, oh, ow, out] = outputs;
  const channels = images[3];
  const inGroup = channels / groups;
  const taps = window.kernel[0] * window.kernel[1];
  for (let e = 0; e < n; e += 1) {
    for (let oy = 0; oy < oh; oy += 1) {
      for (let ox = 0; ox < ow; ox += 1) {
        for (let tap = 0; tap < taps; tap += 1) {
          const pixel = imagePositionOf(images, window, [e, oy, ox, tap * channels]);
          if (pixel === null) continue;
          for (let o = 0; o < out; o += 1) {
            const first = Math.floor((o * groups) / out) * inGroup;
            for (let c = 0; c < inGroup; c += 1) {
              visit(((e * oh + oy) * ow + ox) * out + o, (o * taps + tap) * inGroup + c, pixel + first + c);
            }
          }
        }
      }
    }
  }
};

const summed = (shape: Shape, fill: (data: Float64Array) => void): Tensor => {
  const data = new Float64Array(sizeOf(shape));
  fill(data);
  return { shape, dtype: 'f64', data };
};

/** The primitives that convolve. */
export const convolutions: Pick<Primitives<Tensor>, 'convolve' | 'convolveTransposed' | 'correlate'> = {
  convolve: (images, filters, window) => {
    const { outputs, groups } = convolutionExtents(images.shape, filters.shape, window);
    return summed(outputs, (data) =>
      forEachProduct(images.shape, outputs, window, groups, (y, w, x) => {
        data[y] += filters.data[w] * images.data[x];
      }),
    );
  },
  convolveTransposed: (outputs, filters, window, shape) => {
    const { groups } = convolveTransposedExtents(outputs.shape, filters.shape, window, shape);
    return summed(shape, (data) =>
      forEachProduct(shape, outputs.shape, window, groups, (y, w, x) => {
        data[x] += filters.data[w] * outputs.data[y];
      }),
    );
  },
  correlate: (images, outputs, window, groups) =>
    summed(correlateShape(images.shape, outputs.shape, window, groups), (data) =>
      forEachProduct(images.shape, outputs.shape, window, groups, (y, w, x) => {
        data[w] += outputs.data[y] * images.data[x];
      }),
    ),
};
