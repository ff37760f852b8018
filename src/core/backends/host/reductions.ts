/**
 * Sums and maxima over axes. Sums are accumulated in 64 bits in either precision.
 *
 * @module
 */
import type { Primitives } from '../../ops/primitives.ts';
import { reducedShape } from '../../ops/shapes.ts';
import type { ReadonlyVector, Shape, Tensor } from '../../tensor.ts';
import { sizeOf } from '../../tensor.ts';
import type { Vector } from './kernels/precision.ts';

import type { Host } from './host.ts';
import { floatsOf, floatTensor } from './host.ts';
import { transposeTensor } from './transpose.ts';

/** An array seen as `[outer, reduced, inner]`. */
export interface Extents {
  readonly outer: number;
  readonly reduced: number;
  readonly inner: number;
}

/** Three axes when the reduced ones are neighbours, else `null`. Axes of extent 1 are neither here nor there. */
export const extentsOf = (shape: Shape, axes: ReadonlyArray<number>): Extents | null => {
  if (axes.length === shape.length) return { outer: 1, reduced: sizeOf(shape), inner: 1 };
  if (axes.length === 1) {
    const [axis] = axes;
    let [outer, inner] = [1, 1];
    for (let i = 0; i < axis; i += 1) outer *= shape[i];
    for (let i = axis + 1; i < shape.length; i += 1) inner *= shape[i];
    return { outer, reduced: shape[axis], inner };
  }
  const real = axes.filter((axis) => shape[axis] !== 1);
  if (real.length === 0) return { outer: sizeOf(shape), reduced: 1, inner: 1 };
  const first = Math.min(...real);
  const last = Math.max(...real);
  const between = shape.slice(first, last + 1);
  if (between.some((extent, i) => extent !== 1 && !axes.includes(first + i))) return null;
  return { outer: sizeOf(shape.slice(0, first)), reduced: sizeOf(between), inner: sizeOf(shape.slice(last + 1)) };
};

/** The elements and their extents, with reduced axes moved to the end when they are apart. */
const gathered = (host: Host, x: Tensor, axes: ReadonlyArray<number>): Extents & { readonly data: ReadonlyVector } => {
  const extents = extentsOf(x.shape, axes);
  if (extents !== null) return { ...extents, data: floatsOf(host, x) };
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const moved = transposeTensor(host, x, [...kept, ...axes]);
  const reduced = sizeOf(axes.map((axis) => x.shape[axis]));
  return { outer: sizeOf(kept.map((axis) => x.shape[axis])), reduced, inner: 1, data: floatsOf(host, moved) };
};

const sumInto = (host: Host, data: ReadonlyVector, { outer, reduced, inner }: Extents, out: Vector): void => {
  const { rowSums, middleSums } = host.kernels;
  if (reduced === 1) out.set(data);
  else if (inner === 1) rowSums(data, 0, outer, reduced, out, 0);
  else if (reduced > 0 && out.length > 0) middleSums(data, outer, reduced, inner, out);
  else host.kernels.fill(out, 0);
};

const maxInto = (host: Host, data: ReadonlyVector, { outer, reduced, inner }: Extents, out: Vector): void => {
  if (reduced === 1) {
    out.set(data);
    return;
  }
  if (reduced === 0) host.kernels.fill(out, -Infinity);
  else if (inner === 1) host.kernels.rowMaxima(data, 0, outer, reduced, out, 0);
  else if (out.length > 0) host.kernels.middleMaxima(data, outer, reduced, inner, out);
};

/** The reducing primitives. */
export const reductions = (host: Host): Pick<Primitives<Tensor>, 'sum' | 'max'> => ({
  sum: (x, axes) => {
    const shape = reducedShape('sum', x.shape, axes);
    const { data, ...extents } = gathered(host, x, axes);
    const out = host.allocator.take(sizeOf(shape));
    sumInto(host, data, extents, out);
    return floatTensor(host, shape, out);
  },
  max: (x, axes) => {
    const shape = reducedShape('max', x.shape, axes);
    const { data, ...extents } = gathered(host, x, axes);
    const out = host.allocator.take(sizeOf(shape));
    maxInto(host, data, extents, out);
    return floatTensor(host, shape, out);
  },
});
