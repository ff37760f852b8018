/**
 * Depthwise convolutions, where every channel has filters of its own: loops over the channels of a pixel. Patches would cost
 * more than all the products, of which there are few.
 *
 * @module
 */
import type { ReadonlyVector } from '../../tensor.ts';
import type { View } from './columns.ts';
import type { Vector } from './kernels/precision.ts';

/**
 * Visits every tap of every output that lies in the images.
 *
 * @param view - geometry
 * @param visit - called with the number of the output's place, that of the tap, and that of the pixel
 */
const forEachTap = (
  { images, places, window }: View,
  visit: (place: number, tap: number, pixel: number) => void,
): void => {
  const [n, h, w] = images;
  const [oh, ow] = places;
  const { kernel, stride, dilation, padding } = window;
  for (let line = 0; line < n * oh; line += 1) {
    const example = Math.floor(line / oh);
    const oy = line - example * oh;
    for (let ox = 0; ox < ow; ox += 1) {
      for (let ky = 0; ky < kernel[0]; ky += 1) {
        const y = oy * stride[0] + ky * dilation[0] - padding[0];
        if (y < 0 || y >= h) continue;
        for (let kx = 0; kx < kernel[1]; kx += 1) {
          const x = ox * stride[1] + kx * dilation[1] - padding[2];
          if (x >= 0 && x < w) visit(line * ow + ox, ky * kernel[1] + kx, (example * h + y) * w + x);
        }
      }
    }
  }
};

/** W `[rows, columns]` transposed. */
const turned = (data: ReadonlyVector, rows: number, columns: number): Float64Array => {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i += 1) for (let j = 0; j < columns; j += 1) out[j * rows + i] = data[i * columns + j];
  return out;
};

const tapsOf = ({ window: { kernel } }: View): number => kernel[0] * kernel[1];

/**
 * The products, added to `outputs`.
 *
 * @param x - images `[n, h, w, c]`
 * @param filters - `[out, kh * kw]`, `out / c` for each channel
 * @param out - number of filters
 * @param view - geometry
 * @param outputs - `[n, oh, ow, out]`
 */
export const convolveByChannel = (
  x: ReadonlyVector,
  filters: ReadonlyVector,
  out: number,
  view: View,
  outputs: Vector,
): void => {
  const c = view.images[3];
  const each = out / c;
  const taps = turned(filters, out, tapsOf(view));
  forEachTap(view, (place, tap, pixel) => {
    const [y, w, at] = [place * out, tap * out, pixel * c];
    for (let j = 0; j < each; j += 1) {
      for (let i = 0, o = j; i < c; i += 1, o += each) outputs[y + o] += taps[w + o] * x[at + i];
    }
  });
};

/** The adjoint of {@link convolveByChannel} in the images, added to `images`. */
export const spreadByChannel = (
  y: ReadonlyVector,
  filters: ReadonlyVector,
  out: number,
  view: View,
  images: Vector,
): void => {
  const c = view.images[3];
  const each = out / c;
  const taps = turned(filters, out, tapsOf(view));
  forEachTap(view, (place, tap, pixel) => {
    const [from, w, at] = [place * out, tap * out, pixel * c];
    for (let j = 0; j < each; j += 1) {
      for (let i = 0, o = j; i < c; i += 1, o += each) images[at + i] += taps[w + o] * y[from + o];
    }
  });
};

/** The adjoint of {@link convolveByChannel} in the filters, `[out, kh * kw]`; sums have 64 bits. */
export const correlateByChannel = (x: ReadonlyVector, y: ReadonlyVector, out: number, view: View): Float64Array => {
  const c = view.images[3];
  const each = out / c;
  const taps = tapsOf(view);
  const sums = new Float64Array(taps * out);
  forEachTap(view, (place, tap, pixel) => {
    const [from, w, at] = [place * out, tap * out, pixel * c];
    for (let j = 0; j < each; j += 1) {
      for (let i = 0, o = j; i < c; i += 1, o += each) sums[w + o] += y[from + o] * x[at + i];
    }
  });
  return turned(sums, taps, out);
};
