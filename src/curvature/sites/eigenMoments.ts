/**
 * Second moments of per-example gradients in the eigenbasis of the Kronecker factors [G18].
 *
 * They are the diagonal of the Fisher in that basis, the best one there is, and so assume nothing of positions: what a site
 * adds at several positions of one example is summed before it is squared, whatever the basis took them for.
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import { raise } from '../../core/errors.ts';
import type { Captured, SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { BlockStatistics, Statistics } from '../statistics/statistics.ts';
import { capturesOf } from './captures.ts';
import type { Basis } from './kind.ts';
import { forgetting } from './byExamples.ts';
import { siteBlock } from './kinds.ts';

/**
 * Second moments of one site, Σ_n (U_Gᵀ V_n U_A)².
 *
 * @param ops - interpreter
 * @param capture - what a site saw whose block has a Kronecker basis; `BadConfig` of another
 * @param basis - bases of its block
 * @returns the sum `S` `[out, in + 1]` (`[out, vocabulary]` of an embedding), over passes too; of weight n
 */
export const eigenMoments = <T extends Shaped>(
  ops: Ops<T>,
  capture: SiteCapture<T>,
  basis: Basis<T>,
): Statistics<T> => {
  const { path } = capture.site;
  const block = siteBlock(capture.site);
  return block.eigenMoments === null
    ? raise({ _tag: 'BadConfig', path, expected: 'a site whose block has a Kronecker basis', actual: block.words({}) })
    : { sums: { S: block.eigenMoments(ops, capture, basis) }, weight: capture.input.shape[0] };
};

/**
 * Second moments of all blocks that have a basis, Σ_n (U_Gᵀ V_n U_A)².
 *
 * @param ops - interpreter
 * @param captured - what a batch says about the curvature
 * @param bases - by block name
 * @returns the sum `S` of each block, in its shape, over passes too; of weight n
 */
export const blockEigenMoments = <T extends Shaped>(
  ops: Ops<T>,
  captured: Captured<T>,
  bases: Readonly<Record<string, Basis<T>>>,
): BlockStatistics<T> =>
  Object.fromEntries(
    capturesOf(ops, captured).flatMap((capture) => {
      const { site } = capture;
      return siteBlock(site).eigenMoments === null || !(site.path in bases)
        ? []
        : [[site.path, forgetting(ops, capture, (on) => eigenMoments(on, capture, bases[site.path]))] as const];
    }),
  );
