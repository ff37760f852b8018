/**
 * Statistics of the sites of a capture, each by its kind.
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import type { Captured, SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { statisticsOfParameters } from '../statistics/parameters.ts';
import type { BlockStatistics, Statistics } from '../statistics/statistics.ts';
import { capturesOf } from './captures.ts';
import { forgetting } from './byExamples.ts';
import { siteBlock } from './kinds.ts';
import type { SiteOptions } from './options.ts';

/**
 * Kronecker statistics of one site; full or diagonal ones of gain and shift.
 *
 * @param ops - interpreter
 * @param capture - what the site saw
 * @param options - how sites are treated
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { siteStatistics } from 'kfac-ts/curvature';
 *
 * // Sums over two examples: Σ a² and Σ g².
 * const { ops } = referenceBackend();
 * const site = { kind: 'dense', path: '', weight: 'weight', bias: null } as const;
 * const captured = { site, input: tensor([5, 6], [2, 1]), cotangents: [tensor([1, 2], [2, 1])] };
 * const { sums, weight } = siteStatistics(ops, captured);
 * [sums.A.data[0], sums.G.data[0], weight]; // => [61, 5, 2]
 * ```
 */
export const siteStatistics = <T extends Shaped>(
  ops: Ops<T>,
  capture: SiteCapture<T>,
  options: SiteOptions = {},
): Statistics<T> => siteBlock(capture.site).statistics(ops, capture, options);

/**
 * Rows vec(V_n)ᵀ, column-stacked as operators are: V_n = Σ_t g_t ā_tᵀ for a dense site, with one-hot vectors for a at an
 * embedding, and (Σ_t g_t ⊙ a_t, Σ_t g_t) for gain and shift.
 *
 * @param ops - interpreter
 * @param capture - what the site saw
 * @returns `[n, d]` for each pass, d parameters
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { perExampleGradients } from 'kfac-ts/curvature';
 *
 * // V = g ā ᵀ of two examples, with 1 appended to a for the bias.
 * const { ops } = referenceBackend();
 * const site = { kind: 'dense', path: '', weight: 'weight', bias: 'bias' } as const;
 * const captured = { site, input: tensor([5, 6], [2, 1]), cotangents: [tensor([1, 2], [2, 1])] };
 * perExampleGradients(ops, captured)[0].data; // => [5, 1, 12, 2]
 * ```
 */
export const perExampleGradients = <T extends Shaped>(ops: Ops<T>, capture: SiteCapture<T>): ReadonlyArray<T> =>
  siteBlock(capture.site).gradients(ops, capture);

/**
 * Number of parameters of a site, which is the length of {@link perExampleGradients}' rows.
 *
 * @param capture - what the site saw
 */
export const orderOfSite = <T extends Shaped>(capture: SiteCapture<T>): number =>
  siteBlock(capture.site).order(capture);

/**
 * Statistics of one site, made with operations that forget whatever else they give: what one site needs on the way is gone when
 * the next one's turn comes.
 */
export type OfSite<T extends Shaped> = (capture: SiteCapture<T>, on: Ops<T>) => Statistics<T>;

/**
 * Statistics by site. Several uses of a site are positions of the same examples, and count once.
 *
 * @param ops - interpreter
 * @param captured - what a batch says about the curvature
 * @param ofSite - statistics of one site
 */
const statisticsOfSites = <T extends Shaped>(
  ops: Ops<T>,
  captured: Captured<T>,
  ofSite: OfSite<T>,
): BlockStatistics<T> =>
  Object.fromEntries(
    capturesOf(ops, captured).map((capture) => [
      capture.site.path,
      forgetting(ops, capture, (on) => ofSite(capture, on)),
    ]),
  );

/**
 * Statistics of all blocks of a capture, given those of one site.
 *
 * @param ops - interpreter
 * @param captured - what a batch says about the curvature
 * @param ofSite - statistics of one site
 * @example
 * ```ts
 * import type { Curvature } from 'kfac-ts/curvature';
 * import { kfac, siteStatistics, statisticsBy } from 'kfac-ts/curvature';
 *
 * // Positions are summed first at one site, and count as examples at the others.
 * const own: Curvature = {
 *   ...kfac(),
 *   name: 'own',
 *   statistics: (ops, captured) =>
 *     statisticsBy(ops, captured, (seen) =>
 *       siteStatistics(ops, seen, { sharing: seen.site.path === '0' ? 'reduce' : 'expand' }),
 *     ),
 * };
 * ```
 */
export const statisticsBy = <T extends Shaped>(
  ops: Ops<T>,
  captured: Captured<T>,
  ofSite: OfSite<T>,
): BlockStatistics<T> => ({
  ...statisticsOfSites(ops, captured, ofSite),
  ...statisticsOfParameters(ops, captured),
});

/**
 * Kronecker statistics of all blocks of a capture.
 *
 * @param ops - interpreter
 * @param captured - what a batch says about the curvature
 * @param options - how sites are treated
 * @example
 * ```ts
 * import type { Curvature } from 'kfac-ts/curvature';
 * import { blockStatistics, kfac } from 'kfac-ts/curvature';
 *
 * // What K-FAC does, spelled out: a place for statistics of one's own.
 * const own: Curvature = {
 *   ...kfac(),
 *   name: 'own',
 *   statistics: (ops, captured) => blockStatistics(ops, captured, { sharing: 'reduce' }),
 * };
 * ```
 */
export const blockStatistics = <T extends Shaped>(
  ops: Ops<T>,
  captured: Captured<T>,
  options: SiteOptions = {},
): BlockStatistics<T> => statisticsBy(ops, captured, (capture, on) => siteStatistics(on, capture, options));
