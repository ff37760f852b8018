/**
 * Patches of some lines of the outputs, of some channels: what a convolution looks at piece by piece, so that the patches of
 * a batch never lie in memory together.
 *
 * A line is one row of outputs of one example. Channels lie together, so the pixels of a window's row are one run unless the
 * window is dilated. Where zeros are around an image, or only some channels are wanted, the pixels that the lines of one
 * example see are copied to a frame first, which has the zeros and no other channels: after that no window has an edge.
 *
 * @module
 */
import type { Window } from '../../ops/window.ts';
import type { ReadonlyVector, Shape } from '../../tensor.ts';
import type { Kernels, Triple } from './kernels/kernels.ts';
import type { Buffer, Vector } from './kernels/precision.ts';

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

/** Lines of one example, of which the first is line `begin` of those that are looked at. */
interface Segment extends Lines {
  readonly example: number;
  readonly begin: number;
}

/** The lines of each example; those of a segment are counted within it. */
const forEachSegment = (lines: Lines, perExample: number, visit: (segment: Segment) => void): void => {
  for (let line = lines.from; line < lines.to;) {
    const example = Math.floor(line / perExample);
    const first = example * perExample;
    const past = Math.min(lines.to, first + perExample);
    visit({ example, from: line - first, to: past - first, begin: line - lines.from });
    line = past;
  }
};

/** Pixels that windows see, as rows of channels: elements from one pixel to the next, and from one row. */
interface Pixels {
  readonly at: number;
  readonly pixel: number;
  readonly row: number;
}

/** Whether windows see pixels of the images alone, with all their channels. */
const seesImages = ({ images, window }: View, { count }: Channels): boolean =>
  count === images[3] && window.padding.every((zeros) => zeros === 0);

const pixelsOfImages = ({ images: [, h, w, c], window: { stride } }: View, { example, from }: Segment): Pixels => ({
  at: (example * h + from * stride[0]) * w * c,
  pixel: c,
  row: w * c,
});

/** A frame: its size, and which part of it is a part of the images. */
interface Frame extends Pixels {
  readonly length: number;
  /** Elements before the first that is in the images, in the frame and there; none are where there are no rows. */
  readonly inFrame: number;
  readonly inImages: number;
  readonly rows: number;
  readonly columns: number;
}

