/**
 * Second moments of per-example gradients in the eigenbasis of the Kronecker factors [G18].
 *
 * A dense site's per-example gradient is V_n = g_n ā_nᵀ, so (U_Gᵀ V_n U_A)² = (U_Gᵀ g_n)² (U_Aᵀ ā_n)²ᵀ and the sum over
 * examples is one product of two matrices: no per-example gradient is ever formed.
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import type { Captured, SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { homogeneous } from './dense.ts';
import { statisticsOfSites } from './site.ts';
import type { BlockStatistics, Statistics } from './statistics.ts';

/** Orthonormal bases of a block: U_A `[in + 1, in + 1]`, `null` for the identity, and U_G `[out, out]`. */
export interface Basis<T> {
  readonly UA: T | null;
  readonly UG: T;
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
  const input = homogeneous(ops, capture);
  const squaredInput = ops.square(basis.UA === null ? input : ops.matmul(input, basis.UA));
  const S = capture.cotangents
    .map((g) => ops.matmul(ops.square(ops.matmul(g, basis.UG)), squaredInput, { transposeA: true }))
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
