/**
 * Diagonal curvature: E[V_n²] of per-example gradients, exactly.
 *
 * A dense site with one position has it for the price of one product, an embedding and a gain for less. Where a dense site
 * meets an example at several positions, the sum over these comes before the square, and per-example gradients are formed,
 * n times the memory of the parameter.
 *
 * @module
 */
import { diagonal as diagonalOperator } from '../core/operators/factors/factor.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { SiteCapture } from '../core/pipeline/context.ts';
import type { Shaped } from '../core/tensor.ts';
import type { Curvature } from './curvature.ts';
import { blockwise } from './curvature.ts';
import type { KfacOptions } from './kfac.ts';
import { siteBlock } from './sites/kinds.ts';
import { statisticsBy } from './sites/statistics.ts';
import type { Statistics } from './statistics/statistics.ts';

/**
 * Σ_n V_n² of one capture; for one position Σ_n g_n² (ā_n²)ᵀ as the product (g²)ᵀ ā².
 *
 * @param ops - interpreter
 * @param capture - what the site saw
 * @returns the sum `second` in the shape of the block, `[out, in + 1]` for a dense site, of weight n
 */
export const diagonalStatistics = <T extends Shaped>(ops: Ops<T>, capture: SiteCapture<T>): Statistics<T> => ({
  sums: { second: siteBlock(capture.site).squares(ops, capture) },
  weight: capture.input.shape[0],
});

/**
 * The diagonal of the Fisher.
 *
 * @param options - decay and strictness
 * @example
 * ```ts
 * import { diagonal, updateFactors } from 'kfac-ts/curvature';
 *
 * const average = updateFactors(diagonal({ decay: 0.99 }));
 * ```
 */
export const diagonal = (options: KfacOptions = {}): Curvature => ({
  name: 'diagonal',
  decay: options.decay ?? 0.95,
  strict: options.strict ?? false,
  statistics: (ops, captured) => statisticsBy(ops, captured, (capture, on) => diagonalStatistics(on, capture)),
  operator: (_, blocks, averages) => blockwise(blocks, averages, (_block, { second }) => diagonalOperator(second)),
  describe: () => 'diagonal',
});
