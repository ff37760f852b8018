/**
 * Losses whose terms weigh differently by class, and what curvature makes of them.
 *
 * A class of weight w counts as if it came w times. A model that is trained on such a loss gives probabilities p of a world in
 * which it does, and so believes of this one that the class has a probability q in proportion to p / w. The Hessian of the
 * loss depends on the class; H is its expectation under q, which is that over the data where the model is right. What `sample`
 * gives is no observation but a target whose gradient has mean 0 and covariance H.
 *
 * @module
 */
import { raise } from '../../errors.ts';

/**
 * Weights above 0.
 *
 * @param path - the setting
 * @param weights - one for each class
 */
export const positiveWeights = (path: string, weights: ReadonlyArray<number>): ReadonlyArray<number> =>
  weights.length > 0 && weights.every((w) => Number.isFinite(w) && w > 0)
    ? weights
    : raise({
        _tag: 'BadConfig',
        path,
        expected: 'numbers above 0, one for each class or output',
        actual: JSON.stringify(weights),
      });
