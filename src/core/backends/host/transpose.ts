/**
 * Transposing: whole runs where they survive, blocks where rows become columns, elements otherwise.
 *
 * @module
 */
import { transposedShape } from '../../ops/shapes.ts';
import type { ReadonlyVector, Tensor } from '../../tensor.ts';

import type { Host } from './host.ts';
import { movable, room } from './host.ts';
import type { Kernels } from './kernels/kernels.ts';
import type { Buffer } from './kernels/precision.ts';
import type { Walk } from './strides.ts';
import { denseStrides, forEachBlock, mergeAxes } from './strides.ts';

/** Elements of a row from which it is worth vectors. */
const worthVectors = 4;

/**
 * Copies a box between arrays in which it begins somewhere and has strides of its own.
 *
 * @param kernels - copies rows
 * @param walk - merged axes of the box in both arrays
 * @param x - where from
 * @param from - position of its first element there
 * @param out - where to
 * @param to - position of its first element there
 */
export const copyBox = (
  { copyBlocks, copyRows }: Pick<Kernels, 'copyBlocks' | 'copyRows'>,
  walk: Walk,
  x: ReadonlyVector,
  from: number,
  out: Buffer,
  to: number,
): void =>
  forEachBlock(walk, (at, steps, position, stepsTo, counts, n) => {
    if (n >= worthVectors) {
      copyBlocks(x, from + at, steps, out, to + position, stepsTo, counts, n);
      return;
    }
    for (let i = 0; i < counts[0]; i += 1) {
      for (let j = 0; j < counts[1]; j += 1) {
        const first = from + at + i * steps[0] + j * steps[1];
        const target = to + position + i * stepsTo[0] + j * stepsTo[1];
        copyRows(x, first, steps[2], out, target, stepsTo[2], counts[2], n);
      }
    }
  });

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
  copyBox(host.kernels, to, source.data, 0, out, 0);
  return { ...source, shape, data: out };
};
