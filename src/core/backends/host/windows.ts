/**
 * Sliding windows over images, and their adjoint.
 *
 * @module
 */
import type { Primitives } from '../../ops/primitives.ts';
import { patchesShape, unpatchesShape } from '../../ops/shapes.ts';
import type { Shape, Tensor } from '../../tensor.ts';
import { sizeOf } from '../../tensor.ts';

import type { Window } from '../../ops/window.ts';
import type { Channels, FrameRoom, Lines, View } from './columns.ts';
import { gatherColumns, scatterColumns } from './columns.ts';
import type { Host } from './host.ts';
import { floatsOf, floatTensor, movable, room } from './host.ts';
import type { Buffer } from './kernels/precision.ts';

/** All patches of some images. */
const everything = (
  images: Shape,
  columns: Shape,
  window: Window,
): { readonly view: View; readonly lines: Lines; readonly channels: Channels } => ({
  view: { images, places: [columns[1], columns[2]], window },
  lines: { from: 0, to: columns[0] * columns[1] },
  channels: { first: 0, count: images[3] },
});

/** Room that is made once for frames of one size, as those of whole images are. */
const madeOnce = <B extends Buffer>(make: FrameRoom<B>): FrameRoom<B> => {
  let made: B | undefined;
  return (length) => (made ??= make(length));
};

/** The primitives on windows. */
export const windows = (host: Host): Pick<Primitives<Tensor>, 'patches' | 'unpatches'> => ({
  patches: (images, window) => {
    const shape = patchesShape(images.shape, window);
    const source = movable(host, images);
    const out = room(host, source.dtype, sizeOf(shape));
    const { view, lines, channels } = everything(images.shape, shape, window);
    const frame = madeOnce((length) => room(host, source.dtype, length));
    gatherColumns(host.kernels, frame, source.data, view, lines, channels, out);
    return { ...source, shape, data: out };
  },
  unpatches: (columns, window, shape) => {
    unpatchesShape(columns.shape, window, shape);
    const out = host.allocator.zeros(sizeOf(shape));
    const { view, lines, channels } = everything(shape, columns.shape, window);
    const frame = madeOnce(host.allocator.take);
    scatterColumns(host.kernels, frame, floatsOf(host, columns), view, lines, channels, out);
    return floatTensor(host, shape, out);
  },
});
