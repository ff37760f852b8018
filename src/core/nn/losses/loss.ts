/**
 * What a loss is: the negative log-likelihood of a predictive distribution p(y | outputs), and what curvature asks of it.
 *
 * Everything is per example and nothing is divided by the batch, so that λ means the same for every batch size.
 * Outputs are natural parameters (logits, means), for which the Hessian H of the loss does not depend on the targets and
 * equals the Fisher information: E[g gᵀ] = H for targets y ~ p(y | outputs) and g = ∂ℓ/∂outputs.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import type { Ops } from '../../ops/ops.ts';
import { axesOf } from '../../ops/shapes.ts';
import type { Key } from '../../random/key.ts';
import type { Shape, Shaped } from '../../tensor.ts';
import { sameShape, showShape } from '../../tensor.ts';
import type { Admissible } from '../admissible.ts';

/** A loss ℓ of outputs and targets, both `[n, …]`. */
export interface Loss {
  readonly name: string;
  /**
   * ℓ for each example: `[n]`. With weights `[n]`, or `[n, …]` for the positions of each, its terms are multiplied by them.
   */
  readonly value: <T extends Shaped>(ops: Ops<T>, outputs: T, targets: T, weights?: T | null) => T;
  /** ∂ℓ/∂outputs for each example, with the shape of the outputs. */
  readonly gradient: <T extends Shaped>(ops: Ops<T>, outputs: T, targets: T) => T;
  /** Targets drawn from p(y | outputs), one per example. */
  readonly sample: <T extends Shaped>(ops: Ops<T>, key: Key, outputs: T) => T;
  /**
   * A gradient drawn for each example, of mean 0 and covariance H: that of the loss at a sampled target unless given. A loss
   * whose H is not that of its own targets says how.
   */
  readonly score?: <T extends Shaped>(ops: Ops<T>, key: Key, outputs: T) => T;
  /** H v for each example; v has the shape of the outputs. */
  readonly hessianProduct: <T extends Shaped>(ops: Ops<T>, outputs: T, v: T) => T;
  /**
   * B with B Bᵀ = H for each example, as a map z ↦ B z: z broadcasts to the shape of the outputs, and B z has it. What does
   * not depend on z is computed once.
   */
  readonly squareRoot: <T extends Shaped>(ops: Ops<T>, outputs: T) => (z: T) => T;
  /**
   * Which positions count, by their targets: 1 or 0 for each, `[n, …]`. Those of 0 have no weight, as if the batch said so. All
   * count unless given.
   */
  readonly counts?: <T extends Shaped>(ops: Ops<T>, targets: T) => T;
  /**
   * Where it is a mean over positions, their number T: weights then have a mean of 1 over positions, and not over examples, and
   * g gᵀ of sampled targets is H / T in expectation.
   */
  readonly positions?: (outputs: Shape) => number;
  /**
   * Which numbers targets of a shape may be, for outputs of a shape: any, unless given. Trainers look at targets in host
   * memory, where a wrong one can be named.
   */
  readonly admits?: (outputs: Shape, targets: Shape) => Admissible | null;
}

/**
 * x with weights of its examples, or of their positions; 0 where a weight is, whatever x is there.
 *
 * @param ops - interpreter
 * @param weights - w `[n, …]`, whose axes are the first of x's; `null` for none
 * @param x - `[n, …]`
 * @example
 * ```ts
 * import { referenceBackend, tensor, weighed } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * weighed(ops, tensor([1, 0], [2]), tensor([1, 2, 3, 4], [2, 2])).data; // => [1, 2, 0, 0]
 * ```
 */
export const weighed = <T extends Shaped>(ops: Ops<T>, weights: T | null, x: T): T => {
  if (weights === null) return x;
  const { shape } = weights;
  if (!sameShape(shape, x.shape.slice(0, shape.length))) {
    return raise({
      _tag: 'ShapeMismatch',
      where: 'weights',
      expected: `weights of the examples, or of their positions: the first axes of ${showShape(x.shape)}`,
      actual: showShape(shape),
    });
  }
  const factors = ops.reshape(
    weights,
    x.shape.map((extent, axis) => (axis < shape.length ? extent : 1)),
  );
  // What weighs nothing counts for nothing, be it infinite or no number.
  return ops.select(factors, ops.mul(factors, x), ops.full([], 0));
};

/**
 * The sum of each example's elements: `[n, …]` to `[n]`.
 *
 * @param ops - interpreter
 * @param x - an array with the batch axis first
 * @param weights - multiplied in, see {@link weighed}
 * @example
 * ```ts
 * import { referenceBackend, sumPerExample, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * sumPerExample(ops, tensor([1, 2, 3, 4], [2, 2])).data; // => [3, 7]
 * ```
 */
export const sumPerExample = <T extends Shaped>(ops: Ops<T>, x: T, weights: T | null = null): T =>
  ops.sum(weighed(ops, weights, x), axesOf(x.shape).slice(1));

/**
 * The targets, checked to have the shape of the outputs: targets that merely broadcast would give a wrong loss in silence.
 *
 * @param where - name of the loss
 * @param outputs - model outputs
 * @param targets - what may be their targets
 * @example
 * ```ts
 * import { attempt, referenceBackend, targetsLike, tensor } from 'kfac-ts/core';
 *
 * const outputs = tensor([1, 2, 3, 4], [2, 2]);
 * attempt(() => targetsLike('my loss', outputs, tensor([1, 2], [2])))._tag; // => 'Left'
 * ```
 */
export const targetsLike = <T extends Shaped>(where: string, outputs: T, targets: T): T =>
  sameShape(outputs.shape, targets.shape)
    ? targets
    : raise({
        _tag: 'ShapeMismatch',
        where,
        expected: `targets ${showShape(outputs.shape)} like the outputs`,
        actual: showShape(targets.shape),
      });
