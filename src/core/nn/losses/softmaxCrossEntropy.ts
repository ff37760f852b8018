/**
 * Softmax cross-entropy: one of C classes, along the last axis.
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

const classesOf = (outputs: Shape): number =>
  outputs.length >= 2
    ? outputs[outputs.length - 1]
    : raise({ _tag: 'ShapeMismatch', where: name, expected: 'outputs [n, …, classes]', actual: showShape(outputs) });

/** Shape with an extent of 1 for the classes. */
const oneClass = (outputs: Shape): Shape => [...outputs.slice(0, -1), 1];

/** Targets as probabilities, from class indices or from probabilities. */
const probabilitiesOf = <T extends Shaped>(ops: Ops<T>, outputs: T, targets: T): T => {
  const classes = classesOf(outputs.shape);
  const indices = outputs.shape.slice(0, -1);
  if (sameShape(targets.shape, outputs.shape)) return targets;
  if (sameShape(targets.shape, indices)) return ops.oneHot(targets, classes);
  return raise({
    _tag: 'ShapeMismatch',
    where: name,
    expected: `targets ${showShape(indices)} (class indices) or ${showShape(outputs.shape)} (probabilities)`,
    actual: showShape(targets.shape),
  });
};

/** Σ_c x_c, kept as an axis. */
const sumOverClasses = <T extends Shaped>(ops: Ops<T>, x: T): T =>
  ops.reshape(ops.sum(x, [x.shape.length - 1]), oneClass(x.shape));

/**
 * ℓ = −Σ_c y_c log p_c with p = softmax(o), for logits o `[n, …, C]` and targets either class indices `[n, …]` (`i32`)
 * or probabilities `[n, …, C]` that sum to one. g = p − y; H = diag(p) − p pᵀ; y ~ p, as one-hot vectors. Axes between
 * the first and the last are positions of one example, over which ℓ is summed.
 */
export const softmaxCrossEntropy: Loss = {
  name,
  value: (ops, outputs, targets, weights) => {
    const chosen = ops.mul(probabilitiesOf(ops, outputs, targets), ops.logSoftmax(outputs));
    return ops.neg(sumPerExample(ops, chosen, weights));
  },
  gradient: (ops, outputs, targets) => ops.sub(ops.softmax(outputs), probabilitiesOf(ops, outputs, targets)),
  sample: (ops, key, outputs) => {
    const classes = classesOf(outputs.shape);
    const rows = sizeOf(outputs.shape.slice(0, -1));
    const p = ops.reshape(ops.softmax(ops.stopGradient(outputs)), [rows, classes]);
    return ops.reshape(sampleOneHot(ops, key, p), outputs.shape);
  },
  hessianProduct: (ops, outputs, v) => {
    const p = ops.softmax(outputs);
    const pv = ops.mul(p, targetsLike(name, outputs, v));
    return ops.sub(pv, ops.mul(p, sumOverClasses(ops, pv)));
  },
  // B = diag(√p) − p √pᵀ at every position: √p ⊙ z − p ⟨√p, z⟩.
  squareRoot: (ops, outputs) => {
    const p = ops.softmax(outputs);
    const root = ops.sqrt(p);
    return (z) => {
      const chosen = ops.mul(root, z);
      return ops.sub(chosen, ops.mul(p, sumOverClasses(ops, chosen)));
    };
  },
};
