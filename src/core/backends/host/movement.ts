/**
 * Operations that move elements and compute nothing. Integers stay integers.
 *
 * @module
 */
import type { Primitives } from '../../ops/primitives.ts';
import { broadcastToShape, concatShape, padShape, reshapedShape, sliceShape } from '../../ops/shapes.ts';
import type { ReadonlyVector, Shape, Tensor } from '../../tensor.ts';
import { sameShape, sizeOf } from '../../tensor.ts';

import type { Host } from './host.ts';
import { floatsOf, floatTensor, movable, room, zeros } from './host.ts';
import type { Buffer } from './kernels/precision.ts';
import { copyBox, transposeTensor } from './transpose.ts';
import type { Strides } from './strides.ts';
import { broadcastStrides, denseStrides, forEachRun, mergeAxes } from './strides.ts';

/** Position of an element in a dense array. */
const positionOf = (index: ReadonlyArray<number>, strides: ReadonlyArray<number>): number =>
  index.reduce((position, i, axis) => position + i * strides[axis], 0);

/** Repeats an array along axes: rows that are one number each, or copies of rows. */
const repeat = (host: Host, x: ReadonlyVector, strides: Strides, out: Buffer, shape: Shape): void => {
  const walk = mergeAxes(shape, [strides, denseStrides(shape)]);
  const {
    extents,
    strides: [from],
  } = walk;
  const last = extents.length - 1;
  if (from[last] === 0) {
    const [rows, step] = last > 0 ? [extents[last - 1], from[last - 1]] : [1, 0];
    forEachRun(walk, Math.min(2, last + 1), ([at, to]) =>
      host.kernels.spread(x, at, step, out, to, rows, extents[last]),
    );
    return;
  }
  copyBox(host.kernels, walk, x, 0, out, 0);
};

/** The primitives that move elements. */
export const movement = (
  host: Host,
): Pick<Primitives<Tensor>, 'reshape' | 'transpose' | 'broadcastTo' | 'concat' | 'slice' | 'pad'> => ({
  reshape: (x, shape) => ({ ...movable(host, x), shape: reshapedShape(x.shape, shape) }),
  transpose: (x, permutation) => transposeTensor(host, x, permutation),
  broadcastTo: (x, shape) => {
    broadcastToShape(x.shape, shape);
    const source = movable(host, x);
    if (sameShape(x.shape, shape)) return source;
    const out = room(host, source.dtype, sizeOf(shape));
    const strides = broadcastStrides(x.shape, shape);
    if (source.data.length === 1) host.kernels.fill(out, source.data[0]);
    else repeat(host, source.data, strides, out, shape);
    return { ...source, shape, data: out };
  },
  concat: (xs, axis) => {
    const shape = concatShape(
      xs.map((x) => x.shape),
      axis,
    );
    const integers = xs.every((x) => x.dtype === 'i32');
    const sources = integers ? xs : xs.map((x) => floatTensor(host, x.shape, floatsOf(host, x)));
    const out = room(host, integers ? 'i32' : host.precision.dtype, sizeOf(shape));
    const outer = sizeOf(shape.slice(0, axis));
    const inner = sizeOf(shape.slice(axis + 1));
    const row = shape[axis] * inner;
    let to = 0;
    for (const source of sources) {
      const n = source.shape[axis] * inner;
      host.kernels.copyRows(source.data, 0, n, out, to, row, outer, n);
      to += n;
    }
    return { shape, dtype: integers ? 'i32' : host.precision.dtype, data: out };
  },
  slice: (x, begin, size) => {
    const shape = sliceShape(x.shape, begin, size);
    const source = movable(host, x);
    const out = room(host, source.dtype, sizeOf(shape));
    if (shape.length === 2) {
      const [[top, left], [rows, n], width] = [begin, shape, x.shape[1]];
      if (out.length > 0) host.kernels.copyRows(source.data, top * width + left, width, out, 0, n, rows, n);
      return { ...source, shape, data: out };
    }
    const strides = denseStrides(x.shape);
    const start = positionOf(begin, strides);
    copyBox(host.kernels, mergeAxes(shape, [strides, denseStrides(shape)]), source.data, start, out, 0);
    return { ...source, shape, data: out };
  },
  pad: (x, begin, shape) => {
    padShape(x.shape, begin, shape);
    const source = movable(host, x);
    const out = zeros(host, source.dtype, sizeOf(shape));
    const strides = denseStrides(shape);
    const start = positionOf(begin, strides);
    copyBox(host.kernels, mergeAxes(x.shape, [denseStrides(x.shape), strides]), source.data, 0, out, start);
    return { ...source, shape, data: out };
  },
});
