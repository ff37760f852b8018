/**
 * Block-tridiagonal K-FAC [MG15 §4.3]: beside its own A ⊗ G every site keeps, with the next one, the cross statistics
 * Ā_(i−1,i) ⊗ G_(i,i+1).
 *
 * The operator is block-tridiagonal with these blocks. The model whose *inverse* is block-tridiagonal, which agrees with
 * it on those blocks and is always positive definite, is the business of the solver.
 *
 * Only dense sites have neighbours. An embedding, a gain and a shift join with a block of their own, and so do dense sites
 * whose neighbours see another number of positions (before and after the mean over a sequence), unless positions are
 * reduced; the coverage report says which.
 *
 * @module
 */
import type { SiteShapes } from '../core/autodiff/shape.ts';
import { raise } from '../core/errors.ts';
import { blockTridiagonal } from '../core/operators/linearOperator.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { DenseSite, Site } from '../core/ops/site.ts';
import type { Captured, SiteCapture } from '../core/pipeline/context.ts';
import type { Shaped } from '../core/tensor.ts';
import { sameSite } from '../core/pipeline/blocks.ts';
import type { Curvature } from './curvature.ts';
import type { KfacOptions } from './kfac.ts';
import { describeBlock, kroneckerBlock } from './kfac.ts';
import { homogeneousRows } from './statistics/dense.ts';
import type { Sharing } from './statistics/sharing.ts';
import { capturesOf, positionsOf } from './statistics/sharing.ts';
import { blockStatistics } from './statistics/site.ts';
import type { Statistics } from './statistics/statistics.ts';

/** Name of the averages of two neighbours. */
const linkName = (first: string, second: string): string => `${first}→${second}`;

const neighbours = <A>(chain: ReadonlyArray<A>): ReadonlyArray<readonly [A, A]> =>
  chain.slice(1).map((next, i) => [chain[i], next]);

/** Pairs of neighbours whose rows belong to each other. */
const linksOf = <A extends { readonly input: Shaped }>(
  chain: ReadonlyArray<A>,
  sharing: Sharing,
): ReadonlyArray<readonly [A, A]> =>
  neighbours(chain).filter(
    ([a, b]) => sharing === 'reduce' || positionsOf(a.input.shape) === positionsOf(b.input.shape),
  );

const brokenAt = (path: string, actual: string): never =>
  raise({
    _tag: 'BadConfig',
    path,
    expected: 'sites in a chain, each passed once and feeding the next, for block-tridiagonal curvature',
    actual,
  });

/** The dense sites, if they form a chain. */
const chainOf = <T extends Shaped>(
  ops: Ops<T>,
  captured: Captured<T>,
  sharing: Sharing,
): ReadonlyArray<SiteCapture<T, DenseSite>> => {
  const again = captured.sites.find(
    ({ site }, i) => site.kind === 'dense' && captured.sites.findIndex((other) => sameSite(other.site, site)) < i,
  );
  if (again !== undefined) return brokenAt(again.site.path, 'a site that is passed several times');
  const chain = capturesOf(ops, captured).flatMap((capture) => {
    const { site } = capture;
    return site.kind === 'dense' ? [{ ...capture, site }] : [];
  });
  linksOf(chain, sharing).forEach(([a, b]) => {
    const [out, inputs] = [a.cotangents[0], b.input].map(({ shape }) => shape[shape.length - 1]);
    if (inputs !== out) brokenAt(b.site.path, `${inputs} inputs after ${out} outputs at ${a.site.path}`);
  });
  return chain;
};

/**
 * Sums over the examples of two neighbours' captures.
 *
 * @param ops - interpreter
 * @param first - site i: inputs `[n, …, in]`, cotangents `[n, …, out]` per pass
 * @param second - site i + 1: inputs `[n, …, in′]`, cotangents `[n, …, out′]` per pass
 * @param sharing - how positions are treated, `expand` unless given; both sites have as many rows
 * @returns sums `A` = Σ ā_i ā_(i+1)ᵀ `[in + 1, in′ + 1]` and `G` = Σ g_i g_(i+1)ᵀ `[out, out′]`, the mean over positions, of
 *   weight n
 */
export const crossStatistics = <T extends Shaped>(
  ops: Ops<T>,
  first: SiteCapture<T, DenseSite>,
  second: SiteCapture<T, DenseSite>,
  sharing: Sharing = 'expand',
): Statistics<T> => {
  const [a, b] = [first, second].map((capture) => homogeneousRows(ops, capture, sharing));
  const G = a.cotangents
    .map((g, pass) => ops.matmul(g, b.cotangents[pass], { transposeA: true }))
    .reduce((x, y) => ops.add(x, y));
  return {
    sums: {
      A: ops.matmul(a.input, b.input, { transposeA: true }),
      G: a.positions === 1 ? G : ops.scale(1 / a.positions, G),
    },
    weight: first.input.shape[0],
  };
};

/** Whether a dense site has a neighbour. */
const hasNeighbour = (site: Site, sites: ReadonlyArray<SiteShapes>, sharing: Sharing): boolean => {
  const dense = sites.flatMap((seen) =>
    seen.site.kind === 'dense' ? [{ ...seen, input: { shape: seen.input } }] : [],
  );
  return linksOf(dense, sharing).some((pair) => pair.some((seen) => sameSite(seen.site, site)));
};

/**
 * Block-tridiagonal K-FAC. Dense sites must form a chain in the order of the forward pass, as those of a sequential model do.
 *
 * @param options - decay, strictness, how sites are treated
 */
export const tridiagonalKfac = (options: KfacOptions = {}): Curvature => {
  const { sharing = 'expand' } = options;
  return {
    name: 'tridiagonalKfac',
    decay: options.decay ?? 0.95,
    strict: options.strict ?? false,
    statistics: (ops, captured) => ({
      ...blockStatistics(ops, captured, options),
      ...Object.fromEntries(
        linksOf(chainOf(ops, captured, sharing), sharing).map(([a, b]) => [
          linkName(a.site.path, b.site.path),
          crossStatistics(ops, a, b, sharing),
        ]),
      ),
    }),
    operator: (_, blocks, averages) =>
      blockTridiagonal(
        Object.fromEntries(blocks.map((block) => [block.name, kroneckerBlock(block, averages[block.name])])),
        neighbours(blocks.filter((block) => block.kind === 'site' && block.site.kind === 'dense')).flatMap(
          ([to, from]) => {
            const name = linkName(to.name, from.name);
            if (!(name in averages)) return [];
            const { A, G } = averages[name];
            return [{ from: from.name, to: to.name, A, G }];
          },
        ),
      ),
    describe: (block, sites) => {
      const alone = block.kind === 'site' && sites !== undefined && !hasNeighbour(block.site, sites, sharing);
      return describeBlock(block, options, alone ? 'A ⊗ G' : 'A ⊗ G, with neighbours');
    },
  };
};
