/**
 * Sigmoid cross-entropy with a weight for positives and smoothed labels.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import type { Ops } from '../../ops/ops.ts';
import { belowOne } from '../../settings.ts';
import type { Shaped } from '../../tensor.ts';
import { showShape, tensor } from '../../tensor.ts';
import { positiveWeights } from './beliefs.ts';
import type { Loss } from './loss.ts';
import { sumPerExample, targetsLike } from './loss.ts';
import { sigmoidCrossEntropy } from './sigmoidCrossEntropy.ts';

const name = 'sigmoidCrossEntropy';

/** Settings of {@link sigmoidCrossEntropyWith}. */
export interface SigmoidCrossEntropyOptions {
  /** w, what a positive weighs where a negative weighs 1: above 0, one for all outputs or one for each; 1 unless given. */
  readonly positiveWeight?: number | ReadonlyArray<number>;
  /** ε in [0, 1): labels 0 and 1 become ε / 2 and 1 − ε / 2; 0 unless given. */
  readonly smoothing?: number;
}

/** y x, with 0 · ∞ = 0. */
const share = <T extends Shaped>(ops: Ops<T>, y: T, x: T): T => ops.select(y, ops.mul(y, x), ops.full([], 0));

/**
 * ℓ = Σ w t softplus(−o) + (1 − t) softplus(o) with t = (1 − ε) y + ε / 2, for logits o and targets y in [0, 1] of the outputs'
 * shape. With p = σ(o) and s = p + w (1 − p): g = (1 − t) p − w t (1 − p); H = diag(w p (1 − p) / s), the expectation where the
 * model believes in positives with the probability q = p / s.
 *
 * @param options - weight of positives, smoothing
 * @example
 * ```ts
 * import { referenceBackend, sigmoidCrossEntropyWith, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const loss = sigmoidCrossEntropyWith({ positiveWeight: 3 });
 * const values = loss.value(ops, tensor([0, 0], [2, 1]), tensor([0, 1], [2, 1]));
 * Array.from(values.data, (x) => x / Math.LN2); // => [1, 3]
 * ```
 */
export const sigmoidCrossEntropyWith = (options: SigmoidCrossEntropyOptions): Loss => {
  const { positiveWeight = 1 } = options;
  const weights = positiveWeights(
    `${name}.positiveWeight`,
    typeof positiveWeight === 'number' ? [positiveWeight] : positiveWeight,
  );
  const epsilon = belowOne(`${name}.smoothing`, options.smoothing ?? 0);

  /** f of the weights, in a shape that broadcasts to the outputs. */
  const weighing = <T extends Shaped>(ops: Ops<T>, { shape }: T, f: (w: number) => number = (w) => w): T => {
    const features = shape[shape.length - 1];
    if (typeof positiveWeight === 'number') return ops.full([], f(positiveWeight));
    return weights.length === features
      ? ops.constant(tensor(weights.map(f), [features]))
      : raise({
          _tag: 'ShapeMismatch',
          where: name,
          expected: `outputs [n, …, ${weights.length}], for as many weights of positives`,
          actual: showShape(shape),
        });
  };

  /** t and 1 − t. */
  const labels = <T extends Shaped>(ops: Ops<T>, outputs: T, targets: T): readonly [T, T] => {
    const y = targetsLike(name, outputs, targets);
    const t = epsilon === 0 ? y : ops.add(ops.scale(1 - epsilon, y), ops.full([], epsilon / 2));
    return [t, ops.sub(ops.full([], 1), t)];
  };

  /** s = p + w (1 − p). */
  const scaleOf = <T extends Shaped>(ops: Ops<T>, outputs: T): T =>
    ops.add(ops.sigmoid(outputs), ops.mul(weighing(ops, outputs), ops.sigmoid(ops.neg(outputs))));

  return {
    name,
    value: (ops, outputs, targets, given) => {
      const [t, rest] = labels(ops, outputs, targets);
      const positive = share(ops, ops.mul(weighing(ops, outputs), t), ops.softplus(ops.neg(outputs)));
      return sumPerExample(ops, ops.add(positive, share(ops, rest, ops.softplus(outputs))), given);
    },
    gradient: (ops, outputs, targets) => {
      const [t, rest] = labels(ops, outputs, targets);
      const positive = ops.mul(ops.mul(weighing(ops, outputs), t), ops.sigmoid(ops.neg(outputs)));
      return ops.sub(ops.mul(rest, ops.sigmoid(outputs)), positive);
    },
    // Of what the model believes, q = σ(o − log w): t = q + (b − q) / √s has a gradient of mean 0 and variance H.
    sample: (ops, key, outputs) => {
      const constant = ops.stopGradient(outputs);
      const belief = ops.sub(constant, weighing(ops, outputs, Math.log));
      const drawn = sigmoidCrossEntropy.sample(ops, key, belief);
      const away = ops.div(ops.sigmoidMinus(belief, drawn), ops.sqrt(scaleOf(ops, constant)));
      const t = ops.sub(ops.sigmoid(belief), away);
      return epsilon === 0 ? t : ops.scale(1 / (1 - epsilon), ops.sub(t, ops.full([], epsilon / 2)));
    },
    // The weight first: p (1 − p) may be too small for a number where the product is not.
    hessianProduct: (ops, outputs, v) => {
      const factor = ops.div(weighing(ops, outputs), scaleOf(ops, outputs));
      const variance = ops.mul(ops.mul(factor, ops.sigmoid(outputs)), ops.sigmoid(ops.neg(outputs)));
      return ops.mul(variance, targetsLike(name, outputs, v));
    },
    squareRoot: (ops, outputs) => {
      const plain = sigmoidCrossEntropy.squareRoot(ops, outputs);
      const factor = ops.div(weighing(ops, outputs, Math.sqrt), ops.sqrt(scaleOf(ops, outputs)));
      return (z) => ops.mul(factor, plain(z));
    },
    ...(sigmoidCrossEntropy.admits === undefined ? {} : { admits: sigmoidCrossEntropy.admits }),
  };
};
