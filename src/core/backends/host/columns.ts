/**
 * Patches of some lines of the outputs, of some channels: what a convolution looks at piece by piece, so that the patches of
 * a batch never lie in memory together.
 *
 * A line is one row of outputs of one example. Channels lie together, so the pixels of a window's row are one run where all
 * channels are wanted and the window is not dilated.
 *
 * @module
 */
import type { Window } from '../../ops/window.ts';
import type { ReadonlyVector, Shape } from '../../tensor.ts';
import type { Kernels } from './kernels/kernels.ts';
import type { Vector } from './kernels/precision.ts';

/** Where patches are looked at. */
export interface View {
  /** Shape `[n, h, w, c]`. */
  readonly images: Shape;
  /** Rows and columns of outputs of one example. */
  readonly places: readonly [number, number];
  readonly window: Window;
}

/** Some lines of all `n * oh`. */
export interface Lines {
  readonly from: number;
  readonly to: number;
}

/** A run of channels. */
export interface Channels {
  readonly first: number;
  readonly count: number;
}

/** Places from which on a run of pixels begins in the image, and from which on it ends beyond it. */
const wholePlaces = (
  w: number,
  places: number,
  start: number,
  stride: number,
  pixels: number,
): readonly [number, number] => {
  const first = Math.min(places, Math.max(0, Math.ceil(-start / stride)));
  const past = Math.min(places, Math.floor((w - pixels - start) / stride) + 1);
  return [first, Math.max(first, past)];
};

/** One run of a patch that is not whole in the image: zeros where it is outside. */
const gatherEdge = (
  data: ReadonlyVector,
  from: number,
  before: number,
  inside: number,
  pixels: number,
  count: number,
  out: Vector,
  to: number,
): void => {
  const begin = to + before * count;
  const end = begin + inside * count;
  for (let i = to; i < begin; i += 1) out[i] = 0;
  for (let i = begin, j = from; i < end; i += 1, j += 1) out[i] = data[j];
  for (let i = end; i < to + pixels * count; i += 1) out[i] = 0;
};

/**
 * Writes patches as rows `[lines * ow, kh * kw * count]`.
 *
 * @param copyRows - copies rows that are apart
 * @param data - elements of the images
 * @param view - geometry
 * @param lines - which rows
 * @param channels - which channels
 * @param out - all elements of the rows are written
 * @param step - from the beginning of a row to that of the next; the length of a row unless given
 */
export const gatherColumns = (
  { copyRows }: Pick<Kernels, 'copyRows'>,
  data: ReadonlyVector,
  view: View,
  lines: Lines,
  channels: Channels,
  out: Vector,
  step: number = view.window.kernel[0] * view.window.kernel[1] * channels.count,
): void => {
  const { images, places, window } = view;
  const { first, count } = channels;
  const [, h, w, c] = images;
  const [oh, ow] = places;
  const { kernel, stride, dilation, padding } = window;
  const pixels = count === c && dilation[1] === 1 ? kernel[1] : 1;
  const runs = kernel[1] / pixels;
  const length = pixels * count;
  for (let line = lines.from; line < lines.to; line += 1) {
    const example = Math.floor(line / oh);
    const oy = line - example * oh;
    for (let ky = 0; ky < kernel[0]; ky += 1) {
      const y = oy * stride[0] + ky * dilation[0] - padding[0];
      const row = (example * h + y) * w;
      for (let run = 0; run < runs; run += 1) {
        const left = run * dilation[1] - padding[2];
        const start = (line - lines.from) * ow * step + ky * kernel[1] * count + run * length;
        if (y < 0 || y >= h) {
          for (let ox = 0; ox < ow; ox += 1) out.fill(0, start + ox * step, start + ox * step + length);
          continue;
        }
        const [whole, past] = wholePlaces(w, ow, left, stride[1], pixels);
        for (let ox = 0; ox < ow; ox += 1) {
          if (ox === whole) ox = past;
          if (ox >= ow) break;
          const x = ox * stride[1] + left;
          const before = Math.min(Math.max(-x, 0), pixels);
          const inside = Math.max(0, Math.min(x + pixels, w) - (x + before));
          const from = (row + x + before) * c + first;
          gatherEdge(data, from, before, inside, pixels, count, out, start + ox * step);
        }
        if (past > whole) {
          const from = (row + whole * stride[1] + left) * c + first;
          copyRows(data, from, stride[1] * c, out, start + whole * step, step, past - whole, length);
        }
      }
    }
  }
};

/**
 * Adds rows `[lines * ow, kh * kw * count]` to the images where their windows lie: the adjoint of {@link gatherColumns}.
 *
 * @param rows - elements of the rows
 * @param view - geometry
 * @param lines - which rows
 * @param channels - which channels
 * @param out - elements of the images
 */
export const scatterColumns = (
  rows: ReadonlyVector,
  { images, places, window }: View,
  lines: Lines,
  { first, count }: Channels,
  out: Vector,
): void => {
  const [, h, w, c] = images;
  const [oh, ow] = places;
  const { kernel, stride, dilation, padding } = window;
  const pixels = count === c && dilation[1] === 1 ? kernel[1] : 1;
  const runs = kernel[1] / pixels;
  const length = pixels * count;
  const width = kernel[0] * kernel[1] * count;
  for (let line = lines.from; line < lines.to; line += 1) {
    const example = Math.floor(line / oh);
    const oy = line - example * oh;
    for (let ky = 0; ky < kernel[0]; ky += 1) {
      const y = oy * stride[0] + ky * dilation[0] - padding[0];
      if (y < 0 || y >= h) continue;
      const row = (example * h + y) * w;
      const start = (line - lines.from) * ow * width + ky * kernel[1] * count;
      for (let ox = 0; ox < ow; ox += 1) {
        for (let run = 0; run < runs; run += 1) {
          const x = ox * stride[1] + run * dilation[1] - padding[2];
          const before = Math.max(x, 0);
          const past = Math.min(x + pixels, w);
          const from = start + ox * width + run * length + (before - x) * count;
          const to = (row + before) * c + first;
          for (let i = 0; i < (past - before) * count; i += 1) out[to + i] += rows[from + i];
        }
      }
    }
  }
};
