/**
 * What operators cost: floating-point operations of one product, and numbers held.
 *
 * @module
 */
import type { Shape, Shaped } from '../tensor.ts';
import { sizeOf } from '../tensor.ts';
import type { BlockOperator } from './linearOperator.ts';

/** Cost of one product, and memory. */
export interface Cost {
  /** Floating-point operations of one product, a multiply-add counted as two. */
  readonly flops: number;
  /** Numbers held by the operator. */
  readonly numbers: number;
}

/**
 * Cost of applying an operator to one array.
 *
 * @param op - operator
 * @param shape - shape of the array
 */
export const costOf = <T extends Shaped>(op: BlockOperator<T>, shape: Shape): Cost => {
  const n = sizeOf(shape);
  switch (op._tag) {
    case 'kronecker': {
      const [out, inputs] = [op.G.shape[0], op.A.shape[0]];
      return { flops: 2 * n * (out + inputs), numbers: out * out + inputs * inputs };
    }
    case 'diagonal':
      return { flops: n, numbers: n };
    case 'dense':
      return { flops: 2 * n * n, numbers: n * n };
    case 'damped': {
      const inner = costOf(op.operator, shape);
      return { flops: inner.flops + 2 * n, numbers: inner.numbers };
    }
  }
};
