/**
 * Copies between layouts of a rank's own memory: runs of a vector, symmetric matrices as one triangle.
 *
 * @module
 */
import type { Kernels } from '../../backends/host/kernels/kernels.ts';
import { plainKernels } from '../../backends/host/kernels/plain.ts';
import type { Buffer, Vector } from '../../backends/host/kernels/precision.ts';
import { singleKernels } from '../../backends/host/simd/kernels.ts';
import type { DType, ReadonlyVector, Shape, Tensor } from '../../tensor.ts';
import { allocate, sizeOf } from '../../tensor.ts';

/** The memory of an array that was made to be written to. */
const memoryOf = ({ data }: Tensor): Vector => data as Vector;

/** A part of a vector, sharing its memory. */
export const viewOf = ({ dtype, data }: Tensor, begin: number, length: number): Buffer => {
  const at = data.byteOffset + begin * data.BYTES_PER_ELEMENT;
  if (dtype === 'i32') return new Int32Array(data.buffer, at, length);
  return dtype === 'f32' ? new Float32Array(data.buffer, at, length) : new Float64Array(data.buffer, at, length);
};

/** Elements of a tensor from a position on, in a shape of their own, sharing its memory. */
export const runOf = (x: Tensor, begin: number, shape: Shape): Tensor => ({
  shape,
  dtype: x.dtype,
  data: viewOf(x, begin, sizeOf(shape)),
});

/** x + y, written over x. */
export const addTo = (x: Tensor, y: Tensor): void => {
  const to = memoryOf(x);
  kernelsFor(to).binary.add.both(to, 0, y.data, 0, to, 0, to.length);
};

/**
 * Rows of a triangle that are copied together, as long as the longest of them: of large matrices several, which takes a fifth of the time
 * and a thirtieth more room.
 */
const rowsTogether = (order: number): number => (order < 256 ? 1 : 32);

/** Strips of a triangle: where each begins, its rows, and how long they are. */
const stripsOf = (order: number): ReadonlyArray<readonly [begin: number, rows: number, length: number]> => {
  const most = rowsTogether(order);
  return Array.from({ length: Math.ceil(order / most) }, (_, i) => {
    const rows = Math.min(most, order - i * most);
    return [i * most, rows, i * most + rows] as const;
  });
};

/** Elements that a triangle is sent in, its diagonal among them. */
export const triangleSize = (order: number): number =>
  stripsOf(order).reduce((sum, [, rows, length]) => sum + rows * length, 0);

const kernelsFor = (data: Vector): Pick<Kernels, 'binary' | 'copyRows' | 'mirrorLower'> =>
  data instanceof Float32Array ? singleKernels() : plainKernels;

/** The lower triangle of a square matrix, strip by strip, written to `out`. */
export const packedTriangle = (order: number, matrix: Tensor, out: Tensor): Tensor => {
  const to = memoryOf(out);
  const { copyRows } = kernelsFor(to);
  let at = 0;
  for (const [begin, rows, length] of stripsOf(order)) {
    copyRows(matrix.data, begin * order, order, to, at, length, rows, length);
    at += rows * length;
  }
  return out;
};

/** A matrix of which a triangle was packed: what is above the diagonal is of no account. */
const unpacked = (order: number, triangle: Tensor, out: Tensor): Vector => {
  const to = memoryOf(out);
  const { copyRows } = kernelsFor(to);
  let at = 0;
  for (const [begin, rows, length] of stripsOf(order)) {
    copyRows(triangle.data, at, length, to, begin * order, order, rows, length);
    at += rows * length;
  }
  return to;
};

/** The lower-triangular matrix of a triangle, written to `out`, which is zero above the diagonal, as what was packed is. */
export const unpackedLower = (order: number, triangle: Tensor, out: Tensor): Tensor => {
  unpacked(order, triangle, out);
  return out;
};

/** The symmetric matrix of a triangle, written to `out`. */
export const unpackedTriangle = (order: number, triangle: Tensor, out: Tensor): Tensor => {
  const matrix = unpacked(order, triangle, out);
  kernelsFor(matrix).mirrorLower(order, matrix, order);
  return out;
};

/** The elements of an array, written to another of as many. */
export const copied = (from: Tensor, to: Tensor): Tensor => {
  memoryOf(to).set(from.data);
  return to;
};

/** Whether a square matrix is symmetric, bit for bit. */
export const isSymmetric = ({ shape, data }: Tensor): boolean => {
  const [order] = shape;
  for (let row = 1; row < order; row += 1) {
    for (let column = 0; column < row; column += 1) {
      if (data[row * order + column] !== data[column * order + row]) return false;
    }
  }
  return true;
};

/** The parts of an array that a rank has, one after another; what is one part is not copied. */
export const joinedRuns = (dtype: DType, parts: ReadonlyArray<Tensor | null>): ReadonlyVector => {
  const present = parts.filter((part) => part !== null);
  if (present.length === 1) return present[0].data;
  const flat = allocate(
    dtype,
    present.reduce((length, { shape }) => length + sizeOf(shape), 0),
  );
  let at = 0;
  for (const { data, shape } of present) {
    flat.set(data, at);
    at += sizeOf(shape);
  }
  return flat;
};
