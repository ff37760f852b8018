/**
 * Squared error in units of a variance: minus the log-likelihood of N(outputs, diag(σ²)), up to a constant.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import type { Ops } from '../../ops/ops.ts';
import { normal } from '../../random/normal.ts';
import type { Shaped } from '../../tensor.ts';
import { showShape, tensor } from '../../tensor.ts';
import { positiveWeights } from './beliefs.ts';
import type { Loss } from './loss.ts';
import { sumPerExample, targetsLike } from './loss.ts';

const name = 'squaredError';

/** Settings of {@link squaredErrorWith}. */
export interface SquaredErrorOptions {
  /** σ², above 0: one for all outputs, or one for each. */
  readonly variance: number | ReadonlyArray<number>;
}

/**
 * ℓ = ½ Σ (o − y)² / σ² for targets y of the outputs' shape. g = (o − y) / σ²; H = diag(1 / σ²); y ~ N(o, diag(σ²)).
 *
 * @param options - variance
 * @example
 * ```ts
 * import { referenceBackend, squaredErrorWith, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const loss = squaredErrorWith({ variance: [1, 4] });
 * loss.value(ops, tensor([2, 2], [1, 2]), tensor([0, 0], [1, 2])).data; // => [2.5]
 * ```
 */
export const squaredErrorWith = ({ variance }: SquaredErrorOptions): Loss => {
  const variances = positiveWeights(`${name}.variance`, typeof variance === 'number' ? [variance] : variance);
  /** x times f(σ²). */
  const scaled = <T extends Shaped>(ops: Ops<T>, x: T, f: (variance: number) => number): T => {
    if (typeof variance === 'number') return ops.scale(f(variance), x);
    const features = x.shape[x.shape.length - 1];
    return variances.length === features
      ? ops.mul(x, ops.constant(tensor(variances.map(f), [features])))
      : raise({
          _tag: 'ShapeMismatch',
          where: name,
          expected: `outputs [n, …, ${variances.length}], for as many variances`,
          actual: showShape(x.shape),
        });
  };
  const inverse = (v: number): number => 1 / v;
  return {
    name,
    value: (ops, outputs, targets, weights) => {
      const squares = ops.square(ops.sub(outputs, targetsLike(name, outputs, targets)));
      return ops.scale(0.5, sumPerExample(ops, scaled(ops, squares, inverse), weights));
    },
    gradient: (ops, outputs, targets) => scaled(ops, ops.sub(outputs, targetsLike(name, outputs, targets)), inverse),
    sample: (ops, key, outputs) =>
      ops.add(ops.stopGradient(outputs), scaled(ops, ops.constant(normal(key, outputs.shape, 'f32')), Math.sqrt)),
    hessianProduct: (ops, outputs, v) => scaled(ops, targetsLike(name, outputs, v), inverse),
    squareRoot: (ops, outputs) => (z) => scaled(ops, ops.broadcastTo(z, outputs.shape), (v) => 1 / Math.sqrt(v)),
  };
};
