/**
 * Diagonal curvature: E[V_n²] of per-example gradients, exactly.
 *
 * A dense site with one position has it for the price of one product, an embedding and a gain for less. Where a dense site
 * meets an example at several positions, the sum over these comes before the square, and per-example gradients are formed,
 * n times the memory of the parameter.
 *
 * @module
 */
import { diagonal as diagonalOperator } from '../core/operators/blockOperator.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { SiteCapture } from '../core/pipeline/context.ts';
import type { Shaped } from '../core/tensor.ts';
import type { Curvature } from './curvature.ts';
import { blockwise } from './curvature.ts';
import type { KfacOptions } from './kfac.ts';
import { homogeneousRows } from './statistics/dense.ts';
import { squaredIndexSums } from './statistics/embedding.ts';
import { perExampleGradients } from './statistics/perExample.ts';
import { scaleShiftStatistics } from './statistics/scaleShift.ts';
import { positionsOf } from './statistics/sharing.ts';
import { statisticsBy } from './statistics/site.ts';
import type { Statistics } from './statistics/statistics.ts';

/** Σ_n V_n² from rows vec(V_n)ᵀ, `[out, in]`. */
const squaredRows = <T extends Shaped>(ops: Ops<T>, rows: T, out: number): T => {
  const moments = ops.sum(ops.square(rows), [0]);
  return ops.transposed(ops.reshape(moments, [moments.shape[0] / out, out]));
};

/**
 * Σ_n V_n² of one capture; for one position Σ_n g_n² (ā_n²)ᵀ as the product (g²)ᵀ ā².
 *
 * @param ops - interpreter
 * @param capture - what the site saw
 * @returns the sum `second` in the shape of the block, `[out, in + 1]` for a dense site, of weight n
 */
export const diagonalStatistics = <T extends Shaped>(ops: Ops<T>, capture: SiteCapture<T>): Statistics<T> => {
  const { site, input, cotangents } = capture;
  const total = (parts: ReadonlyArray<T>): T => parts.reduce((x, y) => ops.add(x, y));
  const weight = input.shape[0];
  switch (site.kind) {
    case 'dense': {
      if (positionsOf(input.shape) > 1) {
        const out = cotangents[0].shape[cotangents[0].shape.length - 1];
        const second = total(perExampleGradients(ops, capture).map((rows) => squaredRows(ops, rows, out)));
        return { sums: { second }, weight };
      }
      const rows = homogeneousRows(ops, { ...capture, site });
      const squaredInput = ops.square(rows.input);
      const product = (g: T): T => ops.matmul(ops.square(g), squaredInput, { transposeA: true });
      return { sums: { second: total(rows.cotangents.map(product)) }, weight };
    }
    case 'embedding':
      return { sums: { second: ops.transposed(squaredIndexSums(ops, { ...capture, site })) }, weight };
    case 'scaleShift':
      return scaleShiftStatistics(ops, { ...capture, site }, 'diagonal');
  }
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
