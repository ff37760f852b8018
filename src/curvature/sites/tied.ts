/**
 * Tables with two uses: rows that are looked up, and logits of the same rows. The block is Wᵀ `[out, vocabulary]`, as that of an
 * embedding.
 *
 * A lookup adds g e_vᵀ to the gradient of one example, a projection a δᵀ with the cotangent δ of the logits. Their curvatures,
 * diag(a) ⊗ G with the frequencies of the words and diag(E[δ²]) ⊗ E[a aᵀ], are kept apart as sums; the operator is the Kronecker
 * product that is nearest to their sum. The vocabulary has diagonals on both sides, so that nothing of its square is formed.
 *
 * @module
 */
import { kronecker } from '../../core/operators/blockOperator.ts';
import { dense, diagonal } from '../../core/operators/factors/factor.ts';
import { timesFactor } from '../../core/operators/factors/products.ts';
import { nearestKronecker } from '../../core/operators/nearestKronecker.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { EmbeddingSite, TiedSite } from '../../core/ops/site.ts';
import type { Params } from '../../core/params.ts';
import type { SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';
import { cotangentGram, cotangentRows, factorSums } from '../statistics/factors.ts';
import { outerProducts } from '../statistics/perExample.ts';
import { asRows, sharedRows, weighedRows } from '../statistics/sharing.ts';
import { totalOf } from '../statistics/statistics.ts';
import { sumByExamples } from './byExamples.ts';
import { indexCounts } from './embedding.ts';
import type { Seen, SiteKind } from './kind.ts';
import { atSomePositions } from './positions.ts';

/** What uses of one sort saw. */
type Uses<T> = Pick<SiteCapture<T>, 'input' | 'cotangents' | 'weights' | 'isotropic' | 'key'>;

/** Both sorts of uses, `null` where there are none. */
interface BothUses<T> {
  readonly lookups: Uses<T> | null;
  readonly projections: Uses<T> | null;
}

const lastOf = ({ shape }: Shaped): number => shape[shape.length - 1];

const usesOf = <T>({ use }: TiedSite, seen: Seen<T>): BothUses<T> => {
  const other = seen.other ?? null;
  return use === 'lookup' ? { lookups: seen, projections: other } : { lookups: other, projections: seen };
};

/** Extents of the table. */
const tableOf = <T extends Shaped>(
  { vocabulary }: TiedSite,
  { lookups, projections }: BothUses<T>,
): { readonly vocabulary: number; readonly out: number } => ({
  vocabulary: vocabulary ?? (projections === null ? 0 : lastOf(projections.cotangents[0])),
  out: projections === null ? (lookups === null ? 0 : lastOf(lookups.cotangents[0])) : lastOf(projections.input),
});

/** x of the last axis, times a map of features. */
type OfFeatures<T> = (x: T) => T;

/** Rows vec(V_n)ᵀ for each pass, with both uses of an example added, products of one with the other included. */
const gradientsOf = <T extends Shaped>(
  ops: Ops<T>,
  site: TiedSite,
  uses: BothUses<T>,
  turned: OfFeatures<T> = (x) => x,
): ReadonlyArray<T> => {
  const { lookups, projections } = uses;
  const { vocabulary } = tableOf(site, uses);
  const hot = lookups === null ? null : ops.oneHot(lookups.input, vocabulary);
  const a = projections === null ? null : turned(projections.input);
  const ofLookups = hot === null ? [] : (lookups?.cotangents ?? []).map((g) => outerProducts(ops, hot, turned(g)));
  const ofProjections = a === null ? [] : (projections?.cotangents ?? []).map((delta) => outerProducts(ops, delta, a));
  if (ofLookups.length === 0) return ofProjections;
  return ofProjections.length === 0 ? ofLookups : ofLookups.map((rows, pass) => ops.add(rows, ofProjections[pass]));
};

/** Σ_n V_n² over the passes, in the shape of the block. */
const squaresOf = <T extends Shaped>(ops: Ops<T>, site: TiedSite, uses: BothUses<T>, turned?: OfFeatures<T>): T => {
  const { vocabulary, out } = tableOf(site, uses);
  const sums = gradientsOf(ops, site, uses, turned).map((rows) => ops.sum(ops.square(rows), [0]));
  return ops.transposed(ops.reshape(totalOf(ops, sums), [vocabulary, out]));
};

/** Elements that are formed of one example: gradients of both uses, their sum, its square, and one-hot vectors. */
const elementsOf = <T extends Shaped>(site: TiedSite, seen: Seen<T>): number => {
  const { vocabulary, out } = tableOf(site, usesOf(site, seen));
  return vocabulary * (sizeOf(seen.input.shape) / seen.input.shape[0] + 4 * seen.cotangents.length * out);
};

/** The two products of averages, those that there are. */
const productsOf = <T>(averages: Params<T>): ReadonlyArray<{ readonly A: T; readonly G: T }> => [
  ...('a' in averages ? [{ A: averages['a'], G: averages['G'] }] : []),
  ...('g' in averages ? [{ A: averages['g'], G: averages['H'] }] : []),
];

/** Tables with two uses. */
export const tied: SiteKind<TiedSite> = (site) => ({
  join: (ops, params) => ops.transposed(params[site.weight]),
  split: (ops, block) => ({ [site.weight]: ops.transposed(block) }),
  featureAxes: site.use === 'lookup' ? 0 : 1,
  affine: false,
  order: (seen) => {
    const { vocabulary, out } = tableOf(site, usesOf(site, seen));
    return vocabulary * out;
  },
  gradients: (ops, seen) => gradientsOf(ops, site, usesOf(site, seen)),
  squares: (ops, seen) =>
    sumByExamples(ops, seen, elementsOf(site, seen), (on, part) => squaresOf(on, site, usesOf(site, part))),
  statistics: (ops, seen, options) => {
    const uses = usesOf(site, seen);
    const lookups = uses.lookups === null ? null : atSomePositions(ops, uses.lookups, 0, options);
    const projections = uses.projections === null ? null : atSomePositions(ops, uses.projections, 1, options);
    const table: EmbeddingSite = { ...site, kind: 'embedding', vocabulary: tableOf(site, uses).vocabulary };
    const ofLookups: Params<typeof seen.input> =
      lookups === null
        ? {}
        : { a: indexCounts(ops, { ...lookups, site: table }), G: cotangentGram(ops, cotangentRows(ops, lookups)) };
    if (projections === null) return { sums: ofLookups, weight: seen.input.shape[0] };
    // The activations are full whatever their number, the logits a diagonal.
    const rows = weighedRows(ops, sharedRows(ops, projections, 'expand'), projections.weights);
    const { g } = factorSums(ops, rows, 0);
    return { sums: { ...ofLookups, g, H: ops.gram(rows.input) }, weight: seen.input.shape[0] };
  },
  operator: (averages, ops) => {
    const { A, G } = nearestKronecker(ops, productsOf(averages));
    return kronecker(diagonal(A), dense(G));
  },
  words: () => 'diag A ⊗ G of both uses',
  rows: null,
  partitioned: null,
  eigenMoments: (ops, seen, { UG }) =>
    sumByExamples(ops, seen, elementsOf(site, seen), (on, part) =>
      squaresOf(on, site, usesOf(site, part), (x) => on.reshape(timesFactor(on, asRows(on, x), UG), x.shape)),
    ),
});
