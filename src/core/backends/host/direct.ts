/**
 * Convolutions of one group without patches, where rows of windows are runs: products of filters with what windows see.
 *
 * Where zeros are around an image, some images at a time are copied into frames that have them. The adjoint in the images is such a
 * convolution of the outputs, with the filters turned round: one for each remainder of a pixel's place by the stride, since pixels of one
 * remainder are met by the same taps.
 *
 * @module
 */
import type { Window } from '../../ops/window.ts';
import type { ReadonlyVector, Shape } from '../../tensor.ts';
import type { View } from './columns.ts';
import type { Host } from './host.ts';
import type { Vector } from './kernels/precision.ts';
import type { WindowProducts } from './kernels/products.ts';
import type { Rooms } from './pieces.ts';
import { roomsOf } from './pieces.ts';

/** Elements of frames that are made at once: they stay in a cache. */
const atOnce = 1 << 17;

/** Rows and columns of zeros before and after. */
interface Margins {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** Images in frames, `first` to `first + count`, from element `at` on. */
type FrameVisit = (frames: ReadonlyVector, at: number, first: number, count: number) => boolean;

const marginsOfWindow = ([top, bottom, left, right]: Window['padding']): Margins => ({ top, bottom, left, right });

/** What is between one row and one image of frames and the next. */
const frameSteps = ([, h, w, c]: Shape, { top, bottom, left, right }: Margins) => {
  const row = (left + w + right) * c;
  return { row, image: (top + h + bottom) * row };
};

/** Goes over images in frames until one is not done. */
const everyFrame = (
  { kernels, isInside }: Host,
  rooms: Rooms,
  x: ReadonlyVector,
  images: Shape,
  margins: Margins,
  visit: FrameVisit,
): boolean => {
  const [n, h, w, c] = images;
  const { row, image } = frameSteps(images, margins);
  if (image === h * w * c && isInside(x)) return visit(x, 0, 0, n);
  const most = Math.max(1, Math.min(n, Math.floor(atOnce / image)));
  const frames = rooms('frame', most * image);
  kernels.fill(frames, 0); // what is around an image stays so
  const at = margins.top * row + margins.left * c;
  for (let first = 0; first < n; first += most) {
    const count = Math.min(most, n - first);
    kernels.copyBlocks(x, first * h * w * c, [0, h * w * c, w * c], frames, at, [0, image, row], [1, count, h], w * c);
    if (!visit(frames, 0, first, count)) return false;
  }
  return true;
};

/** Filters `[outputs, rows, run]`, some outputs together. */
const packed = (
  { together: { filters: width } }: WindowProducts,
  rooms: Rooms,
  outputs: number,
  rows: number,
  run: number,
  at: (output: number, row: number, element: number) => number,
): Vector => {
  const length = rows * run;
  const room = rooms('filters', width * Math.ceil(outputs / width) * length);
  for (let o = 0; o < width * Math.ceil(outputs / width); o += 1) {
    const first = (o - (o % width)) * length + (o % width);
    for (let r = 0; r < rows; r += 1) {
      for (let e = 0; e < run; e += 1) room[first + (r * run + e) * width] = o < outputs ? at(o, r, e) : 0;
    }
  }
  return room;
};

/** Pixels with one remainder along an axis: from which pixel on, how many, by how many taps, from which place's on. */
interface Phase {
  readonly remainder: number;
  readonly first: number;
  readonly count: number;
  readonly taps: number;
  /** The place that the first pixel's first tap is for; less than 0 where that is none. */
  readonly place: number;
}

const phasesOf = (pixels: number, kernel: number, stride: number, padding: number): ReadonlyArray<Phase> =>
  Array.from({ length: Math.min(stride, kernel) }, (_, remainder) => {
    const first = (((remainder - padding) % stride) + stride) % stride;
    const taps = Math.ceil((kernel - remainder) / stride);
    return {
      remainder,
      first,
      count: Math.max(0, Math.ceil((pixels - first) / stride)),
      taps,
      place: (first + padding - remainder) / stride - taps + 1,
    };
  }).filter(({ count }) => count > 0);

/** Zeros before the first place and after the last that phases ask for. */
const marginsOf = (phases: ReadonlyArray<Phase>, places: number): readonly [number, number] => [
  Math.max(0, ...phases.map(({ place }) => -place)),
  Math.max(0, ...phases.map(({ place, count, taps }) => place + count - 1 + taps - places)),
];

/**
 * Convolutions without patches, in a view with so many outputs. Each says whether it was made; where it was not, nothing is written.
 */
export interface DirectConvolutions {
  /** Outputs of x, with filters w `[out, kh * kw * c]`. */
  readonly convolve: (x: ReadonlyVector, w: ReadonlyVector, view: View, out: number, outputs: Vector) => boolean;
  /** The adjoint in the images, which are zeros before. */
  readonly convolveTransposed: (
    y: ReadonlyVector,
    w: ReadonlyVector,
    view: View,
    out: number,
    images: Vector,
  ) => boolean;
  /** The adjoint in the filters, as w. */
  readonly correlate: (x: ReadonlyVector, y: ReadonlyVector, view: View, out: number, sums: Vector) => boolean;
}

const never: DirectConvolutions = { convolve: () => false, convolveTransposed: () => false, correlate: () => false };

/** Whether rows of windows are runs, which pixels that are the windows themselves need not be. */
const areRuns = ({ kernel, stride, dilation }: Window): boolean =>
  dilation[1] === 1 && [...kernel, ...stride].some((extent) => extent > 1);

/**
 * Such convolutions on a host.
 *
 * @param host - whose products have them
 * @param windows - what they are made of
 */
const directOn = (host: Host, windows: WindowProducts): DirectConvolutions => ({
  convolve: (x, w, { images, places: [oh, ow], window }, out, outputs) => {
    const c = images[3];
    const { kernel, stride, dilation } = window;
    const run = kernel[1] * c;
    const margins = marginsOfWindow(window.padding);
    const { row, image } = frameSteps(images, margins);
    const rooms = roomsOf(host);
    const filters = packed(windows, rooms, out, kernel[0], run, (o, r, e) => w[(o * kernel[0] + r) * run + e]);
    return everyFrame(host, rooms, x, images, margins, (frames, at, first, count) =>
      windows.convolve(frames, at, filters, outputs, first * oh * ow * out, {
        ...{ run, rows: kernel[0], outputs: out, places: ow, lines: oh, images: count },
        seen: { row: dilation[0] * row, place: stride[1] * c, line: stride[0] * row, image },
        made: { place: out, line: ow * out, image: oh * ow * out },
      }),
    );
  },
  convolveTransposed: (y, w, { images, places, window }, out, pixels) => {
    const [n, h, width, c] = images;
    const { kernel, stride, padding } = window;
    const vertical = phasesOf(h, kernel[0], stride[0], padding[0]);
    const horizontal = phasesOf(width, kernel[1], stride[1], padding[2]);
    if (horizontal.some(({ count }) => count < windows.narrowest)) return false;
    const [[top, bottom], [left, right]] = [marginsOf(vertical, places[0]), marginsOf(horizontal, places[1])];
    const [shape, margins] = [[n, ...places, out], { top, bottom, left, right }];
    const { row, image } = frameSteps(shape, margins);
    const steps = { place: stride[1] * c, line: stride[0] * width * c, image: h * width * c };
    const phases = vertical.flatMap((v) =>
      horizontal.map((u) => {
        const run = u.taps * out;
        const filters = packed(windows, roomsOf(host), c, v.taps, run, (channel, r, e) => {
          const ky = v.remainder + stride[0] * (v.taps - 1 - r);
          const kx = u.remainder + stride[1] * (u.taps - 1 - Math.floor(e / out));
          return w[(((e % out) * kernel[0] + ky) * kernel[1] + kx) * c + channel];
        });
        return { v, u, run, filters };
      }),
    );
    return everyFrame(host, roomsOf(host), y, shape, margins, (frames, at, first, count) =>
      phases.every(({ v, u, run, filters }) =>
        windows.convolve(
          frames,
          at + (v.place + top) * row + (u.place + left) * out,
          filters,
          pixels,
          first * steps.image + (v.first * width + u.first) * c,
          {
            ...{ run, rows: v.taps, outputs: c, places: u.count, lines: v.count, images: count },
            seen: { row, place: out, line: row, image },
            made: steps,
          },
        ),
      ),
    );
  },
  correlate: (x, y, { images, places: [oh, ow], window }, out, sums) => {
    const c = images[3];
    const { kernel, stride, dilation } = window;
    const [rows, run] = [kernel[0], kernel[1] * c];
    const margins = marginsOfWindow(window.padding);
    const { row, image } = frameSteps(images, margins);
    const { outputs, elements } = windows.together;
    const across = Math.ceil(run / elements);
    const tiles = host.allocator.zeros(outputs * Math.ceil(out / outputs) * rows * elements * across);
    const isDone = everyFrame(host, roomsOf(host), x, images, margins, (frames, at, first, count) =>
      windows.correlate(frames, at, y, first * oh * ow * out, tiles, {
        ...{ run, rows, outputs: out, places: ow, lines: oh, images: count },
        seen: { row: dilation[0] * row, place: stride[1] * c, line: stride[0] * row, image },
        made: { place: out, line: ow * out, image: oh * ow * out },
      }),
    );
    for (let o = 0; isDone && o < out; o += 1) {
      for (let r = 0; r < rows; r += 1) {
        for (let e = 0; e < run; e += 1) {
          const tile = (Math.floor(o / outputs) * rows + r) * across + Math.floor(e / elements);
          sums[(o * rows + r) * run + e] = tiles[(tile * outputs + (o % outputs)) * elements + (e % elements)];
        }
      }
    }
    return isDone;
  },
});

/**
 * Convolutions without patches, where they are worth it: for few outputs, since a product of patches is fast only where it is wide.
 *
 * @param host - the interpreter
 */
export const directConvolutions = (host: Host): DirectConvolutions => {
  const { windows } = host.products;
  if (windows === undefined) return never;
  const direct = directOn(host, windows);
  const suits = ({ places, window }: View, outputs: number): boolean =>
    areRuns(window) && places[1] >= windows.narrowest && outputs <= windows.widest;
  return {
    convolve: (x, w, view, out, outputs) => suits(view, out) && direct.convolve(x, w, view, out, outputs),
    convolveTransposed: (y, w, view, out, images) =>
      suits(view, view.images[3]) &&
      view.window.dilation[0] === 1 &&
      direct.convolveTransposed(y, w, view, out, images),
    correlate: (x, y, view, out, sums) => suits(view, out) && direct.correlate(x, y, view, out, sums),
  };
};
