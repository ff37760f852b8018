/**
 * Operations that move elements and compute nothing. Integers stay integers.
 *
 * @module
 */
import type { Primitives } from '../../ops/primitives.ts';
import { broadcastToShape, concatShape, padShape, reshapedShape, sliceShape } from '../../ops/shapes.ts';
import type { Shape, Tensor } from '../../tensor.ts';
import { sameShape, sizeOf } from '../../tensor.ts';

import type { Host } from './host.ts';
import { copyRun, floatsOf, floatTensor, movable, room, zeros } from './host.ts';
import { transposeTensor } from './transpose.ts';
import type { Strides } from './strides.ts';
import { broadcastStrides, denseStrides, forEachRun, mergeAxes } from './strides.ts';

/** Position of an element in a dense array. */
const positionOf = (index: ReadonlyArray<number>, strides: ReadonlyArray<number>): number =>
  index.reduce((position, i, axis) => position + i * strides[axis], 0);

/** Visits the runs of neighbouring elements of a box in an array with the given strides, in order. */
const forEachBoxRun = (box: Shape, strides: Strides, visit: (position: number, length: number) => void): void => {
  const walk = mergeAxes(box, [strides]);
  const last = walk.extents.length - 1;
  const isRun = walk.strides[0][last] === 1; // else the last axis of the box has extent 1, and elements are apart
  forEachRun(walk, isRun ? 1 : 0, ([position]) => visit(position, isRun ? walk.extents[last] : 1));
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
    const walk = mergeAxes(shape, [broadcastStrides(x.shape, shape)]);
    const last = walk.extents.length - 1;
    const n = walk.extents[last];
    const repeats = walk.strides[0][last] === 0;
    let to = 0;
    forEachRun(walk, 1, ([from]) => {
      if (repeats) out.fill(source.data[from], to, to + n);
      else copyRun(source, from, out, to, n);
      to += n;
    });
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
    let to = 0;
    for (let o = 0; o < outer; o += 1) {
      for (const source of sources) {
        const n = source.shape[axis] * inner;
        copyRun(source, o * n, out, to, n);
        to += n;
      }
    }
    return { shape, dtype: integers ? 'i32' : host.precision.dtype, data: out };
  },
  slice: (x, begin, size) => {
    const shape = sliceShape(x.shape, begin, size);
    const source = movable(host, x);
    const out = room(host, source.dtype, sizeOf(shape));
    const strides = denseStrides(x.shape);
    const start = positionOf(begin, strides);
    let to = 0;
    forEachBoxRun(shape, strides, (from, n) => {
      copyRun(source, start + from, out, to, n);
      to += n;
    });
    return { ...source, shape, data: out };
  },
  pad: (x, begin, shape) => {
    padShape(x.shape, begin, shape);
    const source = movable(host, x);
    const out = zeros(host, source.dtype, sizeOf(shape));
    const strides = denseStrides(shape);
    const start = positionOf(begin, strides);
    let from = 0;
    forEachBoxRun(x.shape, strides, (to, n) => {
      copyRun(source, from, out, start + to, n);
      from += n;
    });
    return { ...source, shape, data: out };
  },
});
