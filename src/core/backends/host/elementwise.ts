/**
 * Elementwise operations with broadcasting, on kernels that know nothing of shapes.
 *
 * @module
 */
import type { Primitives } from '../../ops/primitives.ts';
import { broadcastShape } from '../../ops/shapes.ts';
import type { ReadonlyVector, Shape, Tensor } from '../../tensor.ts';
import { sameShape, sizeOf } from '../../tensor.ts';
import type { Vector } from './kernels/precision.ts';

import type { Host } from './host.ts';
import { floatsOf, floatTensor } from './host.ts';
import type { BinaryKernel, Kernels, RowsOf } from './kernels/kernels.ts';
import { plainKernels } from './kernels/plain.ts';
import { broadcastStrides, forEachRun, mergeAxes } from './strides.ts';

/**
 * Matrices with rows or columns, without looking for axes to merge, which takes longer than short rows do.
 *
 * @returns whether the shapes were such
 */
const matrixBinary = (
  kernel: BinaryKernel,
  a: ReadonlyVector,
  shapeA: Shape,
  b: ReadonlyVector,
  shapeB: Shape,
  out: Vector,
  shape: Shape,
): boolean => {
  const [rows, n] = shape;
  if (shape.length !== 2 || rows < 2 || n < 2 || shapeA.length === 0 || shapeB.length === 0) return false;
  const widthA = shapeA[shapeA.length - 1];
  const widthB = shapeB[shapeB.length - 1];
  const stepA = a.length > widthA ? widthA : 0;
  const stepB = b.length > widthB ? widthB : 0;
  if (widthA === widthB) kernel.rows(a, 0, stepA, b, 0, stepB, out, 0, rows, n);
  else if (widthA > widthB) kernel.rowsRight(a, 0, stepA, b, 0, stepB, out, 0, rows, n);
  else kernel.rowsLeft(b, 0, stepB, a, 0, stepA, out, 0, rows, n);
  return true;
};

/** The general case: rows along the last axis, in each of which an operand varies or is one number. */
const broadcastBinary = (
  kernel: BinaryKernel,
  a: ReadonlyVector,
  shapeA: Shape,
  b: ReadonlyVector,
  shapeB: Shape,
  out: Vector,
  shape: Shape,
): void => {
  const walk = mergeAxes(shape, [broadcastStrides(shapeA, shape), broadcastStrides(shapeB, shape)]);
  const last = walk.extents.length - 1;
  const n = walk.extents[last];
  const rows = last > 0 ? walk.extents[last - 1] : 1;
  const [stepA, stepB] = walk.strides.map((strides) => (last > 0 ? strides[last - 1] : 0));
  const [variesA, variesB] = walk.strides.map((strides) => strides[last] !== 0);
  let to = 0;
  forEachRun(walk, last > 0 ? 2 : 1, ([atA, atB]) => {
    if (variesA && variesB) kernel.rows(a, atA, stepA, b, atB, stepB, out, to, rows, n);
    else if (variesA) kernel.rowsRight(a, atA, stepA, b, atB, stepB, out, to, rows, n);
    else kernel.rowsLeft(b, atB, stepB, a, atA, stepA, out, to, rows, n);
    to += rows * n;
  });
};

/** An operand that is as long as the result, or one number. */
const wholeOrNumber = (data: ReadonlyVector, n: number): RowsOf | null =>
  data.length === n || data.length === 1 ? { data, at: 0, step: 0, varies: data.length === n } : null;

/** Three operands along rows of their common shape, and how many rows of which length there are. */
const selectInto = (
  { select }: Kernels,
  operands: ReadonlyArray<readonly [ReadonlyVector, Shape]>,
  shape: Shape,
  out: Vector,
): void => {
  const [c, a, b] = operands.map(([data]) => wholeOrNumber(data, out.length));
  if (c !== null && a !== null && b !== null) {
    if (out.length > 0) select(c, a, b, out, 0, 1, out.length);
    return;
  }
  const walk = mergeAxes(
    shape,
    operands.map(([, own]) => broadcastStrides(own, shape)),
  );
  const last = walk.extents.length - 1;
  const n = walk.extents[last];
  const rows = last > 0 ? walk.extents[last - 1] : 1;
  const rowsAt = (i: number, at: number): RowsOf => ({
    data: operands[i][0],
    at,
    step: last > 0 ? walk.strides[i][last - 1] : 0,
    varies: walk.strides[i][last] !== 0,
  });
  let to = 0;
  forEachRun(walk, last > 0 ? 2 : 1, ([atC, atA, atB]) => {
    select(rowsAt(0, atC), rowsAt(1, atA), rowsAt(2, atB), out, to, rows, n);
    to += rows * n;
  });
};

/** The elementwise primitives. */
export const elementwise = (host: Host): Pick<Primitives<Tensor>, 'unary' | 'binary' | 'select'> => ({
  unary: (kind, x) => {
    const out = host.allocator.take(x.data.length);
    host.kernels.unary[kind](floatsOf(host, x), out);
    return floatTensor(host, x.shape, out);
  },
  binary: (kind, a, b) => {
    const shape = sameShape(a.shape, b.shape) ? a.shape : broadcastShape(kind, a.shape, b.shape);
    // Two arrays of integers are not rounded first, so that large ones compare right.
    const exact = a.dtype === 'i32' && b.dtype === 'i32';
    const kernel = exact ? plainKernels.binary[kind] : host.kernels.binary[kind];
    const left = exact ? a.data : floatsOf(host, a);
    const right = exact ? b.data : floatsOf(host, b);
    const n = shape === a.shape ? left.length : sizeOf(shape);
    const out = host.allocator.take(n);
    if (n === left.length && n === right.length) kernel.both(left, 0, right, 0, out, 0, n);
    else if (n === left.length && right.length === 1) kernel.right(left, 0, right[0], out, 0, n);
    else if (n === right.length && left.length === 1) kernel.left(right, 0, left[0], out, 0, n);
    else if (!matrixBinary(kernel, left, a.shape, right, b.shape, out, shape))
      broadcastBinary(kernel, left, a.shape, right, b.shape, out, shape);
    return floatTensor(host, shape, out);
  },
  select: (condition, a, b) => {
    const shape = broadcastShape('select', condition.shape, broadcastShape('select', a.shape, b.shape));
    const out = host.allocator.take(sizeOf(shape));
    const operands = [
      [condition.data, condition.shape],
      [floatsOf(host, a), a.shape],
      [floatsOf(host, b), b.shape],
    ] as const;
    selectInto(host.kernels, operands, shape, out);
    return floatTensor(host, shape, out);
  },
});
