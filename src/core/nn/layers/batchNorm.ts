/**
 * Batch normalisation [IS15].
 *
 * While a model is trained, features are normalised with the mean and the variance of the batch; in evaluation with running
 * averages, which are state and not parameters: no optimizer sees them. Variances in the averages are those of a sample, with
 * one value fewer in the divisor.
 *
 * @module
 */
import type { Ops } from '../../ops/ops.ts';
import { axesOf } from '../../ops/shapes.ts';
import { joinPath } from '../../params.ts';
import type { Shaped } from '../../tensor.ts';
import { sizeOf } from '../../tensor.ts';
import type { Circumstances } from './circumstances.ts';
import type { Layer } from './layer.ts';
import { leaf } from './layer.ts';
import type { ScaleShiftOptions } from './scaleShift.ts';
import { requireFeatures, scaleShift } from './scaleShift.ts';
import { belowOne, extent, positive } from '../../settings.ts';

/** Settings of {@link batchNorm}. */
export interface BatchNormOptions extends ScaleShiftOptions {
  /** ε, added to the variance; 1e-5 unless given. */
  readonly epsilon?: number;
  /** What the running averages keep of themselves in a step, in [0, 1); 0.9 unless given. */
  readonly decay?: number;
}

/** The running average at a path, or what it starts from. */
const runningAt = <T extends Shaped>(
  ops: Ops<T>,
  at: Circumstances<T>,
  path: string,
  features: number,
  start: number,
): T => (Object.hasOwn(at.running, path) ? at.running[path] : ops.full([features], start));

/**
 * γ ⊙ (x − mean) / √(variance + ε) + β for each feature, the mean and the variance over all examples and positions of the
 * batch: x `[n, …, features]` to the same shape. Parameters `weight` γ (ones) and `bias` β (zeros), `[features]`; running state
 * `mean` (from zeros) and `variance` (from ones), `[features]`.
 *
 * @param options - extent, ε, and how long the averages remember
 * @example
 * ```ts
 * import { activation, batchNorm, conv2d, sequential } from 'kfac-ts/core';
 *
 * const block = sequential([
 *   conv2d({ in: 3, out: 16, kernel: 3, padding: 'same', bias: false }),
 *   batchNorm({ features: 16 }),
 *   activation('relu'),
 * ]);
 * block.parameters('0').map(({ path }) => path); // => ['0.0.weight', '0.1.weight', '0.1.bias']
 * ```
 */
export const batchNorm = (options: BatchNormOptions): Layer => {
  const { epsilon: given = 1e-5, decay = 0.9, ...rest } = options;
  const epsilon = positive('batchNorm.epsilon', given);
  belowOne('batchNorm.decay', decay);
  const features = extent('batchNorm.features', options.features);
  const affine = scaleShift({ ...rest, features });

  /** With the statistics of the batch, which are kept. */
  const ofBatch = <T extends Shaped>(ops: Ops<T>, path: string, x: T, at: Circumstances<T>): T => {
    const { values, mean, variance } = ops.standardised(x, axesOf(x.shape).slice(0, -1), epsilon);
    const count = sizeOf(x.shape.slice(0, -1));
    const keep = (name: string, start: number, found: T, factor: number): void => {
      const place = joinPath(path, name);
      const before = runningAt(ops, at, place, features, start);
      ops.keep(place, ops.linearCombination(decay, before, (1 - decay) * factor, ops.stopGradient(found)));
    };
    keep('mean', 0, mean, 1);
    keep('variance', 1, variance, count > 1 ? count / (count - 1) : 1);
    return values;
  };

  /** With the running averages. */
  const ofAverages = <T extends Shaped>(ops: Ops<T>, path: string, x: T, at: Circumstances<T>): T => {
    const mean = runningAt(ops, at, joinPath(path, 'mean'), features, 0);
    const variance = runningAt(ops, at, joinPath(path, 'variance'), features, 1);
    return ops.div(ops.sub(x, mean), ops.sqrt(ops.add(variance, ops.full([], epsilon))));
  };

  return leaf({
    kind: 'batchNorm',
    label: `batch norm ${features}`,
    parameters: affine.parameters,
    apply: (ops, params, path, x, at) => {
      requireFeatures('batchNorm', path, x, features);
      const normalised = (at.key === null ? ofAverages : ofBatch)(ops, path, x, at);
      return affine.apply(ops, params, path, normalised, at);
    },
  });
};
