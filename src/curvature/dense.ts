/**
 * Dense curvature: the whole Fisher block of each site, E[vec(V_n) vec(V_n)ᵀ] over per-example gradients. For small
 * models, and as the truth that the structured curvatures approximate.
 *
 * @module
 */
import { raise } from '../core/errors.ts';
import { dense as denseOperator, diagonal } from '../core/operators/factors/factor.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { SiteCapture } from '../core/pipeline/context.ts';
import type { Shaped } from '../core/tensor.ts';
import type { Curvature } from './curvature.ts';
import { blockwise } from './curvature.ts';
import type { KfacOptions } from './kfac.ts';
import { sumByExamples } from './sites/byExamples.ts';
import { orderOfSite, perExampleGradients, statisticsBy } from './sites/statistics.ts';
import type { Statistics } from './statistics/statistics.ts';

/** Settings of {@link dense}. */
export interface DenseOptions extends KfacOptions {
  /** Most parameters in a block, 4096 unless given; more is an error that names the block. */
  readonly limit?: number;
}

/**
 * Σ_n vec(V_n) vec(V_n)ᵀ of one capture.
 *
 * @param ops - interpreter
 * @param capture - what the site saw
 * @param limit - most parameters
 * @returns the sum `F`, square of the order of the block, on column-stacked elements, of weight n
 */
export const fisherStatistics = <T extends Shaped>(
  ops: Ops<T>,
  capture: SiteCapture<T>,
  limit: number,
): Statistics<T> => {
  const { site, input } = capture;
  const order = orderOfSite(capture);
  if (order > limit) {
    return raise({
      _tag: 'BadConfig',
      path: site.path,
      expected: `at most ${limit} parameters in a block of dense curvature`,
      actual: `${order} parameters`,
    });
  }
  const F = sumByExamples(ops, capture, 3 * capture.cotangents.length * order, (on, part) =>
    perExampleGradients(on, { ...part, site })
      .map((rows) => on.gram(rows))
      .reduce((x, y) => on.add(x, y)),
  );
  return { sums: { F }, weight: input.shape[0] };
};

/**
 * The Fisher block of each site as a full matrix.
 *
 * @param options - decay, strictness, largest block
 * @example
 * ```ts
 * import { dense, updateFactors } from 'kfac-ts/curvature';
 *
 * // The Fisher block of each site in full, for small models: at most 500 parameters a site.
 * const average = updateFactors(dense({ limit: 500 }));
 * ```
 */
export const dense = (options: DenseOptions = {}): Curvature => ({
  name: 'dense',
  decay: options.decay ?? 0.95,
  strict: options.strict ?? false,
  statistics: (ops, captured) =>
    statisticsBy(ops, captured, (capture, on) => fisherStatistics(on, capture, options.limit ?? 4096)),
  operator: (_, blocks, averages) =>
    blockwise(blocks, averages, (block, { F, second }) =>
      block.kind === 'site' ? denseOperator(F) : diagonal(second),
    ),
  describe: (block) => (block.kind === 'site' ? 'dense' : 'diagonal'),
});
