/**
 * Where an element of a sliding window lies in the image.
 *
 * @module
 */
import type { Window } from '../../ops/window.ts';
import type { Shape } from '../../tensor.ts';
import type { Index } from './indexing.ts';
import { positionOf } from './indexing.ts';

/**
 * The element of the images that a column of `patches` holds.
 *
 * @param images - shape `[n, h, w, c]`
 * @param window - geometry; an element of a column is at (row, column) of the kernel and a channel, in this order
 * @param index - multi-index `[example, output row, output column, element of the column]`
 * @returns row-major position in the images, or `null` in the padding
 */
export const imagePositionOf = (images: Shape, window: Window, index: Index): number | null => {
  const [, height, width, channels] = images;
  const [example, outputRow, outputColumn, element] = index;
  const { kernel, stride, dilation, padding } = window;
  const channel = element % channels;
  const kernelColumn = Math.floor(element / channels) % kernel[1];
  const kernelRow = Math.floor(element / channels / kernel[1]);
  const row = outputRow * stride[0] + kernelRow * dilation[0] - padding[0];
  const column = outputColumn * stride[1] + kernelColumn * dilation[1] - padding[2];
  return row >= 0 && row < height && column >= 0 && column < width
    ? positionOf(images, [example, row, column, channel])
    : null;
};
