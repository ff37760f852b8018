/**
 * Diagonal curvature: E[V_n²] of per-example gradients, exactly, for the price of one product.
 *
 * @module
 */
import { diagonal as diagonalOperator } from '../core/operators/linearOperator.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { SiteCapture } from '../core/pipeline/context.ts';
import type { Shaped } from '../core/tensor.ts';
import type { Curvature } from './curvature.ts';
import { blockwise } from './curvature.ts';
import type { KfacOptions } from './kfac.ts';
import { homogeneous } from './statistics/dense.ts';
import { statisticsBy } from './statistics/site.ts';
import type { Statistics } from './statistics/statistics.ts';

/**
 * Σ_n V_n² = Σ_n g_n² (ā_n²)ᵀ of one capture, as the product (g²)ᵀ ā².
 *
 * @param ops - interpreter
 * @param capture - inputs `[n, in]`, cotangents `[n, out]` per pass
 * @returns the sum `second` `[out, in + 1]`, of weight n
 */
export const diagonalStatistics = <T extends Shaped>(ops: Ops<T>, capture: SiteCapture<T>): Statistics<T> => {
  const squaredInput = ops.square(homogeneous(ops, capture));
  const second = capture.cotangents
    .map((g) => ops.matmul(ops.square(g), squaredInput, { transposeA: true }))
    .reduce((x, y) => ops.add(x, y));
  return { sums: { second }, weight: capture.input.shape[0] };
};

/**
 * The diagonal of the Fisher.
 *
 * @param options - decay and strictness
 */
export const diagonal = (options: KfacOptions = {}): Curvature => ({
  name: 'diagonal',
  decay: options.decay ?? 0.95,
  strict: options.strict ?? false,
  statistics: (ops, captured) => statisticsBy(ops, captured, (capture) => diagonalStatistics(ops, capture)),
  operator: (_, blocks, averages) => blockwise(blocks, averages, (_block, { second }) => diagonalOperator(second)),
  describe: () => 'diagonal',
});
