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

/** The rows of an array with their exponentials. */
interface Rows {
  /** Without the last axis. */
  readonly shape: Shape;
  readonly columns: number;
  readonly x: ReadonlyVector;
  /** The maximum m of each row; 0 for −∞, which cannot be subtracted from itself. */
  readonly tops: Vector;
  /** e^(x − m). */
  readonly exponentials: Vector;
  /** Of each row, an exponential of a maximum: 1, or 0 where all elements are −∞. */
  readonly firsts: Float64Array;
  /** The sum of all others. */
  readonly others: Float64Array;
}

const rowsOf = (host: Host, where: string, tensor: Tensor): Rows => {
  const { allocator, kernels } = host;
  const shape = reducedShape(where, tensor.shape, [tensor.shape.length - 1]);
  const columns = tensor.shape[tensor.shape.length - 1];
  const x = floatsOf(host, tensor);
  const tops = allocator.zeros(sizeOf(shape));
  if (columns > 0) kernels.rowMaxima(x, 0, tops.length, columns, tops, 0);
  for (let row = 0; row < tops.length; row += 1) if (tops[row] === -Infinity) tops[row] = 0;
  const exponentials = allocator.take(tops.length * columns);
  return { shape, columns, x, tops, exponentials, ...kernels.rowExponentials(x, tops, columns, exponentials) };
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
    const shares = host.allocator.take(firsts.length);
    for (let row = 0; row < firsts.length; row += 1) {
      const total = firsts[row] + others[row];
      shares[row] = total === 0 ? 1 : 1 / total; // nothing is to be divided where there is nothing
    }
    if (out.length > 0)
      host.kernels.binary.mul.rowsRight(out, 0, columns, shares, 0, 1, out, 0, firsts.length, columns);
    return floatTensor(host, tensor.shape, out);
  },
  logSoftmax: (tensor) => {
    const { columns, x, tops, exponentials: out, firsts, others } = rowsOf(host, 'logSoftmax', tensor);
    const { rowsRight: subtract } = host.kernels.binary.sub;
    const shares = host.allocator.take(firsts.length);
    for (let row = 0; row < firsts.length; row += 1) {
      const logSum = logarithm(firsts[row], others[row]);
      shares[row] = logSum === -Infinity ? 0 : logSum;
    }
    if (out.length === 0) return floatTensor(host, tensor.shape, out);
    subtract(x, 0, columns, tops, 0, 1, out, 0, firsts.length, columns);
    subtract(out, 0, columns, shares, 0, 1, out, 0, firsts.length, columns);
    return floatTensor(host, tensor.shape, out);
  },
});
