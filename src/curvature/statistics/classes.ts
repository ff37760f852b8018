/**
 * Kronecker statistics kept apart by class of the target.
 *
 * Sums, like all statistics, are divided by the number of all examples, so they average to π_c A_c, π_c G_c and π_c. A
 * class that a batch lacks adds nothing to any of the three, and their quotients are right over any number of batches.
 *
 * Every class takes a product over all examples, with those of other classes multiplied by zero: which rows belong to a
 * class is known to the device only. C classes cost C times the statistics of K-FAC.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../../core/errors.ts';
import { weighed } from '../../core/nn/losses/loss.ts';
import { raise } from '../../core/errors.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import { firstFraction, firstOutside } from '../../core/rows.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import { showShape, sizeOf } from '../../core/tensor.ts';
import { cotangentGram } from './factors.ts';
import type { SharedRows } from './sharing.ts';
import type { Statistics } from './statistics.ts';

/** Least divisor: the term of a class that was never seen is zero. */
const tiny = 1e-30;

/**
 * How much each example belongs to each class.
 *
 * @param ops - interpreter
 * @param targets - class indices `[n]`, or probabilities `[n, classes]`; an index outside belongs to no class
 * @param classes - number of classes
 * @returns `[n, classes]`
 */
export const classWeights = <T extends Shaped>(ops: Ops<T>, targets: T, classes: number): T => {
  const { shape } = targets;
  if (shape.length === 1) return ops.oneHot(targets, classes);
  return shape.length === 2 && shape[1] === classes
    ? targets
    : raise({
        _tag: 'ShapeMismatch',
        where: 'classKfac',
        expected: `targets [n] (class indices) or [n, ${classes}] (probabilities)`,
        actual: showShape(shape),
      });
};

/**
 * Targets that classes can be told by: every index is one of the classes, every probability a number of at least 0.
 *
 * @param targets - class indices `[n]`, or probabilities `[n, classes]`
 * @param classes - number of classes
 * @returns the targets, or the first example without a class
 */
export const checkClasses = (targets: Tensor, classes: number): E.Either<KfacError, Tensor> => {
  const { shape, data, dtype } = targets;
  const areIndices = shape.length === 1;
  const outside = firstOutside(data, 0, areIndices ? classes - 1 : Number.MAX_VALUE);
  const at = outside < 0 && areIndices && dtype !== 'i32' ? firstFraction(data, 1) : outside;
  return at < 0
    ? E.right(targets)
    : E.left({
        _tag: 'BadData',
        source: 'targets',
        expected: `${areIndices ? `classes from 0 to ${classes - 1}` : 'probabilities, of at least 0'}, for classKfac with ${classes} classes`,
        actual: `${data[at]} in example ${Math.floor(at / sizeOf(shape.slice(1)))}`,
        advice: 'Give it the number of classes that the targets have, and targets that are classes.',
      });
};

/**
 * Sums over examples, class by class.
 *
 * @param ops - interpreter
 * @param rows - ā `[rows, in]` and cotangents `[rows, out]` per pass, some rows for each of n examples
 * @param weights - w `[n, classes]` of {@link classWeights}, the same at all positions of an example
 * @param examples - weights `[n]` of the examples, whose roots are in the rows; none where all weigh alike
 * @returns sums `A:c` = Σ_n w_nc ā āᵀ, `G:c` = Σ_n w_nc g gᵀ, and `pi` = Σ_n w_n `[classes]`, of weight n
 */
export const classStatistics = <T extends Shaped>(
  ops: Ops<T>,
  rows: SharedRows<T>,
  weights: T,
  examples: T | null = null,
): Statistics<T> => {
  const [n, classes] = weights.shape;
  const { input, cotangents, positions } = rows;
  if (input.shape[0] !== n * positions) {
    return raise({
      _tag: 'ShapeMismatch',
      where: 'classKfac',
      expected: `${n} examples, one for each target`,
      actual: `${input.shape[0] / positions}`,
    });
  }
  const repeated =
    positions === 1
      ? weights
      : ops.reshape(ops.broadcastTo(ops.reshape(weights, [n, 1, classes]), [n, positions, classes]), [
          n * positions,
          classes,
        ]);
  const roots = ops.sqrt(repeated);
  const factors = Array.from({ length: classes }, (_, c): ReadonlyArray<readonly [string, T]> => {
    const [A, G] = ops.within((on) => {
      const root = on.slice(roots, [0, c], [n * positions, 1]);
      const weighted = cotangents.map((g) => on.mul(root, g));
      const both = [on.gram(on.mul(root, input)), cotangentGram(on, { cotangents: weighted, positions })];
      return [both, both];
    });
    return [
      [`A:${c}`, A],
      [`G:${c}`, G],
    ];
  });
  return {
    sums: { pi: ops.sum(weighed(ops, examples, weights), [0]), ...Object.fromEntries(factors.flat()) },
    weight: n,
  };
};

/** A_c and π_c G_c. */
export interface ClassFactors<T> {
  readonly A: T;
  readonly G: T;
}

/**
 * The factors of each class from the averages of {@link classStatistics}, with π_c in G: Σ_c A_c ⊗ (π_c G_c).
 *
 * @param ops - interpreter
 * @param averages - `A:c`, `G:c` and `pi`
 */
export const classFactors = <T extends Shaped>(ops: Ops<T>, averages: Params<T>): ReadonlyArray<ClassFactors<T>> => {
  const { pi } = averages;
  return Array.from({ length: pi.shape[0] }, (_, c) => {
    const frequency = ops.reshape(ops.slice(pi, [c], [1]), []);
    return {
      A: ops.div(averages[`A:${c}`], ops.maximum(frequency, ops.full([], tiny))),
      G: averages[`G:${c}`],
    };
  });
};
