/**
 * Measures besides the loss. Each is a mean over the examples of a data set, or over the terms of all of them (tokens,
 * pixels), and sees their weights.
 *
 * @module
 */
import { raise } from '../../core/errors.ts';
import type { Ops } from '../../core/ops/ops.ts';
import { axesOf } from '../../core/ops/shapes.ts';
import { firstMarked } from '../../core/nn/firstMarked.ts';
import { weighed } from '../../core/nn/losses/loss.ts';
import type { Weights } from '../../core/pipeline/objective.ts';
import type { Shaped } from '../../core/tensor.ts';
import { sameShape, showShape, sizeOf } from '../../core/tensor.ts';
import type { Weighed } from '../trainer/learning.ts';

/** A number that says how good outputs are: its sum over a batch, and the weights that the sum is over. */
export type Measure = <T extends Shaped>(ops: Ops<T>, outputs: T, targets: T, weights: Weights<T> | null) => Weighed<T>;

/** A number for each example `[n]`, or for each of its terms `[n, …]`. */
export type Terms = <T extends Shaped>(ops: Ops<T>, outputs: T, targets: T) => T;

const sumOf = <T extends Shaped>(ops: Ops<T>, weights: Weights<T> | null, values: T): T =>
  ops.sum(weighed(ops, weights?.terms ?? null, values), axesOf(values.shape));

/**
 * A measure that sums the terms of an example and takes the mean over examples, as losses do.
 *
 * @param terms - `[n, …]`
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { perExample } from 'kfac-ts/pipelines';
 *
 * // Σ |o − y| of each example.
 * const distance = perExample((ops, outputs, targets) => ops.abs(ops.sub(outputs, targets)));
 * const { ops } = referenceBackend();
 * const { sum, weight } = distance(ops, tensor([1, 2, 3, 4], [2, 2]), tensor([0, 0, 0, 0], [2, 2]), null);
 * [sum.data[0], weight]; // => [10, 2]
 * ```
 */
export const perExample =
  (terms: Terms): Measure =>
  (ops, outputs, targets, weights) => {
    const values = terms(ops, outputs, targets);
    return {
      sum: sumOf(ops, weights, values),
      weight: weights === null ? values.shape[0] : ops.sum(weights.examples, [0]),
    };
  };

/**
 * A measure that takes the mean over all terms of all examples.
 *
 * @param terms - `[n, …]`
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { perTerm } from 'kfac-ts/pipelines';
 *
 * // |o − y| of each pixel.
 * const distance = perTerm((ops, outputs, targets) => ops.abs(ops.sub(outputs, targets)));
 * const { ops } = referenceBackend();
 * const { sum, weight } = distance(ops, tensor([1, 2, 3, 4], [2, 2]), tensor([0, 0, 0, 0], [2, 2]), null);
 * [sum.data[0], weight]; // => [10, 4]
 * ```
 */
export const perTerm =
  (terms: Terms): Measure =>
  (ops, outputs, targets, weights) => {
    const values = terms(ops, outputs, targets);
    const sum = sumOf(ops, weights, values);
    if (weights === null) return { sum, weight: sizeOf(values.shape) };
    const { shape } = weights.terms;
    return { sum, weight: ops.scale(sizeOf(values.shape.slice(shape.length)), ops.sum(weights.terms, axesOf(shape))) };
  };

/**
 * The part of the examples, or of their positions, whose class has the highest logit, the first of equally high ones: logits
 * `[n, …, classes]` and class indices `[n, …]`, or probabilities `[n, …, classes]`, of which the highest counts.
 *
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { accuracy } from 'kfac-ts/pipelines';
 *
 * const { ops } = referenceBackend();
 * const logits = tensor([2, 1, 0, 3], [2, 2]);
 * const { sum, weight } = accuracy(ops, logits, tensor([0, 0], [2], 'i32'), null);
 * [sum.data[0], weight]; // => [1, 2]
 * ```
 */
export const accuracy: Measure = perTerm((ops, outputs, targets) => {
  const { shape } = outputs;
  const last = shape.length - 1;
  const positions = shape.slice(0, last);
  if (!(shape[last] >= 2)) {
    return raise({
      _tag: 'ShapeMismatch',
      where: 'accuracy',
      expected: 'outputs [n, …, classes] of at least 2 classes',
      actual: showShape(shape),
    });
  }
  const highest = <T extends Shaped>(on: Ops<T>, x: T): T =>
    firstMarked(on, on.equal(x, on.reshape(on.max(x, [last]), [...positions, 1])));
  const classOf = (): typeof outputs => {
    if (sameShape(targets.shape, positions)) return ops.oneHot(targets, shape[last]);
    return sameShape(targets.shape, shape)
      ? highest(ops, targets)
      : raise({
          _tag: 'ShapeMismatch',
          where: 'accuracy',
          expected: `targets ${showShape(positions)} (class indices) or ${showShape(shape)} (probabilities)`,
          actual: showShape(targets.shape),
        });
  };
  return ops.sum(ops.mul(highest(ops, outputs), classOf()), [last]);
});

/**
 * Σ (σ(o) − y)² of an example, for logits o of grey levels y.
 *
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { sigmoidSquaredError } from 'kfac-ts/pipelines';
 *
 * const { ops } = referenceBackend();
 * sigmoidSquaredError(ops, tensor([0], [1, 1]), tensor([1], [1, 1]), null).sum.data; // => [0.25]
 * ```
 */
export const sigmoidSquaredError: Measure = perExample((ops, outputs, targets) =>
  ops.square(ops.sigmoidMinus(outputs, targets)),
);