const frameOf = ({ images, places, window }: View, { first, count }: Channels, segment: Segment): Frame => {
  const [, h, w, c] = images;
  const { kernel, stride, dilation, padding } = window;
  const height = (segment.to - segment.from - 1) * stride[0] + (kernel[0] - 1) * dilation[0] + 1;
  const width = (places[1] - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1;
  const y = segment.from * stride[0] - padding[0];
  const top = Math.max(0, -y);
  const rows = Math.max(0, Math.min(height, h - y) - top);
  const columns = Math.max(0, Math.min(w, width - padding[2]));
  return {
    at: 0,
    pixel: count,
    row: width * count,
    length: height * width * count,
    inFrame: (top * width + padding[2]) * count,
    inImages: (segment.example * h + y + top) * w * c + first,
    rows: columns > 0 ? rows : 0,
    columns,
  };
};

/** The part of the images that is in a frame, as three loops: from the images, or to them. */
interface SharedPart {
  readonly counts: Triple;
  readonly inImages: Triple;
  readonly inFrame: Triple;
  readonly run: number;
}

const sharedPart = ({ images: [, , w, c] }: View, { count }: Channels, { rows, columns, row }: Frame): SharedPart =>
  count === c
    ? { counts: [1, 1, rows], inImages: [0, 0, w * c], inFrame: [0, 0, row], run: columns * c }
    : { counts: [1, rows, columns], inImages: [0, w * c, c], inFrame: [0, row, count], run: count };

/** Told where runs begin among the pixels and in the patches, as loops over lines, rows of a window and places. */
type RunVisit = (
  inPixels: number,
  stepsInPixels: Triple,
  inPatches: number,
  stepsInPatches: Triple,
  counts: Triple,
  run: number,
) => void;

/** Visits the runs of the windows' rows. */
const forEachRun = (
  { places, window }: View,
  { count }: Channels,
  { at, pixel, row }: Pixels,
  segment: Segment,
  step: number,
  visit: RunVisit,
): void => {
  const { kernel, stride, dilation } = window;
  const together = dilation[1] === 1 ? kernel[1] : 1;
  for (let kx = 0; kx < kernel[1]; kx += together) {
    visit(
      at + kx * dilation[1] * pixel,
      [stride[0] * row, dilation[0] * row, stride[1] * pixel],
      segment.begin * places[1] * step + kx * count,
      [places[1] * step, kernel[1] * count, step],
      [segment.to - segment.from, kernel[0], places[1]],
      together * count,
    );
  }
};

const lengthOf = ({ window: { kernel } }: View, { count }: Channels): number => kernel[0] * kernel[1] * count;

/** Room for a frame, with arbitrary contents. */
export type FrameRoom<B extends Buffer> = (length: number) => B;

/** What is done with what the windows of one example's lines see, and with a frame before and after that. */
interface Passage<I, B> {
  readonly enter?: (pixels: B, frame: Frame, part: SharedPart) => void;
  readonly visit: (pixels: I | B, place: Pixels, segment: Segment) => void;
  readonly leave?: (pixels: B, frame: Frame, part: SharedPart) => void;
}

/** Goes over what windows see: the images themselves, or frames, which begin as zeros. */
const passThrough = <I, B extends Buffer>(
  { fill }: Pick<Kernels, 'fill'>,
  room: FrameRoom<B>,
  images: I,
  view: View,
  lines: Lines,
  channels: Channels,
  { enter, visit, leave }: Passage<I, B>,
): void => {
  const isDirect = seesImages(view, channels);
  forEachSegment(lines, view.places[0], (segment) => {
    if (isDirect) {
      visit(images, pixelsOfImages(view, segment), segment);
      return;
    }
    const frame = frameOf(view, channels, segment);
    const part = sharedPart(view, channels, frame);
    const pixels = room(frame.length);
    fill(pixels, 0);
    if (frame.rows > 0) enter?.(pixels, frame, part);
    visit(pixels, frame, segment);
    if (frame.rows > 0) leave?.(pixels, frame, part);
  });
};

/**
 * Writes patches as rows `[lines * ow, kh * kw * count]`.
 *
 * @param kernels - copies rows that are apart
 * @param room - room for a frame
 * @param data - elements of the images
 * @param view - geometry
 * @param lines - which rows
 * @param channels - which channels
 * @param out - all elements of the rows are written
 * @param step - from the beginning of a row to that of the next; the length of a row unless given
 */
export const gatherColumns = (
  kernels: Pick<Kernels, 'copyBlocks' | 'fill'>,
  room: FrameRoom<Buffer>,
  data: ReadonlyVector,
  view: View,
  lines: Lines,
  channels: Channels,
  out: Buffer,
  step: number = lengthOf(view, channels),
): void => {
  const { copyBlocks } = kernels;
  passThrough(kernels, room, data, view, lines, channels, {
    enter: (pixels, frame, { counts, inImages, inFrame, run }) => {
      copyBlocks(data, frame.inImages, inImages, pixels, frame.inFrame, inFrame, counts, run);
    },
    visit: (pixels, place, segment) => {
      forEachRun(view, channels, place, segment, step, (from, stepsFrom, to, stepsTo, counts, run) => {
        copyBlocks(pixels, from, stepsFrom, out, to, stepsTo, counts, run);
      });
    },
  });
};

/**
 * Adds rows `[lines * ow, kh * kw * count]` to the images where their windows lie: the adjoint of {@link gatherColumns}.
 *
 * @param kernels - adds rows that are apart
 * @param room - room for a frame
 * @param rows - elements of the rows
 * @param view - geometry
 * @param lines - which rows
 * @param channels - which channels
 * @param out - elements of the images
 */
export const scatterColumns = (
  kernels: Pick<Kernels, 'addBlocks' | 'fill'>,
  room: FrameRoom<Vector>,
  rows: ReadonlyVector,
  view: View,
  lines: Lines,
  channels: Channels,
  out: Vector,
): void => {
  const { addBlocks } = kernels;
  passThrough(kernels, room, out, view, lines, channels, {
    visit: (pixels, place, segment) => {
      forEachRun(
        view,
        channels,
        place,
        segment,
        lengthOf(view, channels),
        (to, stepsTo, from, stepsFrom, counts, run) => {
          addBlocks(rows, from, stepsFrom, pixels, to, stepsTo, counts, run);
        },
      );
    },
    leave: (pixels, frame, { counts, inImages, inFrame, run }) => {
      addBlocks(pixels, frame.inFrame, inFrame, out, frame.inImages, inImages, counts, run);
    },
  });
};
