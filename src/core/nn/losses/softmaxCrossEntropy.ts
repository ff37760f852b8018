/**
 * Softmax cross-entropy: one of C classes, along the last axis.
 *
 * Where the model is sure, p is 1 at one class but for the little that the others have, and differences such as p − y or
 * v − ⟨p, v⟩ would be 0 there. Gradients, products and square roots sum to 0 over the classes by definition; what their
 * computed sum is instead is given back to the classes in proportion to p, which restores those digits. "Twice is
 * enough", as for projections in general [P80 §6.9].
 *
 * @module
 */
import { raise } from '../../errors.ts';
import type { Ops } from '../../ops/ops.ts';
import type { Shape, Shaped } from '../../tensor.ts';
import { sameShape, showShape, sizeOf } from '../../tensor.ts';
import { sampleOneHot } from './categorical.ts';
import type { Loss } from './loss.ts';
import { sumPerExample, targetsLike } from './loss.ts';

const name = 'softmaxCrossEntropy';

/** The least number that 32 bits hold. */
const LOWEST = -3.4028234663852886e38;

const classesOf = (outputs: Shape): number =>
  outputs.length >= 2
    ? outputs[outputs.length - 1]
    : raise({ _tag: 'ShapeMismatch', where: name, expected: 'outputs [n, …, classes]', actual: showShape(outputs) });

/** Shape with an extent of 1 for the classes. */
const oneClass = (outputs: Shape): Shape => [...outputs.slice(0, -1), 1];

/** Whether targets are indices of classes; an error unless they are that or probabilities. */
export const areIndices = (outputs: Shape, targets: Shape): boolean => {
  classesOf(outputs);
  const indices = outputs.slice(0, -1);
  if (sameShape(targets, outputs)) return false;
  if (sameShape(targets, indices)) return true;
  return raise({
    _tag: 'ShapeMismatch',
    where: name,
    expected: `targets ${showShape(indices)} (class indices) or ${showShape(outputs)} (probabilities)`,
    actual: showShape(targets),
  });
};

/** Σ_c x_c, kept as an axis. */
const sumOverClasses = <T extends Shaped>(ops: Ops<T>, x: T): T =>
  ops.reshape(ops.sum(x, [x.shape.length - 1]), oneClass(x.shape));

/** x − p Σ_c x_c: x again where its sum is 0, as it should be. */
const balanced = <T extends Shaped>(ops: Ops<T>, p: T, x: T): T => ops.sub(x, ops.mul(p, sumOverClasses(ops, x)));

/** y log p, with 0 · −∞ = 0: a masked class that is not the target costs nothing. */
const chosenOf = <T extends Shaped>(ops: Ops<T>, targets: T, logP: T): T =>
  ops.mul(targets, ops.select(targets, logP, ops.maximum(logP, ops.full([], LOWEST))));

/** log p of the class at each position. Where the index is that of no class this is no number: −0 / 0. */
const logOfClass = <T extends Shaped>(ops: Ops<T>, indices: T, logP: T): T => {
  const last = logP.shape.length - 1;
  const isClass = ops.oneHot(indices, logP.shape[last]);
  const chosen = ops.sum(ops.select(isClass, logP, ops.full([], 0)), [last]);
  return ops.div(chosen, ops.sum(isClass, [last]));
};

/** √p, also where p itself is too small for a number: e^(o/2), with the sum of its squares made 1. */
const rootOf = <T extends Shaped>(ops: Ops<T>, outputs: T): T => {
  const root = ops.softmax(ops.scale(0.5, outputs));
  const norm = ops.sqrt(sumOverClasses(ops, ops.square(root)));
  // The norm is 0 where all classes are masked, else at least 1 / √C.
  return ops.div(root, ops.select(norm, norm, ops.full([], 1)));
};

/**
 * ℓ = −Σ_c y_c log p_c with p = softmax(o), for logits o `[n, …, C]` and targets either class indices `[n, …]` (`i32`)
 * or probabilities `[n, …, C]`. g = (Σ_c y_c) p − y; H = diag(p) − p pᵀ; y ~ p, as one-hot vectors. Axes between the first
 * and the last are positions of one example, over which ℓ is summed. A logit may be −∞, which masks its class; the ℓ of an
 * index that is no class is no number.
 *
 * H and the draws are those of one observation for each position: rows of targets that do not sum to one have the
 * gradient of their value, and the curvature of rows that do. A row of several observations (or half a one) has as much
 * more of curvature, which its targets cannot say; its weight can.
 */
export const softmaxCrossEntropy: Loss = {
  name,
  value: (ops, outputs, targets, weights) => {
    const logP = ops.logSoftmax(outputs);
    const atPositions = areIndices(outputs.shape, targets.shape)
      ? logOfClass(ops, targets, logP)
      : ops.sum(chosenOf(ops, targets, logP), [outputs.shape.length - 1]);
    return ops.sub(ops.full([], 0), sumPerExample(ops, atPositions, weights));
  },
  gradient: (ops, outputs, targets) => {
    const p = ops.softmax(outputs);
    const difference = areIndices(outputs.shape, targets.shape)
      ? ops.sub(p, ops.oneHot(targets, classesOf(outputs.shape)))
      : ops.sub(ops.mul(p, sumOverClasses(ops, targets)), targets);
    return balanced(ops, p, difference);
  },
  sample: (ops, key, outputs) => {
    const classes = classesOf(outputs.shape);
    const rows = sizeOf(outputs.shape.slice(0, -1));
    const p = ops.reshape(ops.softmax(ops.stopGradient(outputs)), [rows, classes]);
    return ops.reshape(sampleOneHot(ops, key, p), outputs.shape);
  },
  // p ⊙ (v − ⟨p, v⟩)
  hessianProduct: (ops, outputs, v) => {
    const p = ops.softmax(outputs);
    const mean = sumOverClasses(ops, ops.mul(p, targetsLike(name, outputs, v)));
    return balanced(ops, p, ops.mul(p, ops.sub(v, mean)));
  },
  // B = diag(√p) − p √pᵀ at every position: √p ⊙ z − p ⟨√p, z⟩.
  squareRoot: (ops, outputs) => {
    const root = rootOf(ops, outputs);
    const p = ops.square(root);
    return (z) => balanced(ops, p, balanced(ops, p, ops.mul(root, z)));
  },
  admits: (outputs, targets) => {
    const classes = classesOf(outputs);
    return areIndices(outputs, targets)
      ? {
          least: 0,
          most: classes - 1,
          isWhole: true,
          expected: `classes from 0 to ${classes - 1}, for ${name}`,
          advice: 'Give the model an output for each class, or repair the example.',
        }
      : {
          least: 0,
          most: Number.MAX_VALUE,
          isWhole: false,
          expected: `probabilities or counts of classes, at least 0, for ${name}`,
          advice: 'Repair the example.',
        };
  },
};
