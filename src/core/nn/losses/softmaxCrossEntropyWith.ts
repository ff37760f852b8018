/**
 * Softmax cross-entropy with weights of classes, smoothed labels and an index to ignore.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import type { Ops } from '../../ops/ops.ts';
import { belowOne } from '../../settings.ts';
import type { Shape, Shaped } from '../../tensor.ts';
import { showShape, tensor } from '../../tensor.ts';
import { positiveWeights } from './beliefs.ts';
import type { Loss } from './loss.ts';
import { areIndices, softmaxCrossEntropy } from './softmaxCrossEntropy.ts';

const name = 'softmaxCrossEntropy';

/** Settings of {@link softmaxCrossEntropyWith}. */
export interface SoftmaxCrossEntropyOptions {
  /** w, the weight of each class, above 0; 1 unless given. They are not normalised. */
  readonly classWeights?: ReadonlyArray<number>;
  /** ε in [0, 1): the part of each label that is spread over all classes; 0 unless given. */
  readonly smoothing?: number;
  /** An index that is no class: positions that have it count nowhere, like those of weight 0. None unless given. */
  readonly ignore?: number;
}

const checkIgnored = (ignore: number | undefined, count: number | undefined): void => {
  if (ignore === undefined) return;
  if (!Number.isInteger(ignore) || (ignore >= 0 && count !== undefined && ignore < count)) {
    raise({
      _tag: 'BadConfig',
      path: `${name}.ignore`,
      expected: 'a whole number that is no class with a weight',
      actual: String(ignore),
    });
  }
};

/** 1 / Σ p / w: the expected weight. The mean of p / w is taken where p adds up to 1. */
const expectedWeight = <T extends Shaped>(ops: Ops<T>, outputs: T, w: T): T => {
  const p = ops.softmax(outputs);
  const last = p.shape.length - 1;
  const inverse = ops.reshape(ops.sum(ops.div(p, w), [last]), [...p.shape.slice(0, -1), 1]);
  // Where all classes are masked p is 0 throughout.
  return ops.div(ops.full([], 1), ops.select(inverse, inverse, ops.full([], 1)));
};

/**
 * ℓ = −Σ_c w_c t_c log p_c with p = softmax(o) and t = (1 − ε) y + ε / C, for logits o `[n, …, C]` and targets y as those of
 * {@link softmaxCrossEntropy}. g = (Σ_c w_c t_c) p − w ⊙ t; H = ω (diag(p) − p pᵀ) with ω = 1 / Σ_c p_c / w_c, the weight that
 * the model expects.
 *
 * @param options - weights of classes, smoothing, an index to ignore (for targets that are indices)
 * @example
 * ```ts
 * import { referenceBackend, softmaxCrossEntropyWith, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const loss = softmaxCrossEntropyWith({ classWeights: [1, 3], ignore: -100 });
 * const values = loss.value(ops, tensor([0, 0, 0, 0, 0, 0], [3, 2]), tensor([0, 1, -100], [3], 'i32'));
 * Array.from(values.data, (x) => x / Math.LN2); // => [1, 3, 0]
 * ```
 */
export const softmaxCrossEntropyWith = (options: SoftmaxCrossEntropyOptions): Loss => {
  const { ignore } = options;
  const weights =
    options.classWeights === undefined ? null : positiveWeights(`${name}.classWeights`, options.classWeights);
  const epsilon = belowOne(`${name}.smoothing`, options.smoothing ?? 0);
  checkIgnored(ignore, weights?.length);

  const classesOf = (outputs: Shape): number => {
    const classes = outputs[outputs.length - 1];
    return weights === null || weights.length === classes
      ? classes
      : raise({
          _tag: 'ShapeMismatch',
          where: name,
          expected: `outputs [n, …, ${weights.length}], for as many weights of classes`,
          actual: showShape(outputs),
        });
  };

  /** w ⊙ t. */
  const weighted = <T extends Shaped>(ops: Ops<T>, y: T, classes: number): T => {
    const t = epsilon === 0 ? y : ops.add(ops.scale(1 - epsilon, y), ops.full([], epsilon / classes));
    return weights === null ? t : ops.mul(t, ops.constant(tensor(weights, [classes])));
  };

  /** What stands for y in the plain loss. An index that is no class and not to be ignored gives no number: 0 / 0. */
  const termsOf = <T extends Shaped>(ops: Ops<T>, outputs: T, targets: T): T => {
    const classes = classesOf(outputs.shape);
    const positions = outputs.shape.slice(0, -1);
    if (!areIndices(outputs.shape, targets.shape)) return weighted(ops, targets, classes);
    const hot = ops.oneHot(targets, classes);
    const isClass = ops.reshape(ops.sum(hot, [positions.length]), [...positions, 1]);
    const counted = ops.mul(isClass, weighted(ops, hot, classes));
    if (ignore === undefined) return ops.div(counted, isClass);
    const isIgnored = ops.reshape(ops.equal(targets, ops.full([], ignore)), [...positions, 1]);
    return ops.div(counted, ops.maximum(isClass, isIgnored));
  };

  /** √ω, `null` for 1. */
  const rootWeight = <T extends Shaped>(ops: Ops<T>, outputs: T): T | null =>
    weights === null
      ? null
      : ops.sqrt(expectedWeight(ops, outputs, ops.constant(tensor(weights, [classesOf(outputs.shape)]))));

  return {
    name,
    value: (ops, outputs, targets, given) =>
      softmaxCrossEntropy.value(ops, outputs, termsOf(ops, outputs, targets), given),
    gradient: (ops, outputs, targets) => softmaxCrossEntropy.gradient(ops, outputs, termsOf(ops, outputs, targets)),
    // A class of p, as the y whose w ⊙ t is √ω at that class and 0 elsewhere.
    sample: (ops, key, outputs) => {
      const drawn = softmaxCrossEntropy.sample(ops, key, outputs);
      const classes = classesOf(outputs.shape);
      const root = rootWeight(ops, ops.stopGradient(outputs));
      const t =
        root === null || weights === null
          ? drawn
          : ops.div(ops.mul(root, drawn), ops.constant(tensor(weights, [classes])));
      return epsilon === 0 ? t : ops.scale(1 / (1 - epsilon), ops.sub(t, ops.full([], epsilon / classes)));
    },
    hessianProduct: (ops, outputs, v) => {
      const product = softmaxCrossEntropy.hessianProduct(ops, outputs, v);
      const root = rootWeight(ops, outputs);
      return root === null ? product : ops.mul(ops.square(root), product);
    },
    squareRoot: (ops, outputs) => {
      const plain = softmaxCrossEntropy.squareRoot(ops, outputs);
      const root = rootWeight(ops, outputs);
      return root === null ? plain : (z) => ops.mul(root, plain(z));
    },
    ...(ignore === undefined
      ? {}
      : { counts: (ops, targets) => ops.sub(ops.full([], 1), ops.equal(targets, ops.full([], ignore))) }),
    admits: (outputs, targets) => {
      classesOf(outputs);
      const admitted = softmaxCrossEntropy.admits?.(outputs, targets) ?? null;
      return admitted === null || ignore === undefined || !admitted.isWhole
        ? admitted
        : { ...admitted, except: ignore, expected: `${admitted.expected}, or ${ignore}, which is ignored` };
    },
  };
};
