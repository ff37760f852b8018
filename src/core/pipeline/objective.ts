/**
 * What a network is trained on: a model, a loss, and the arrays of the batch that the loss looks at.
 *
 * A batch may weigh its examples, or the positions of each (a mask is a weight of 0 or 1): by an array `weights` whose axes
 * are the first of the outputs'. Weights are relative: they are divided by the mean weight of the batch's examples, an
 * example weighing as much as its heaviest position, so that a batch with half its rows masked is the other half, in the
 * loss, in the gradient and in the Fisher. Of a loss that is a mean over positions they are divided by the mean weight of the
 * batch's positions instead.
 *
 * @module
 */
import { arrayAt } from '../nn/layers/circumstances.ts';
import type { Loss } from '../nn/losses/loss.ts';
import { weighed } from '../nn/losses/loss.ts';
import type { Model, ModelProgram } from '../nn/model.ts';
import type { Ops } from '../ops/ops.ts';
import { axesOf } from '../ops/shapes.ts';
import type { Params } from '../params.ts';
import type { Shaped } from '../tensor.ts';

/** Outputs of a model, judged by a loss. */
export interface Objective {
  readonly model: Model;
  readonly loss: Loss;
  /** Name of the batch's array of targets, `targets` unless given. */
  readonly targets?: string;
  /** Name of the batch's array of weights, `weights` unless given; a batch without it weighs all alike. */
  readonly weights?: string;
  /**
   * A term that is added to the mean loss, shape `[]`: a function of the parameters and of all that the model is applied to, in
   * which a gradient may stand as well as a value. It is part of the loss and of its gradient; no curvature sees it.
   */
  readonly penalty?: ModelProgram;
}

/** Weights of a batch. Those that losses and estimators see have a mean of 1 over the examples. */
export interface Weights<T> {
  /** Of each example, or of each of its positions: `[n, …]`. */
  readonly terms: T;
  /** Of each example, that of its heaviest position: `[n]`. */
  readonly examples: T;
}

/** What the loss looks at, besides the outputs. */
export interface Judging<T> {
  readonly targets: T;
  readonly weights: Weights<T> | null;
}

/** Weights of examples, or of their positions, times others; the axes of one are the first of the other's. */
const product = <T extends Shaped>(ops: Ops<T>, a: T, b: T): T =>
  a.shape.length <= b.shape.length ? weighed(ops, a, b) : weighed(ops, b, a);

/** Least mean weight: a batch that is masked throughout has a loss of 0. */
const tiny = 1e-30;

/**
 * Targets and weights of a batch as they are given.
 *
 * @param ops - interpreter
 * @param objective - which arrays they are
 * @param batch - arrays by name
 */
export const givenOf = <T extends Shaped>(ops: Ops<T>, objective: Objective, batch: Params<T>): Judging<T> => {
  const { loss, targets = 'targets', weights = 'weights' } = objective;
  const found = arrayAt(batch, targets, `loss ${loss.name}`);
  const given = Object.hasOwn(batch, weights) ? batch[weights] : null;
  const counted = loss.counts === undefined ? null : loss.counts(ops, found);
  const terms = given === null || counted === null ? (given ?? counted) : product(ops, given, counted);
  if (terms === null) return { targets: found, weights: null };
  const positions = axesOf(terms.shape).slice(1);
  return { targets: found, weights: { terms, examples: positions.length === 0 ? terms : ops.max(terms, positions) } };
};

/**
 * Targets of a batch, and its weights made to have a mean of 1.
 *
 * @param ops - interpreter
 * @param objective - which arrays they are
 * @param batch - arrays by name
 * @example
 * ```ts
 * import { dense, judgingOf, meanLoss, model, referenceBackend, squaredError, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const objective = { model: model('linear', [1], dense({ in: 1, out: 1 })), loss: squaredError };
 * const targets = tensor([0, 0], [2, 1]);
 * const masked = judgingOf(ops, objective, { targets, weights: tensor([1, 0], [2]) });
 * // ½ 2², the second example does not count.
 * meanLoss(ops, squaredError, tensor([2, 9], [2, 1]), masked).data; // => [2]
 * ```
 */
export const judgingOf = <T extends Shaped>(ops: Ops<T>, objective: Objective, batch: Params<T>): Judging<T> => {
  const given = givenOf(ops, objective, batch);
  if (given.weights === null) return given;
  const { terms, examples } = given.weights;
  const ofMeanOne = (x: T, counted: T): T =>
    ops.div(x, ops.maximum(ops.mean(counted, axesOf(counted.shape)), ops.full([], tiny)));
  return {
    ...given,
    weights: {
      terms: ofMeanOne(terms, objective.loss.positions === undefined ? examples : terms),
      examples: ofMeanOne(examples, examples),
    },
  };
};

/**
 * The mean loss over examples, shape `[]`.
 *
 * @param ops - interpreter
 * @param loss - ℓ
 * @param outputs - `[n, …]`
 * @param judging - targets and weights
 * @example
 * ```ts
 * import { meanLoss, referenceBackend, squaredError, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const judging = { targets: tensor([0, 0], [2, 1]), weights: null };
 * meanLoss(ops, squaredError, tensor([2, 4], [2, 1]), judging).data; // => [5]
 * ```
 */
export const meanLoss = <T extends Shaped>(ops: Ops<T>, loss: Loss, outputs: T, { targets, weights }: Judging<T>): T =>
  ops.mean(loss.value(ops, outputs, targets, weights?.terms ?? null), [0]);

/**
 * ∂ℓ/∂outputs for each example, weighed.
 *
 * @param ops - interpreter
 * @param loss - ℓ
 * @param outputs - `[n, …]`
 * @param judging - targets and weights
 * @example
 * ```ts
 * import { lossGradient, referenceBackend, squaredError, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const judging = { targets: tensor([0, 1], [2, 1]), weights: null };
 * lossGradient(ops, squaredError, tensor([2, 4], [2, 1]), judging).data; // => [2, 3]
 * ```
 */
export const lossGradient = <T extends Shaped>(
  ops: Ops<T>,
  loss: Loss,
  outputs: T,
  { targets, weights }: Judging<T>,
): T => weighed(ops, weights?.terms ?? null, loss.gradient(ops, outputs, targets));

/**
 * H v for each example, weighed.
 *
 * @param ops - interpreter
 * @param loss - ℓ
 * @param outputs - `[n, …]`
 * @param weights - of the examples, `null` for none
 * @param v - in the shape of the outputs
 */
export const lossHessianProduct = <T extends Shaped>(
  ops: Ops<T>,
  loss: Loss,
  outputs: T,
  weights: Weights<T> | null,
  v: T,
): T => weighed(ops, weights?.terms ?? null, loss.hessianProduct(ops, outputs, v));
