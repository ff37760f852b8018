/**
 * Softmax and its logarithms over the last axis.
 *
 * @module
 */
import type { Derived } from '../../ops/ops.ts';
import { reducedShape } from '../../ops/shapes.ts';
import type { ReadonlyVector, Shape, Tensor } from '../../tensor.ts';
import { sizeOf } from '../../tensor.ts';
import type { Vector } from './kernels/precision.ts';

import type { Host } from './host.ts';
import { floatsOf, floatTensor } from './host.ts';

/** Maximum of each row, 0 where all elements are −∞. */
const rowMaxima = (x: ReadonlyVector, columns: number, out: Vector): void => {
  for (let row = 0; row < out.length; row += 1) {
    let top = -Infinity;
    for (let i = row * columns; i < (row + 1) * columns; i += 1) top = Math.max(top, x[i]);
    // From −∞, −∞ cannot be subtracted.
    out[row] = top === -Infinity ? 0 : top;
  }
};

/** x − m, e^(x − m), the maximum m (0 for −∞), and log Σ e^(x − m), for each row. */
interface Parts {
  readonly shape: Shape;
  readonly columns: number;
  readonly shifted: Vector;
  readonly exponentials: Vector;
  readonly tops: Vector;
  readonly sums: Vector;
}

const partsOf = (host: Host, where: string, x: Tensor): Parts => {
  const { allocator, kernels } = host;
  const shape = reducedShape(where, x.shape, [x.shape.length - 1]);
  const columns = x.shape[x.shape.length - 1];
  const rows = sizeOf(shape);
  const data = floatsOf(host, x);
  const shifted = allocator.take(rows * columns);
  const exponentials = allocator.take(rows * columns);
  const tops = allocator.take(rows);
  const sums = allocator.take(rows);
  rowMaxima(data, columns, tops);
  for (let row = 0; row < rows; row += 1) {
    kernels.binary.sub.right(data, row * columns, tops[row], shifted, row * columns, columns);
  }
  kernels.unary.exp(shifted, exponentials);
  for (let row = 0; row < rows; row += 1) sums[row] = Math.log(kernels.sum(exponentials, row * columns, columns));
  return { shape, columns, shifted, exponentials, tops, sums };
};

/** What is divided by, as a logarithm: nothing where the sum is 0. */
const divisor = (logSum: number): number => (logSum === -Infinity ? 0 : logSum);

/** The derived operations over the last axis. */
export const softmaxes = (host: Host): Pick<Derived<Tensor>, 'logSumExp' | 'softmax' | 'logSoftmax'> => {
  const { mul, sub } = host.kernels.binary;
  return {
    logSumExp: (x) => {
      const { shape, tops, sums } = partsOf(host, 'logSumExp', x);
      for (let row = 0; row < sums.length; row += 1) sums[row] += tops[row];
      return floatTensor(host, shape, sums);
    },
    softmax: (x) => {
      const { columns, exponentials: out, sums } = partsOf(host, 'softmax', x);
      for (let row = 0; row < sums.length; row += 1) {
        mul.right(out, row * columns, Math.exp(-divisor(sums[row])), out, row * columns, columns);
      }
      return floatTensor(host, x.shape, out);
    },
    logSoftmax: (x) => {
      const { columns, shifted: out, sums } = partsOf(host, 'logSoftmax', x);
      for (let row = 0; row < sums.length; row += 1) {
        sub.right(out, row * columns, divisor(sums[row]), out, row * columns, columns);
      }
      return floatTensor(host, x.shape, out);
    },
  };
};
