/**
 * Second moments of per-example gradients in the eigenbasis of the Kronecker factors [G18].
 *
 * A dense site's per-example gradient is V_n = g_n ā_nᵀ, so (U_Gᵀ V_n U_A)² = (U_Gᵀ g_n)² (U_Aᵀ ā_n)²ᵀ and the sum over
 * examples is one product of two matrices: no per-example gradient is ever formed.
 *
 * @module
 */
import { timesBlocks } from '../../core/operators/parts.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Captured, SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { homogeneous } from './dense.ts';
import { statisticsOfSites } from './site.ts';
import type { BlockStatistics, Statistics } from './statistics.ts';

/**
 * Orthonormal bases of a block: of the parts of its inputs, whose orders add up to in + 1, and of its outputs. One part is
 * the whole; none is the identity.
 */
export interface Basis<T> {
  readonly UAs: ReadonlyArray<T>;
  readonly UGs: ReadonlyArray<T>;
}

/**
 * Σ_n (U_Gᵀ V_n U_A)² of one site.
 *
 * @param ops - interpreter
 * @param capture - what the site saw
 * @param basis - bases of its block
 * @returns the sum `S` `[out, in + 1]`, over passes too
 */
export const eigenMoments = <T extends Shaped>(
  ops: Ops<T>,
  capture: SiteCapture<T>,
  basis: Basis<T>,
): Statistics<T> => {
  const squaredInput = ops.square(timesBlocks(ops, homogeneous(ops, capture), basis.UAs));
  const S = capture.cotangents
    .map((g) => ops.matmul(ops.square(timesBlocks(ops, g, basis.UGs)), squaredInput, { transposeA: true }))
    .reduce((x, y) => ops.add(x, y));
  return { sums: { S }, weight: capture.input.shape[0] };
};

/**
 * Second moments of all blocks that have a basis. A site that was passed several times adds up.
 *
 * @param ops - interpreter
 * @param captured - what a batch says about the curvature
 * @param bases - by block name
 */
export const blockEigenMoments = <T extends Shaped>(
  ops: Ops<T>,
  captured: Captured<T>,
  bases: Readonly<Record<string, Basis<T>>>,
): BlockStatistics<T> =>
  statisticsOfSites(
    ops,
    captured.sites.filter(({ site }) => site.path in bases),
    (capture) => eigenMoments(ops, capture, bases[capture.site.path]),
  );
