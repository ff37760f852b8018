/**
 * Multiples of factors.
 *
 * @module
 */
import type { Ops } from '../../ops/ops.ts';
import type { Shaped } from '../../tensor.ts';
import type { Factor } from './factor.ts';
import { cholesky, dense, diagonal, directSum, lowRank } from './factor.ts';

/**
 * c F, of the same kind but for the identity.
 *
 * @param ops - interpreter
 * @param c - above 0
 * @param factor - F
 */
export const scaledFactor = <T extends Shaped>(ops: Ops<T>, c: number, factor: Factor<T>): Factor<T> => {
  switch (factor._tag) {
    case 'dense':
      return dense(ops.scale(c, factor.matrix));
    case 'diagonal':
      return diagonal(ops.scale(c, factor.values));
    case 'identity':
      return diagonal(ops.full([factor.order], c));
    case 'lowRank':
      return lowRank(factor.U, scaledFactor(ops, c, factor.core), c * factor.shift);
    case 'cholesky':
      return cholesky(ops.scale(1 / Math.sqrt(c), factor.L));
    case 'directSum':
      return directSum(factor.parts.map((part) => scaledFactor(ops, c, part)));
  }
};
