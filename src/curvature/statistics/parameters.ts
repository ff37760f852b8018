/**
 * Second moments of parameters without a site.
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import { mapParams } from '../../core/params.ts';
import type { Captured } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { BlockStatistics, Statistics } from './statistics.ts';

/**
 * Second moments of a parameter without a site: Σ_n g_n², from squares of cotangents that are summed over examples.
 *
 * What one example adds to a sum is not known without a site. Where the terms have mean zero and are independent between
 * examples, as under sampled targets and with random signs, the square of their sum is an unbiased estimate of the sum of
 * their squares, with a relative error of order one that the moving average reduces; of a single example it is exact. Gains
 * and shifts have the exact moments as `scaleShift` layers, positions as an `embedding`.
 *
 * @param ops - interpreter
 * @param sums - the parameter's summed cotangents, for each pass of the estimator and each group of examples
 * @param examples - number of examples
 */
export const parameterStatistics = <T extends Shaped>(
  ops: Ops<T>,
  sums: ReadonlyArray<T>,
  examples: number,
): Statistics<T> => ({
  sums: { second: sums.map((g) => ops.square(g)).reduce((x, y) => ops.add(x, y)) },
  weight: examples,
});

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
      captured.uncovered.map((sum) => sum[path]),
      captured.examples,
    ),
  );
