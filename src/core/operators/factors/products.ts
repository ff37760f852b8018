/**
 * Products with factors, from the left and from the right.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import type { Ops } from '../../ops/ops.ts';
import type { Shaped } from '../../tensor.ts';
import type { Factor, LowRank } from './factor.ts';
import { orderOf } from './factor.ts';
import { mapColumns, mapRows } from './parts.ts';

/** (shift I + U core Uᵀ) V, or its transpose's. */
const lowRankTimes = <T extends Shaped>(ops: Ops<T>, factor: LowRank<T>, v: T, transposed: boolean): T => {
  const { U, core, shift } = factor;
  const inner = factorTimes(ops, core, ops.matmul(U, v, { transposeA: true }), transposed);
  return ops.linearCombination(shift, v, 1, ops.matmul(U, inner));
};

/** Refuses Cholesky factors, which act by triangular solves: operations alone do not offer those. */
export const refuseSolves = (): never =>
  raise({
    _tag: 'BadConfig',
    path: 'operator',
    expected: 'an operator that acts by products alone',
    actual: 'Cholesky factors, which act by triangular solves: apply them on a backend, with applyOn',
  });

/**
 * F V, or Fᵀ V.
 *
 * @param ops - interpreter
 * @param factor - F of order n
 * @param v - V `[n, columns]`
 * @param transposed - whether Fᵀ acts
 */
export const factorTimes = <T extends Shaped>(ops: Ops<T>, factor: Factor<T>, v: T, transposed = false): T => {
  switch (factor._tag) {
    case 'dense':
      return ops.matmul(factor.matrix, v, { transposeA: transposed });
    case 'diagonal':
      return ops.mul(ops.reshape(factor.values, [orderOf(factor), 1]), v);
    case 'identity':
      return v;
    case 'lowRank':
      return lowRankTimes(ops, factor, v, transposed);
    case 'cholesky':
      return refuseSolves();
    case 'directSum':
      return mapRows(ops, factor.parts.map(orderOf), v, (part, i) =>
        factorTimes(ops, factor.parts[i], part, transposed),
      );
  }
};

/**
 * V F, or V Fᵀ.
 *
 * @param ops - interpreter
 * @param v - V `[rows, n]`
 * @param factor - F of order n
 * @param transposed - whether Fᵀ acts
 */
export const timesFactor = <T extends Shaped>(ops: Ops<T>, v: T, factor: Factor<T>, transposed = false): T => {
  switch (factor._tag) {
    case 'dense':
      return ops.matmul(v, factor.matrix, { transposeB: transposed });
    case 'diagonal':
      return ops.mul(v, factor.values);
    case 'identity':
      return v;
    case 'lowRank':
      return ops.transposed(lowRankTimes(ops, factor, ops.transposed(v), !transposed));
    case 'cholesky':
      return refuseSolves();
    case 'directSum':
      return mapColumns(ops, factor.parts.map(orderOf), v, (part, i) =>
        timesFactor(ops, part, factor.parts[i], transposed),
      );
  }
};
