/**
 * Second moments of per-example gradients in the eigenbasis of the Kronecker factors [G18].
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import { raise } from '../../core/errors.ts';
import type { Captured, SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Sharing } from '../statistics/sharing.ts';
import type { BlockStatistics, Statistics } from '../statistics/statistics.ts';
import { capturesOf } from './captures.ts';
import type { Basis } from './kind.ts';
import { siteBlock } from './kinds.ts';

/**
 * Second moments of one site, Σ_n (U_Gᵀ V_n U_A)².
 *
 * @param ops - interpreter
 * @param capture - what a site saw whose block has a Kronecker basis; `BadConfig` of another
 * @param basis - bases of its block
 * @param sharing - how positions are treated, `expand` unless given
 * @returns the sum `S` `[out, in + 1]` (`[out, vocabulary]` of an embedding), over passes too; of weight n
 */
export const eigenMoments = <T extends Shaped>(
  ops: Ops<T>,
  capture: SiteCapture<T>,
  basis: Basis<T>,
  sharing: Sharing = 'expand',
): Statistics<T> => {
  const { path } = capture.site;
  const block = siteBlock(capture.site);
  return block.eigenMoments === null
    ? raise({ _tag: 'BadConfig', path, expected: 'a site whose block has a Kronecker basis', actual: block.words({}) })
    : { sums: { S: block.eigenMoments(ops, capture, basis, sharing) }, weight: capture.input.shape[0] };
};

/**
 * Second moments of all blocks that have a basis, Σ_n (U_Gᵀ V_n U_A)².
 *
 * @param ops - interpreter
 * @param captured - what a batch says about the curvature
 * @param bases - by block name
 * @param sharing - how positions are treated, `expand` unless given
 * @returns the sum `S` of each block, in its shape, over passes too; of weight n
 */
export const blockEigenMoments = <T extends Shaped>(
  ops: Ops<T>,
  captured: Captured<T>,
  bases: Readonly<Record<string, Basis<T>>>,
  sharing: Sharing = 'expand',
): BlockStatistics<T> =>
  Object.fromEntries(
    capturesOf(ops, captured).flatMap((capture) => {
      const { site } = capture;
      return siteBlock(site).eigenMoments === null || !(site.path in bases)
        ? []
        : [[site.path, eigenMoments(ops, capture, bases[site.path], sharing)] as const];
    }),
  );
