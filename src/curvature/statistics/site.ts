/**
 * Statistics of any site, by its kind.
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import { mapParams } from '../../core/params.ts';
import type { Captured, SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { denseStatistics } from './dense.ts';
import type { BlockStatistics, Statistics } from './statistics.ts';
import { combine } from './statistics.ts';

/**
 * Kronecker statistics of one site.
 *
 * @param ops - interpreter
 * @param capture - what the site saw
 */
export const siteStatistics = <T extends Shaped>(ops: Ops<T>, capture: SiteCapture<T>): Statistics<T> => {
  switch (capture.site.kind) {
    case 'dense':
      return denseStatistics(ops, capture);
  }
};

/**
 * Second moments of a parameter without a site: Σ_n g_n², from the square of cotangents summed over the batch.
 *
 * @param ops - interpreter
 * @param passes - the parameter's summed cotangents, one per pass of the estimator
 * @param examples - number of examples
 */
export const parameterStatistics = <T extends Shaped>(
  ops: Ops<T>,
  passes: ReadonlyArray<T>,
  examples: number,
): Statistics<T> => ({
  sums: { second: passes.map((g) => ops.square(g)).reduce((x, y) => ops.add(x, y)) },
  weight: examples,
});

/**
 * Statistics by site. A site that was passed several times adds up.
 *
 * @param ops - interpreter
 * @param captures - what the sites saw
 * @param ofSite - statistics of one pass through a site
 */
export const statisticsOfSites = <T extends Shaped>(
  ops: Ops<T>,
  captures: ReadonlyArray<SiteCapture<T>>,
  ofSite: (capture: SiteCapture<T>) => Statistics<T>,
): BlockStatistics<T> =>
  captures.reduce((blocks: BlockStatistics<T>, capture) => {
    const name = capture.site.path;
    const statistics = ofSite(capture);
    return { ...blocks, [name]: name in blocks ? combine(ops, blocks[name], statistics) : statistics };
  }, {});

/**
 * Second moments of all parameters without a site.
 *
 * @param ops - interpreter
 * @param captured - what a batch says about the curvature
 */
export const statisticsOfParameters = <T extends Shaped>(ops: Ops<T>, captured: Captured<T>): BlockStatistics<T> =>
  mapParams(captured.uncovered[0] ?? {}, (_, path) =>
    parameterStatistics(
      ops,
      captured.uncovered.map((pass) => pass[path]),
      captured.examples,
    ),
  );

/**
 * Statistics of all blocks of a capture, given those of one site.
 *
 * @param ops - interpreter
 * @param captured - what a batch says about the curvature
 * @param ofSite - statistics of one pass through a site
 */
export const statisticsBy = <T extends Shaped>(
  ops: Ops<T>,
  captured: Captured<T>,
  ofSite: (capture: SiteCapture<T>) => Statistics<T>,
): BlockStatistics<T> => ({
  ...statisticsOfSites(ops, captured.sites, ofSite),
  ...statisticsOfParameters(ops, captured),
});

/**
 * Kronecker statistics of all blocks of a capture.
 *
 * @param ops - interpreter
 * @param captured - what a batch says about the curvature
 */
export const blockStatistics = <T extends Shaped>(ops: Ops<T>, captured: Captured<T>): BlockStatistics<T> =>
  statisticsBy(ops, captured, (capture) => siteStatistics(ops, capture));
