/**
 * The Frechet distance between two sets of features, as if both were normally distributed [HRU17].
 *
 * @module
 */
import type { Ops } from '../../../core/ops/ops.ts';
import type { Shaped } from '../../../core/tensor.ts';

/** Mean and covariance of features. */
export interface Moments<T> {
  /** `[d]`. */
  readonly mean: T;
  /** `[d, d]`. */
  readonly covariance: T;
}

/**
 * Moments of features.
 *
 * @param ops - interpreter
 * @param features - `[n, d]`
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { momentsOf } from 'kfac-ts/pipelines';
 *
 * const { mean, covariance } = momentsOf(referenceBackend().ops, tensor([1, 3], [2, 1]));
 * [mean.data[0], covariance.data[0]]; // => [2, 1]
 * ```
 */
export const momentsOf = <T extends Shaped>(ops: Ops<T>, features: T): Moments<T> => {
  const mean = ops.mean(features, [0]);
  return { mean, covariance: ops.scale(1 / features.shape[0], ops.gram(ops.sub(features, mean))) };
};

/** Turns of the iteration: an eigenvalue of 1e-6 of the trace needs 17 to come near its root, and a few to reach it. */
const turns = 26;

/** What every eigenvalue gains, as a part of their mean: their roots are off by 0.3 percent of that of the mean at most. */
const ridge = 1e-5;

/**
 * The square root of a symmetric matrix without negative eigenvalues, by the iteration of Newton and Schulz: products alone, so
 * that it can be measured wherever a model runs.
 */
const squareRoot = <T extends Shaped>(ops: Ops<T>, matrix: T): T => {
  const [d] = matrix.shape;
  const identity = ops.addDiagonal(ops.full([d, d], 0), 1);
  const size = ops.maximum(ops.trace(matrix), ops.full([], 1e-30));
  const scaled = ops.addDiagonal(ops.div(matrix, size), ridge / d);
  const { Y } = Array.from({ length: turns }).reduce<{ readonly Y: T; readonly Z: T }>(
    ({ Y: y, Z: z }) => {
      const step = ops.scale(0.5, ops.sub(ops.scale(3, identity), ops.matmul(z, y)));
      return { Y: ops.matmul(y, step), Z: ops.matmul(step, z) };
    },
    { Y: scaled, Z: identity },
  );
  return ops.mul(ops.sqrt(size), Y);
};

/**
 * ‖m₁ − m₂‖² + tr(C₁ + C₂ − 2 (C₁^½ C₂ C₁^½)^½): the squared Frechet distance of two normal distributions, shape `[]`.
 *
 * @param ops - interpreter
 * @param a - moments of one
 * @param b - moments of the other
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { frechetDistance } from 'kfac-ts/pipelines';
 *
 * // Means 3 apart, deviations 1 and 3: 9 + 4.
 * const { ops } = referenceBackend();
 * const a = { mean: tensor([0], [1]), covariance: tensor([1], [1, 1]) };
 * const b = { mean: tensor([3], [1]), covariance: tensor([9], [1, 1]) };
 * Math.round(frechetDistance(ops, a, b).data[0]); // => 13
 * ```
 */
export const frechetDistance = <T extends Shaped>(ops: Ops<T>, a: Moments<T>, b: Moments<T>): T => {
  const root = squareRoot(ops, a.covariance);
  const product = ops.matmul(root, ops.matmul(b.covariance, root));
  const symmetric = ops.scale(0.5, ops.add(product, ops.transposed(product)));
  const apart = ops.sum(ops.square(ops.sub(a.mean, b.mean)), [0]);
  const spreads = ops.add(ops.trace(a.covariance), ops.trace(b.covariance));
  return ops.add(apart, ops.sub(spreads, ops.scale(2, ops.trace(squareRoot(ops, symmetric)))));
};
