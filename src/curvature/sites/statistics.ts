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
import { siteBlock } from './kinds.ts';
import type { SiteOptions } from './options.ts';

/**
 * Kronecker statistics of one site; full or diagonal ones of gain and shift.
 *
 * @param ops - interpreter
 * @param capture - what the site saw
 * @param options - how sites are treated
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
 * Statistics by site. Several uses of a site are positions of the same examples, and count once.
 *
 * @param ops - interpreter
 * @param captured - what a batch says about the curvature
 * @param ofSite - statistics of one site
 */
export const statisticsOfSites = <T extends Shaped>(
  ops: Ops<T>,
  captured: Captured<T>,
  ofSite: (capture: SiteCapture<T>) => Statistics<T>,
): BlockStatistics<T> =>
  Object.fromEntries(capturesOf(ops, captured).map((capture) => [capture.site.path, ofSite(capture)]));

/**
 * Statistics of all blocks of a capture, given those of one site.
 *
 * @param ops - interpreter
 * @param captured - what a batch says about the curvature
 * @param ofSite - statistics of one site
 */
export const statisticsBy = <T extends Shaped>(
  ops: Ops<T>,
  captured: Captured<T>,
  ofSite: (capture: SiteCapture<T>) => Statistics<T>,
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
 */
export const blockStatistics = <T extends Shaped>(
  ops: Ops<T>,
  captured: Captured<T>,
  options: SiteOptions = {},
): BlockStatistics<T> => statisticsBy(ops, captured, (capture) => siteStatistics(ops, capture, options));
