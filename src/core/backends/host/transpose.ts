/**
 * Transposing: whole runs where they survive, blocks where rows become columns, elements otherwise.
 *
 * @module
 */
import { transposedShape } from '../../ops/shapes.ts';
import type { ReadonlyVector, Tensor } from '../../tensor.ts';
import { transposeInto } from './layout.ts';

import type { Buffer, Host } from './host.ts';
import { copyRun, movable, room, viewOf } from './host.ts';
import { denseStrides, forEachRun, mergeAxes } from './strides.ts';

const stridedRun = (data: ReadonlyVector, from: number, step: number, out: Buffer, to: number, n: number): void => {
  for (let i = 0; i < n; i += 1) out[to + i] = data[from + i * step];
};

/** The transposes of matrices `[rows, columns]` that lie one after another. */
const transposeMatrices = (x: Tensor, rows: number, columns: number, out: Buffer): void => {
  const size = rows * columns;
  if (out instanceof Int32Array) {
    for (let at = 0; at < out.length; at += size) {
      for (let c = 0; c < columns; c += 1) stridedRun(x.data, at + c, columns, out, at + c * rows, rows);
    }
    return;
  }
  for (let at = 0; at < out.length; at += size) {
    transposeInto(rows, columns, viewOf(x, at, size), out.subarray(at, at + size));
  }
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
    transposeMatrices(source, n, step, out);
    return { ...source, shape, data: out };
  }
  let to = 0;
  forEachRun(walk, 1, ([from]) => {
    if (step === 1) copyRun(source, from, out, to, n);
    else stridedRun(source.data, from, step, out, to, n);
    to += n;
  });
  return { ...source, shape, data: out };
};
