/**
 * Block-tridiagonal K-FAC [MG15 §4.3]: beside its own A ⊗ G every site keeps, with the next one, the cross statistics
 * Ā_(i−1,i) ⊗ G_(i,i+1).
 *
 * The operator is block-tridiagonal with these blocks. The model whose *inverse* is block-tridiagonal, which agrees with
 * it on those blocks and is always positive definite, is the business of the solver.
 *
 * Only sites whose factors are both full have neighbours. An embedding, a gain and a shift join with a block of their own,
 * and so do sites whose neighbours see another number of positions (before and after the mean over a sequence), unless positions are
 * reduced; the coverage report says which.
 *
 * @module
 */
import type { SiteShapes } from '../core/autodiff/shape.ts';
import { raise } from '../core/errors.ts';
import { blockTridiagonal } from '../core/operators/linearOperator.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { Site } from '../core/ops/site.ts';
import type { Captured, SiteCapture } from '../core/pipeline/context.ts';
import type { Params } from '../core/params.ts';
import type { Shape, Shaped } from '../core/tensor.ts';
import { sizeOf } from '../core/tensor.ts';
import { blockSites, sameSite } from '../core/pipeline/blocks.ts';
import type { Curvature } from './curvature.ts';
import type { KfacOptions } from './kfac.ts';
import { describeBlock, kroneckerBlock } from './kfac.ts';
import { capturesOf } from './sites/captures.ts';
import { siteBlock } from './sites/kinds.ts';
import { byExamples, seenIn } from './sites/byExamples.ts';
import type { Seen, SiteBlock } from './sites/kind.ts';
import { blockStatistics, orderOfSite } from './sites/statistics.ts';
import type { Run } from './statistics/partition.ts';
import type { SharedRows, Sharing } from './statistics/sharing.ts';
import { positionsOf } from './statistics/sharing.ts';
import type { Statistics } from './statistics/statistics.ts';

/** Name of the averages of two neighbours. */
const linkName = (first: string, second: string): string => `${first}→${second}`;

const neighbours = <A>(chain: ReadonlyArray<A>): ReadonlyArray<readonly [A, A]> =>
  chain.slice(1).map((next, i) => [chain[i], next]);

/** Pairs of neighbours whose rows belong to each other, given the outputs of each. */
const linksOf = <A>(
  chain: ReadonlyArray<A>,
  outputOf: (at: A) => Shape,
  sharing: Sharing,
): ReadonlyArray<readonly [A, A]> =>
  neighbours(chain).filter(([a, b]) => sharing === 'reduce' || positionsOf(outputOf(a)) === positionsOf(outputOf(b)));

const brokenAt = (path: string, actual: string): never =>
  raise({
    _tag: 'BadConfig',
    path,
    expected: 'sites in a chain, each passed once and feeding the next, for block-tridiagonal curvature',
    actual,
  });

/** Whether a site has rows that can be joined with those of a neighbour. */
const hasRows = (site: Site): boolean => siteBlock(site).rows !== null;

/** A site of the chain, and how it is made rows. */
interface Link<T> {
  readonly capture: SiteCapture<T>;
  readonly rows: NonNullable<SiteBlock['rows']>;
}

/** The sites that have rows, if they form a chain, in pairs of neighbours. */
const linkedCaptures = <T extends Shaped>(
  ops: Ops<T>,
  captured: Captured<T>,
  sharing: Sharing,
): ReadonlyArray<readonly [Link<T>, Link<T>]> => {
  // Of cotangents that are drawn at each site those of neighbours have nothing to do with each other.
  if (captured.sites.some(({ isotropic }) => isotropic)) return [];
  const again = captured.sites.find(
    ({ site }, i) => hasRows(site) && captured.sites.findIndex((other) => sameSite(other.site, site)) < i,
  );
  if (again !== undefined) return brokenAt(again.site.path, 'a site that is passed several times');
  const chain = capturesOf(ops, captured).flatMap((capture): ReadonlyArray<Link<T>> => {
    const { rows } = siteBlock(capture.site);
    return rows === null ? [] : [{ capture, rows }];
  });
  return linksOf(chain, ({ capture }) => capture.cotangents[0].shape, sharing).map(([a, b]) => {
    const [out, inputs] = [a.capture.cotangents[0], b.capture.input].map(({ shape }) => shape[shape.length - 1]);
    return inputs === out
      ? [a, b]
      : brokenAt(b.capture.site.path, `${inputs} inputs after ${out} outputs at ${a.capture.site.path}`);
  });
};

