/**
 * What factors weigh: traces, and the cost of products.
 *
 * @module
 */
import type { Ops } from '../../ops/ops.ts';
import { axesOf } from '../../ops/shapes.ts';
import type { Shaped } from '../../tensor.ts';
import type { Factor } from './factor.ts';
import { orderOf } from './factor.ts';
import { factorTimes, refuseSolves, timesFactor } from './products.ts';

/** Cost of one product, and memory. */
export interface Cost {
  /** Floating-point operations of one product, a multiply-add counted as two. */
  readonly flops: number;
  /** Numbers held. */
  readonly numbers: number;
}

/** The cost of one after the other. */
export const plus = (x: Cost, y: Cost): Cost => ({ flops: x.flops + y.flops, numbers: x.numbers + y.numbers });

/**
 * Cost of F V, or of V F.
 *
 * @param factor - F of order n
 * @param others - columns of V `[n, others]`
 */
export const costOfFactor = <T extends Shaped>(factor: Factor<T>, others: number): Cost => {
  const n = orderOf(factor);
  switch (factor._tag) {
    case 'dense':
    case 'cholesky':
      return { flops: 2 * n * n * others, numbers: n * n };
    case 'diagonal':
      return { flops: n * others, numbers: n };
    case 'identity':
      return { flops: 0, numbers: 0 };
    case 'lowRank': {
      const [, r] = factor.U.shape;
      return plus(costOfFactor(factor.core, others), { flops: others * n * (4 * r + 2), numbers: n * r + 1 });
    }
    case 'directSum':
      return factor.parts.map((part) => costOfFactor(part, others)).reduce(plus);
  }
};

/**
 * tr F, shape `[]`.
 *
 * @param ops - interpreter
 * @param factor - F, not by its Cholesky factor
 * @example
 * ```ts
 * import { identityOperator, referenceBackend, tensor, traceOf, lowRank, diagonal } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * traceOf(ops, lowRank(tensor([1, 0], [2, 1]), diagonal(tensor([3], [1])), 0.5)).data; // => [4]
 * traceOf(ops, identityOperator(7)).data; // => [7]
 * ```
 */
export const traceOf = <T extends Shaped>(ops: Ops<T>, factor: Factor<T>): T => {
  switch (factor._tag) {
    case 'dense':
      return ops.trace(factor.matrix);
    case 'diagonal':
      return ops.sum(factor.values, axesOf(factor.values.shape));
    case 'identity':
      return ops.full([], factor.order);
    case 'lowRank':
      return ops.add(
        ops.dot(factor.U, timesFactor(ops, factor.U, factor.core)),
        ops.full([], factor.shift * orderOf(factor)),
      );
    case 'cholesky':
      return refuseSolves();
    case 'directSum':
      return factor.parts.map((part) => traceOf(ops, part)).reduce((x, y) => ops.add(x, y));
  }
};

/**
 * The matrix of a factor, which its products never need: for small factors and tests.
 *
 * @param ops - interpreter
 * @param factor - F of order n, not by its Cholesky factor
 * @returns `[n, n]`
 * @example
 * ```ts
 * import { diagonal, matrixOf, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * matrixOf(ops, diagonal(tensor([2, 3], [2]))).data; // => [2, 0, 0, 3]
 * ```
 */
export const matrixOf = <T extends Shaped>(ops: Ops<T>, factor: Factor<T>): T => {
  const n = orderOf(factor);
  switch (factor._tag) {
    case 'dense':
      return factor.matrix;
    case 'lowRank': {
      const { U, core, shift } = factor;
      return ops.addDiagonal(ops.matmul(timesFactor(ops, U, core), U, { transposeB: true }), shift);
    }
    default:
      return factorTimes(ops, factor, ops.addDiagonal(ops.full([n, n], 0), 1));
  }
};
