/**
 * Embeddings: A is the second moment of one-hot vectors, which is diagonal and holds the frequency of each index; it is
 * counted by adding ones at the indices, so no one-hot vector is ever formed. The block is Wᵀ `[out, vocabulary]`.
 *
 * Positions are always expanded: the mean of several one-hot vectors has a second moment that is not diagonal.
 *
 * @module
 */
import { kronecker } from '../../core/operators/blockOperator.ts';
import { diagonal } from '../../core/operators/factors/factor.ts';
import { timesFactor } from '../../core/operators/factors/products.ts';
import { weighed } from '../../core/nn/losses/loss.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { EmbeddingSite } from '../../core/ops/site.ts';
import type { SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { cotangentPartGrams, cotangentRows, cotangentSums, factorOf, factorOfParts } from '../statistics/factors.ts';
import { outerProducts } from '../statistics/perExample.ts';
import { asRows, positionsOf } from '../statistics/sharing.ts';
import type { Statistics } from '../statistics/statistics.ts';
import type { SiteKind } from './kind.ts';
import { atSomePositions } from './positions.ts';

/**
 * How often each index came, an index of weight w counting w times.
 *
 * @param ops - interpreter
 * @param capture - indices `[n, …]`
 * @returns `[vocabulary]`; an index outside is not counted
 */
export const indexCounts = <T extends Shaped>(
  ops: Ops<T>,
  { site, input, weights = null }: Omit<SiteCapture<T, EmbeddingSite>, 'cotangents'>,
): T => ops.scatterAdd(input, weighed(ops, weights, ops.full(input.shape, 1)), site.vocabulary);

/**
 * Sums over the examples of one capture.
 *
 * @param ops - interpreter
 * @param capture - indices `[n, …]`, cotangents `[n, …, out]` per pass
 * @returns sums `a` `[vocabulary]`, the diagonal of A, and `G` `[out, out]`, or its diagonal `g`, of weight n
 */
export const embeddingStatistics = <T extends Shaped>(
  ops: Ops<T>,
  capture: SiteCapture<T, EmbeddingSite>,
): Statistics<T> => ({
  sums: { a: indexCounts(ops, capture), ...cotangentSums(ops, cotangentRows(ops, capture), Infinity) },
  weight: capture.input.shape[0],
});

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
const squaredIndexSums = <T extends Shaped>(
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

/** Embeddings. */
export const embedding: SiteKind<EmbeddingSite> = (site) => ({
  join: (ops, params) => ops.transposed(params[site.weight]),
  split: (ops, block) => ({ [site.weight]: ops.transposed(block) }),
  featureAxes: 0,
  affine: false,
  order: ({ cotangents: [{ shape }] }) => site.vocabulary * shape[shape.length - 1],
  gradients: (ops, { input, cotangents }) => {
    const hot = ops.oneHot(input, site.vocabulary);
    return cotangents.map((g) => outerProducts(ops, hot, g));
  },
  squares: (ops, seen) => ops.transposed(squaredIndexSums(ops, { ...seen, site })),
  statistics: (ops, seen, options) => embeddingStatistics(ops, { ...atSomePositions(ops, seen, 0, options), site }),
  operator: (averages) => kronecker(diagonal(averages['a']), factorOf(averages, 'G')),
  words: () => 'diag A ⊗ G',
  rows: null,
  partitioned: {
    statistics: (ops, seen, { outputs }, options) => {
      const part = atSomePositions(ops, seen, 0, options);
      return {
        sums: {
          a: indexCounts(ops, { ...part, site }),
          ...cotangentPartGrams(ops, cotangentRows(ops, part), outputs),
        },
        weight: seen.input.shape[0],
      };
    },
    operator: (averages) => kronecker(diagonal(averages['a']), factorOfParts(averages, 'G')),
    words: 'diag A ⊗ (⊕ G)',
  },
  // U_A is the identity, so the squares are those of the rotated cotangents by index.
  eigenMoments: (ops, { input, cotangents }, { UA, UG }) => {
    const rotated = cotangents.map((g) => ops.reshape(timesFactor(ops, asRows(ops, g), UG), g.shape));
    const moments = ops.transposed(squaredIndexSums(ops, { site, input, cotangents: rotated }));
    return UA._tag === 'diagonal' ? ops.mul(moments, ops.square(UA.values)) : moments;
  },
});
