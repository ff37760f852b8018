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
import type { DenseSite, EmbeddingSite } from '../../core/ops/site.ts';
import type { Captured, SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';
import { homogeneousRows } from './dense.ts';
import type { Sharing } from './sharing.ts';
import { asRows, capturesOf } from './sharing.ts';
import type { BlockStatistics, Statistics } from './statistics.ts';

/**
 * Orthonormal bases of a block: of the parts of its inputs, whose orders add up to in + 1, and of its outputs. One part is
 * the whole; none is the identity.
 */
export interface Basis<T> {
  readonly UAs: ReadonlyArray<T>;
  readonly UGs: ReadonlyArray<T>;
}

/** A site whose per-example gradients are outer products. */
export type OuterSite = DenseSite | EmbeddingSite;

/**
 * Σ_n (U_Gᵀ V_n U_A)² of one site. Of an embedding, whose U_A is the identity, the sum over the rows of each index.
 *
 * @param ops - interpreter
 * @param capture - what the site saw
 * @param basis - bases of its block
 * @param sharing - how positions are treated, `expand` unless given
 * @returns the sum `S` `[out, in + 1]` (`[out, vocabulary]` of an embedding), over passes too
 */
export const eigenMoments = <T extends Shaped>(
  ops: Ops<T>,
  capture: SiteCapture<T, OuterSite>,
  basis: Basis<T>,
  sharing: Sharing = 'expand',
): Statistics<T> => {
  const { site, input, cotangents } = capture;
  const squared = (g: T): T => ops.square(timesBlocks(ops, g, basis.UGs));
  const total = (parts: ReadonlyArray<T>): T => parts.reduce((x, y) => ops.add(x, y));
  const weight = input.shape[0];
  if (site.kind === 'embedding') {
    const indices = ops.reshape(input, [sizeOf(input.shape)]);
    const byIndex = cotangents.map((g) => ops.scatterAdd(indices, squared(asRows(ops, g)), site.vocabulary));
    return { sums: { S: ops.transposed(total(byIndex)) }, weight };
  }
  const rows = homogeneousRows(ops, { ...capture, site }, sharing);
  const squaredInput = ops.square(timesBlocks(ops, rows.input, basis.UAs));
  const S = total(rows.cotangents.map((g) => ops.matmul(squared(g), squaredInput, { transposeA: true })));
  return { sums: { S }, weight };
};

/**
 * Second moments of all blocks that have a basis.
 *
 * @param ops - interpreter
 * @param captured - what a batch says about the curvature
 * @param bases - by block name
 * @param sharing - how positions are treated, `expand` unless given
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
      return site.kind === 'scaleShift' || !(site.path in bases)
        ? []
        : [[site.path, eigenMoments(ops, { ...capture, site }, bases[site.path], sharing)] as const];
    }),
  );
