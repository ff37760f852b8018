/**
 * Transposing: whole runs where they survive, blocks where rows become columns, elements otherwise.
 *
 * @module
 */
import { transposedShape } from '../../ops/shapes.ts';
import type { ReadonlyVector, Tensor } from '../../tensor.ts';

import type { Host } from './host.ts';
import { movable, room } from './host.ts';
import type { Buffer } from './kernels/precision.ts';
import { denseStrides, forEachRows, mergeAxes } from './strides.ts';

const stridedRun = (
  data: ReadonlyVector,
  from: number,
  step: number,
  out: Buffer,
  to: number,
  stepTo: number,
  n: number,
): void => {
  for (let i = 0; i < n; i += 1) out[to + i * stepTo] = data[from + i * step];
};

/**
 * Axis `i` of the result is axis `permutation[i]` of x. Shares the elements when none moves.
 *
 * @param host - the interpreter
 * @param x - floats or integers
 * @param permutation - of the axes of x
 */
export const transposeTensor = (host: Host, x: Tensor, permutation: ReadonlyArray<number>): Tensor => {
  const shape = transposedShape(x.shape, permutation);
  const source = movable(host, x);
  const dense = denseStrides(x.shape);
  const walk = mergeAxes(shape, [permutation.map((axis) => dense[axis])]);
  const { extents } = walk;
  const [strides] = walk.strides;
  const last = extents.length - 1;
  const n = extents[last];
  const step = strides[last];
  if (last === 0 && step === 1) return { ...source, shape };
  const out = room(host, source.dtype, source.data.length);
  if (out.length === 0) return { ...source, shape };
  const rowsToColumns = last > 0 && strides[last - 1] === 1 && step === extents[last - 1];
  if (rowsToColumns && (last === 1 || (last === 2 && strides[0] === n * step))) {
    const size = n * step;
    for (let at = 0; at < out.length; at += size) host.kernels.transpose(source.data, at, n, step, out, at);
    return { ...source, shape, data: out };
  }
  const to = mergeAxes(shape, [permutation.map((axis) => dense[axis]), denseStrides(shape)]);
  forEachRows(to, (at, position, stepFrom, stepTo, rows, length) => {
    if (length > 1) host.kernels.copyRows(source.data, at, stepFrom, out, position, stepTo, rows, length);
    else stridedRun(source.data, at, stepFrom, out, position, stepTo, rows);
  });
  return { ...source, shape, data: out };
};
