/**
 * Patches of some lines of the outputs, of some channels: what a convolution looks at piece by piece, so that the patches of
 * a batch never lie in memory together.
 *
 * A line is one row of outputs of one example. Channels lie together, so the pixels of a window's row are one run where all
 * channels are wanted and the window is not dilated.
 *
 * @module
 */
import type { Window } from '../../ops/primitives.ts';
import type { ReadonlyVector, Shape } from '../../tensor.ts';
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

/**
 * Writes patches as rows `[lines * ow, kh * kw * count]`.
 *
 * @param data - elements of the images
 * @param view - geometry
 * @param lines - which rows
 * @param channels - which channels
 * @param out - all elements of the rows are written
 */
export const gatherColumns = (
  data: ReadonlyVector,
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
      const isInside = y >= 0 && y < h;
      const row = (example * h + y) * w;
      const start = (line - lines.from) * ow * width + ky * kernel[1] * count;
      for (let ox = 0; ox < ow; ox += 1) {
        for (let run = 0; run < runs; run += 1) {
          const x = ox * stride[1] + run * dilation[1] - padding[2];
          const to = start + ox * width + run * length;
          const before = isInside ? Math.max(x, 0) : x + pixels;
          const past = isInside ? Math.min(x + pixels, w) : x + pixels;
          if (before >= past) {
            for (let i = to; i < to + length; i += 1) out[i] = 0;
            continue;
          }
          const begin = to + (before - x) * count;
          const end = to + (past - x) * count;
          const from = (row + before) * c + first;
          for (let i = to; i < begin; i += 1) out[i] = 0;
          for (let i = begin, j = from; i < end; i += 1, j += 1) out[i] = data[j];
          for (let i = end; i < to + length; i += 1) out[i] = 0;
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
