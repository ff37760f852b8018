/**
 * Statistics of an embedding: A is the second moment of one-hot vectors, which is diagonal and holds the frequency of each
 * index; it is counted by adding ones at the indices, so no one-hot vector is ever formed.
 *
 * Positions are always expanded: the mean of several one-hot vectors has a second moment that is not diagonal.
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import type { EmbeddingSite } from '../../core/ops/site.ts';
import type { SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { cotangentGram } from './dense.ts';
import { asRows, positionsOf } from './sharing.ts';
import type { Statistics } from './statistics.ts';

/**
 * How often each index came.
 *
 * @param ops - interpreter
 * @param capture - indices `[n, …]`
 * @returns `[vocabulary]`; an index outside is not counted
 */
export const indexCounts = <T extends Shaped>(ops: Ops<T>, { site, input }: SiteCapture<T, EmbeddingSite>): T =>
  ops.scatterAdd(input, ops.full(input.shape, 1), site.vocabulary);

/**
 * Sums over the examples of one capture.
 *
 * @param ops - interpreter
 * @param capture - indices `[n, …]`, cotangents `[n, …, out]` per pass
 * @returns sums `a` `[vocabulary]`, the diagonal of A, and `G` `[out, out]`, of weight n
 */
export const embeddingStatistics = <T extends Shaped>(
  ops: Ops<T>,
  capture: SiteCapture<T, EmbeddingSite>,
): Statistics<T> => {
  const cotangents = capture.cotangents.map((g) => asRows(ops, g));
  const positions = positionsOf(capture.cotangents[0].shape);
  return {
    sums: { a: indexCounts(ops, capture), G: cotangentGram(ops, { cotangents, positions }) },
    weight: capture.input.shape[0],
  };
};

/**
 * Σ over examples and passes of the squares of x's sums by index: of (Σ_t [index_t = v] x_t)² for each v.
 *
 * (Σ_t x_t)² = Σ_t x_t Σ_u x_u over positions with the same index, so a comparison of positions with each other is enough
 * and no array of vocabulary by examples is formed.
 *
 * @param ops - interpreter
 * @param capture - indices `[n, …]`, cotangents `[n, …, out]` per pass
 * @returns `[vocabulary, out]`
 */
export const squaredIndexSums = <T extends Shaped>(
  ops: Ops<T>,
  { site, input, cotangents }: SiteCapture<T, EmbeddingSite>,
): T => {
  const n = input.shape[0];
  const [t, out] = [positionsOf(cotangents[0].shape), cotangents[0].shape[cotangents[0].shape.length - 1]];
  const indices = ops.reshape(input, [n, t]);
  const same = ops.equal(ops.reshape(input, [n, t, 1]), ops.reshape(input, [n, 1, t]));
  return cotangents
    .map((cotangent) => {
      const g = ops.reshape(cotangent, [n, t, out]);
      const squared = t === 1 ? ops.square(g) : ops.mul(g, ops.matmul(same, g));
      return ops.scatterAdd(indices, squared, site.vocabulary);
    })
    .reduce((x, y) => ops.add(x, y));
};
