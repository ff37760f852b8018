/**
 * Statistics of a dense site: A = E[ā āᵀ] and G = E[g gᵀ] [MG15 §3].
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import type { SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Statistics } from './statistics.ts';

/**
 * Sums over the examples of one capture.
 *
 * @param ops - interpreter
 * @param capture - inputs `[n, in]`, cotangents `[n, out]` per pass
 * @returns sums `A` `[in + 1, in + 1]` (`[in, in]` without a bias) and `G` `[out, out]`, of weight n
 */
export const denseStatistics = <T extends Shaped>(ops: Ops<T>, capture: SiteCapture<T>): Statistics<T> => {
  const { site, input, cotangents } = capture;
  const A = ops.gram(site.bias === null ? input : ops.withOnes(input));
  const G = cotangents.map((g) => ops.gram(g)).reduce((x, y) => ops.add(x, y));
  return { sums: { A, G }, weight: input.shape[0] };
};
