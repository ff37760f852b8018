/**
 * Block-tridiagonal K-FAC [MG15 §4.3]: beside its own A ⊗ G every site keeps, with the next one, the cross statistics
 * Ā_(i−1,i) ⊗ G_(i,i+1).
 *
 * The operator is block-tridiagonal with these blocks. The model whose *inverse* is block-tridiagonal, which agrees with
 * it on those blocks and is always positive definite, is the business of the solver.
 *
 * @module
 */
import { raise } from '../core/errors.ts';
import { blockTridiagonal } from '../core/operators/linearOperator.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { SiteCapture } from '../core/pipeline/context.ts';
import type { Shaped } from '../core/tensor.ts';
import type { Curvature } from './curvature.ts';
import type { KfacOptions } from './kfac.ts';
import { kroneckerBlock } from './kfac.ts';
import { homogeneous } from './statistics/dense.ts';
import { blockStatistics } from './statistics/site.ts';
import type { Statistics } from './statistics/statistics.ts';

/** Name of the averages of two neighbours. */
const linkName = (first: string, second: string): string => `${first}→${second}`;

const neighbours = <A>(chain: ReadonlyArray<A>): ReadonlyArray<readonly [A, A]> =>
  chain.slice(1).map((next, i) => [chain[i], next]);

const brokenAt = (path: string, actual: string): never =>
  raise({
    _tag: 'BadConfig',
    path,
    expected: 'sites in a chain, each passed once and feeding the next, for block-tridiagonal curvature',
    actual,
  });

/** The sites, if they form a chain. */
const chainOf = <T extends Shaped>(sites: ReadonlyArray<SiteCapture<T>>): ReadonlyArray<SiteCapture<T>> => {
  const again = sites.find(({ site }, i) => sites.findIndex((other) => other.site.path === site.path) < i);
  if (again !== undefined) return brokenAt(again.site.path, 'a site that is passed several times');
  neighbours(sites).forEach(([a, b]) => {
    const [rows, out] = a.cotangents[0].shape;
    if (b.input.shape[0] !== rows) brokenAt(b.site.path, `${b.input.shape[0]} rows after ${rows} at ${a.site.path}`);
    if (b.input.shape[1] !== out)
      brokenAt(b.site.path, `${b.input.shape[1]} inputs after ${out} outputs at ${a.site.path}`);
  });
  return sites;
};

/**
 * Sums over the examples of two neighbours' captures.
 *
 * @param ops - interpreter
 * @param first - site i: inputs `[n, in]`, cotangents `[n, out]` per pass
 * @param second - site i + 1: inputs `[n, in′]`, cotangents `[n, out′]` per pass
 * @returns sums `A` = Σ ā_i ā_(i+1)ᵀ `[in + 1, in′ + 1]` and `G` = Σ g_i g_(i+1)ᵀ `[out, out′]`, of weight n
 */
export const crossStatistics = <T extends Shaped>(
  ops: Ops<T>,
  first: SiteCapture<T>,
  second: SiteCapture<T>,
): Statistics<T> => {
  const A = ops.matmul(homogeneous(ops, first), homogeneous(ops, second), { transposeA: true });
  const G = first.cotangents
    .map((g, pass) => ops.matmul(g, second.cotangents[pass], { transposeA: true }))
    .reduce((x, y) => ops.add(x, y));
  return { sums: { A, G }, weight: first.input.shape[0] };
};

/**
 * Block-tridiagonal K-FAC. Sites must form a chain in the order of the forward pass, as those of a sequential model do.
 *
 * @param options - decay and strictness
 */
export const tridiagonalKfac = (options: KfacOptions = {}): Curvature => ({
  name: 'tridiagonalKfac',
  decay: options.decay ?? 0.95,
  strict: options.strict ?? false,
  statistics: (ops, captured) => ({
    ...blockStatistics(ops, captured),
    ...Object.fromEntries(
      neighbours(chainOf(captured.sites)).map(([a, b]) => [
        linkName(a.site.path, b.site.path),
        crossStatistics(ops, a, b),
      ]),
    ),
  }),
  operator: (_, blocks, averages) =>
    blockTridiagonal(
      Object.fromEntries(blocks.map((block) => [block.name, kroneckerBlock(block, averages[block.name])])),
      neighbours(blocks.filter(({ kind }) => kind === 'site')).map(([to, from]) => {
        const { A, G } = averages[linkName(to.name, from.name)];
        return { from: from.name, to: to.name, A, G };
      }),
    ),
  describe: (block) => (block.kind === 'site' ? 'A ⊗ G, with neighbours' : 'diagonal'),
});
