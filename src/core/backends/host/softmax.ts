/**
 * Softmax and its logarithms over the last axis.
 *
 * From the exponentials of x − m for the maximum m. One of them is 1; the others are summed without it, because log Σ is
 * as small as they are where m is far above the rest.
 *
 * @module
 */
import type { Derived } from '../../ops/ops.ts';
import { reducedShape } from '../../ops/shapes.ts';
import type { ReadonlyVector, Shape, Tensor } from '../../tensor.ts';
import { sizeOf } from '../../tensor.ts';
import type { Host } from './host.ts';
import { floatsOf, floatTensor } from './host.ts';
import type { Vector } from './kernels/precision.ts';

/** Rows from this length on have calls of their own; the exponentials of shorter ones are taken all at once. */
const longRow = 256;

/** Position of the first maximum of a row that is not empty; that of the first NaN where there is one. */
const positionOfMaximum = (x: ReadonlyVector, begin: number, end: number): number => {
  let at = begin;
  let top = x[at];
  for (let i = begin + 1; i < end && top === top; i += 1) {
    // Not `x[i] > top`, which holds for no NaN.
    if (!(x[i] <= top)) {
      top = x[i];
      at = i;
    }
  }
  return at;
};

/** The rows of an array with their exponentials. */
interface Rows {
  /** Without the last axis. */
  readonly shape: Shape;
  readonly columns: number;
  readonly x: ReadonlyVector;
  /** The maximum m of each row; 0 for −∞, which cannot be subtracted from itself. */
  readonly tops: Float64Array;
  /** e^(x − m). */
  readonly exponentials: Vector;
  /** Of each row, the exponential at the first maximum: 1, or 0 where all elements are −∞. */
  readonly firsts: Float64Array;
  /** The sum of all others. */
  readonly others: Float64Array;
}

const rowsOf = (host: Host, where: string, tensor: Tensor): Rows => {
  const { allocator, kernels } = host;
  const shape = reducedShape(where, tensor.shape, [tensor.shape.length - 1]);
  const columns = tensor.shape[tensor.shape.length - 1];
  const x = floatsOf(host, tensor);
  const n = columns === 0 ? 0 : sizeOf(shape);
  const maxima = new Int32Array(n);
  const tops = new Float64Array(sizeOf(shape));
  const exponentials = allocator.take(n * columns);
  for (let row = 0; row < n; row += 1) {
    const begin = row * columns;
    maxima[row] = positionOfMaximum(x, begin, begin + columns);
    const top = x[maxima[row]];
    tops[row] = top === -Infinity ? 0 : top;
    if (columns < longRow) exponentials.fill(tops[row], begin, begin + columns);
    else kernels.expOfDifference.right(x, begin, tops[row], exponentials, begin, columns);
  }
  if (columns < longRow) {
    kernels.expOfDifference.both(x, 0, exponentials, 0, exponentials, 0, n * columns);
  }
  const firsts = new Float64Array(tops.length);
  const others = new Float64Array(tops.length);
  for (let row = 0; row < n; row += 1) {
    const at = maxima[row];
    firsts[row] = exponentials[at];
    exponentials[at] = 0;
    others[row] = kernels.sum(exponentials, row * columns, columns);
    exponentials[at] = firsts[row];
  }
  return { shape, columns, x, tops, exponentials, firsts, others };
};

/** log (1 + u) where the first exponential is 1, else that of 0 or of NaN. */
const logarithm = (first: number, others: number): number =>
  first === 1 ? Math.log1p(others) : Math.log(first + others);

/** The derived operations over the last axis. */
export const softmaxes = (host: Host): Pick<Derived<Tensor>, 'logSumExp' | 'softmax' | 'logSoftmax'> => ({
  logSumExp: (tensor) => {
    const { shape, tops, firsts, others } = rowsOf(host, 'logSumExp', tensor);
    const out = host.allocator.take(tops.length);
    for (let row = 0; row < tops.length; row += 1) out[row] = tops[row] + logarithm(firsts[row], others[row]);
    return floatTensor(host, shape, out);
  },
  softmax: (tensor) => {
    const { columns, exponentials: out, firsts, others } = rowsOf(host, 'softmax', tensor);
    const { right: multiply } = host.kernels.binary.mul;
    for (let row = 0; row < firsts.length; row += 1) {
      const total = firsts[row] + others[row];
      // Nothing is to be divided where there is nothing.
      if (total !== 0) multiply(out, row * columns, 1 / total, out, row * columns, columns);
    }
    return floatTensor(host, tensor.shape, out);
  },
  logSoftmax: (tensor) => {
    const { columns, x, tops, exponentials: out, firsts, others } = rowsOf(host, 'logSoftmax', tensor);
    for (let row = 0; row < firsts.length; row += 1) {
      const logSum = logarithm(firsts[row], others[row]);
      const share = logSum === -Infinity ? 0 : logSum;
      const top = tops[row];
      const end = (row + 1) * columns;
      for (let i = row * columns; i < end; i += 1) out[i] = x[i] - top - share;
    }
    return floatTensor(host, tensor.shape, out);
  },
});
