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
import { embeddingStatistics } from './embedding.ts';
import type { ScaleShiftKind } from './scaleShift.ts';
import { scaleShiftStatistics } from './scaleShift.ts';
import type { Sharing } from './sharing.ts';
import { capturesOf } from './sharing.ts';
import type { BlockStatistics, Statistics } from './statistics.ts';

/** How sites are treated. */
export interface SiteOptions {
  /** Weights that meet one example at several positions, `expand` unless given; see {@link Sharing}. */
  readonly sharing?: Sharing;
  /** Second moments of gain and shift, `full` unless given. */
  readonly scaleShift?: ScaleShiftKind;
}

/**
 * Kronecker statistics of one site; full or diagonal ones of gain and shift. A new kind of site joins here.
 *
 * @param ops - interpreter
 * @param capture - what the site saw
 * @param options - how sites are treated
 */
export const siteStatistics = <T extends Shaped>(
  ops: Ops<T>,
  capture: SiteCapture<T>,
  options: SiteOptions = {},
): Statistics<T> => {
  const { site } = capture;
  switch (site.kind) {
    case 'dense':
      return denseStatistics(ops, { ...capture, site }, options.sharing);
    case 'embedding':
      return embeddingStatistics(ops, { ...capture, site });
    case 'scaleShift':
      return scaleShiftStatistics(ops, { ...capture, site }, options.scaleShift);
  }
};

/**
 * Second moments of a parameter without a site: Σ_n g_n², from the square of cotangents summed over the batch.
 *
 * What one example adds to the sum is not known without a site. Under sampled targets the terms have mean zero and are
 * independent between examples, so the square of their sum is an unbiased estimate of the sum of their squares, with a
 * relative error of order one that the moving average reduces. Gains and shifts have the exact moments as
 * `scaleShift` layers, positions as an `embedding`.
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