/**
 * Sums over the examples of two neighbours.
 *
 * @param ops - interpreter
 * @param first - site i: ā `[rows, in + 1]`, cotangents `[rows, out]` per pass
 * @param second - site i + 1: ā `[rows, in′ + 1]`, cotangents `[rows, out′]` per pass, with as many rows
 * @returns sums `A` = Σ ā_i ā_(i+1)ᵀ `[in + 1, in′ + 1]` and `G` = Σ g_i g_(i+1)ᵀ `[out, out′]`, the mean over positions, of
 *   weight n
 */
export const crossStatistics = <T extends Shaped>(
  ops: Ops<T>,
  first: SharedRows<T>,
  second: SharedRows<T>,
): Statistics<T> => {
  const { input, cotangents, positions } = first;
  const G = cotangents
    .map((g, pass) => ops.matmul(g, second.cotangents[pass], { transposeA: true }))
    .reduce((x, y) => ops.add(x, y));
  return {
    sums: {
      A: ops.matmul(input, second.input, { transposeA: true }),
      G: positions === 1 ? G : ops.scale(1 / positions, G),
    },
    weight: input.shape[0] / positions,
  };
};

/** Cross statistics of two neighbours, some examples at a time unless positions weigh differently. */
const linkStatistics = <T extends Shaped>(ops: Ops<T>, [a, b]: readonly [Link<T>, Link<T>], sharing: Sharing) => {
  const [n] = a.capture.input.shape;
  const sumsIn = (on: Ops<T>, part: Seen<T>, run: Run): Params<T> =>
    crossStatistics(on, a.rows(on, part, sharing), b.rows(on, seenIn(on, b.capture, run), sharing)).sums;
  const links = [a.capture, b.capture];
  const elements = links.reduce((sum, capture) => {
    const [{ shape }] = capture.cotangents;
    const out = shape[shape.length - 1];
    const places = sizeOf(shape) / (n * out);
    return sum + 2 * places * (orderOfSite(capture) / out) + sizeOf(capture.input.shape) / n + places * out;
  }, 0);
  const isWhole = links.some(({ weights }) => (weights?.shape.length ?? 1) > 1);
  const sums = isWhole ? sumsIn(ops, a.capture, { begin: 0, size: n }) : byExamples(ops, a.capture, elements, sumsIn);
  return { sums, weight: n };
};

/** Whether a site of the chain has a neighbour. */
const hasNeighbour = (site: Site, sites: ReadonlyArray<SiteShapes>, sharing: Sharing): boolean => {
  const withBlock = blockSites(sites);
  return linksOf(
    sites.filter((seen) => withBlock.includes(seen.site) && hasRows(seen.site)),
    ({ output }) => output,
    sharing,
  ).some((pair) => pair.some((seen) => sameSite(seen.site, site)));
};

/**
 * Block-tridiagonal K-FAC. Sites with neighbours must form a chain in the order of the forward pass, as those of a sequential model do.
 *
 * @param options - decay, strictness, how sites are treated
 * @example
 * ```ts
 * import { tridiagonalKfac, updateFactors } from 'kfac-ts/curvature';
 *
 * const average = updateFactors(tridiagonalKfac({ decay: 0.95 }));
 * ```
 */
export const tridiagonalKfac = (options: KfacOptions = {}): Curvature => {
  const { sharing = 'expand' } = options;
  return {
    name: 'tridiagonalKfac',
    decay: options.decay ?? 0.95,
    strict: options.strict ?? false,
    statistics: (ops, captured) => ({
      ...blockStatistics(ops, captured, { ...options, maxFactor: Infinity }),
      ...Object.fromEntries(
        linkedCaptures(ops, captured, sharing).map(([a, b]) => [
          linkName(a.capture.site.path, b.capture.site.path),
          linkStatistics(ops, [a, b], sharing),
        ]),
      ),
    }),
    operator: (ops, blocks, averages) =>
      blockTridiagonal(
        Object.fromEntries(blocks.map((block) => [block.name, kroneckerBlock(ops, block, averages[block.name])])),
        neighbours(blocks.filter((block) => block.kind === 'site' && hasRows(block.site))).flatMap(([to, from]) => {
          const name = linkName(to.name, from.name);
          if (!(name in averages)) return [];
          const { A, G } = averages[name];
          return [{ from: from.name, to: to.name, A, G }];
        }),
      ),
    describe: (block, sites) => {
      const linked =
        block.kind === 'site' &&
        hasRows(block.site) &&
        (sites === undefined || hasNeighbour(block.site, sites, sharing));
      return `${describeBlock(block, options)}${linked ? ', with neighbours' : ''}`;
    },
  };
};
