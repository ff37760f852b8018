/**
 * Statistics of a dense site: A = E[ā āᵀ] and G = E[g gᵀ] [MG15 §3].
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import type { DenseSite } from '../../core/ops/site.ts';
import type { SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { SharedRows, Sharing } from './sharing.ts';
import { sharedRows } from './sharing.ts';
import type { Statistics } from './statistics.ts';

/**
 * ā and g as matrices whose rows count as examples, ā with the homogeneous coordinate when the site has a bias.
 *
 * @param ops - interpreter
 * @param capture - inputs `[n, …, in]`, cotangents `[n, …, out]` per pass
 * @param sharing - how positions are treated, `expand` unless given
 * @returns inputs `[rows, in + 1]` (`[rows, in]` without a bias) and cotangents `[rows, out]` per pass
 */
export const homogeneousRows = <T extends Shaped>(
  ops: Ops<T>,
  capture: SiteCapture<T, DenseSite>,
  sharing: Sharing = 'expand',
): SharedRows<T> => {
  const rows = sharedRows(ops, capture, sharing);
  return capture.site.bias === null ? rows : { ...rows, input: ops.withOnes(rows.input) };
};

/**
 * Σ over rows and passes of g gᵀ, the mean over positions.
 *
 * @param ops - interpreter
 * @param rows - cotangents `[rows, out]` per pass
 * @returns `[out, out]`
 */
export const cotangentGram = <T extends Shaped>(
  ops: Ops<T>,
  { cotangents, positions }: Pick<SharedRows<T>, 'cotangents' | 'positions'>,
): T => {
  const G = cotangents.map((g) => ops.gram(g)).reduce((x, y) => ops.add(x, y));
  return positions === 1 ? G : ops.scale(1 / positions, G);
};

/**
 * Sums over the examples of one capture.
 *
 * @param ops - interpreter
 * @param capture - inputs `[n, …, in]`, cotangents `[n, …, out]` per pass
 * @param sharing - how positions are treated, `expand` unless given
 * @returns sums `A` `[in + 1, in + 1]` (`[in, in]` without a bias) and `G` `[out, out]`, of weight n
 */
export const denseStatistics = <T extends Shaped>(
  ops: Ops<T>,
  capture: SiteCapture<T, DenseSite>,
  sharing: Sharing = 'expand',
): Statistics<T> => {
  const rows = homogeneousRows(ops, capture, sharing);
  return { sums: { A: ops.gram(rows.input), G: cotangentGram(ops, rows) }, weight: capture.input.shape[0] };
};
