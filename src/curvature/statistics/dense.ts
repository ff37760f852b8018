/**
 * Statistics of a dense site: A = E[ā āᵀ] and G = E[g gᵀ] [MG15 §3].
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import type { SiteCapture, SiteInput } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Statistics } from './statistics.ts';

/**
 * ā: a site's input with the homogeneous coordinate when the site has a bias.
 *
 * @param ops - interpreter
 * @param capture - input `[n, in]`
 * @returns `[n, in + 1]`, or `[n, in]` without a bias
 */
export const homogeneous = <T extends Shaped>(ops: Ops<T>, capture: SiteInput<T>): T =>
  capture.site.bias === null ? capture.input : ops.withOnes(capture.input);

/**
 * Sums over the examples of one capture.
 *
 * @param ops - interpreter
 * @param capture - inputs `[n, in]`, cotangents `[n, out]` per pass
 * @returns sums `A` `[in + 1, in + 1]` (`[in, in]` without a bias) and `G` `[out, out]`, of weight n
 */
export const denseStatistics = <T extends Shaped>(ops: Ops<T>, capture: SiteCapture<T>): Statistics<T> => {
  const { input, cotangents } = capture;
  const A = ops.gram(homogeneous(ops, capture));
  const G = cotangents.map((g) => ops.gram(g)).reduce((x, y) => ops.add(x, y));
  return { sums: { A, G }, weight: input.shape[0] };
};
