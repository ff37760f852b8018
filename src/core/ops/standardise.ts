/**
 * Numbers less their mean, over the root of their variance, and the derivative of that.
 *
 * The mean of numbers that are alike is rounded, by as much as they may differ. So it is taken away twice: what the first
 * subtraction leaves is small, and so is the error of its mean. Of equal numbers nothing is left.
 *
 * @module
 */
import type { Ops, Standardised } from './ops.ts';
import { keptShape } from './ties.ts';
import type { Shaped } from '../tensor.ts';
import { sizeOf } from '../tensor.ts';

/** √(variance + ε). */
const deviation = <T extends Shaped>(ops: Ops<T>, variance: T, epsilon: number): T =>
  ops.sqrt(ops.add(variance, ops.full([], epsilon)));

/**
 * x standardised over some axes.
 *
 * @param ops - interpreter
 * @param x - an array
 * @param axes - axes of x
 * @param epsilon - ε, greater than 0
 */
export const standardise = <T extends Shaped>(
  ops: Ops<T>,
  x: T,
  axes: ReadonlyArray<number>,
  epsilon: number,
): Standardised<T> =>
  ops.within((on) => {
    const kept = keptShape(x.shape, axes);
    const rough = on.mean(x, axes);
    const near = on.sub(x, on.reshape(rough, kept));
    const rest = on.mean(near, axes);
    const differences = on.sub(near, on.reshape(rest, kept));
    const variance = on.mean(on.square(differences), axes);
    const values = on.div(differences, on.reshape(deviation(on, variance, epsilon), kept));
    const mean = on.add(rough, rest);
    return [{ values, mean, variance }, [values, mean, variance]];
  });

/**
 * J c with J = ∂y/∂x of y = x standardised, which is symmetric: (c − mean c − y mean (y c)) / √(variance + ε).
 *
 * @param ops - interpreter
 * @param y - what x became
 * @param variance - of x
 * @param axes - the axes
 * @param epsilon - ε
 * @param cotangent - c, of y
 */
export const pullStandardised = <T extends Shaped>(
  ops: Ops<T>,
  y: T,
  variance: T,
  axes: ReadonlyArray<number>,
  epsilon: number,
  cotangent: T,
): T =>
  ops.within((on) => {
    const kept = keptShape(y.shape, axes);
    const along = on.reshape(on.mean(on.mul(y, cotangent), axes), kept);
    const centred = on.sub(cotangent, on.reshape(on.mean(cotangent, axes), kept));
    const factor = on.reshape(deviation(on, variance, epsilon), kept);
    const pulled = on.div(on.sub(centred, on.mul(y, along)), factor);
    return [pulled, [pulled]];
  });

/**
 * The cotangent of x where the mean has one.
 *
 * @param ops - interpreter
 * @param y - x standardised, for its shape
 * @param axes - the axes
 * @param cotangent - of the mean
 */
export const pullMean = <T extends Shaped>(ops: Ops<T>, y: Shaped, axes: ReadonlyArray<number>, cotangent: T): T => {
  const kept = keptShape(y.shape, axes);
  const count = sizeOf(y.shape) / sizeOf(kept);
  return ops.broadcastTo(ops.reshape(ops.scale(1 / count, cotangent), kept), y.shape);
};

/**
 * The cotangent of x where the variance has one: 2 (x − mean) c / count.
 *
 * @param ops - interpreter
 * @param standardised - what x became
 * @param axes - the axes
 * @param epsilon - ε
 * @param cotangent - c, of the variance
 */
export const pullVariance = <T extends Shaped>(
  ops: Ops<T>,
  { values, variance }: Standardised<T>,
  axes: ReadonlyArray<number>,
  epsilon: number,
  cotangent: T,
): T => {
  const kept = keptShape(values.shape, axes);
  const count = sizeOf(values.shape) / sizeOf(kept);
  const factor = ops.scale(2 / count, ops.mul(cotangent, deviation(ops, variance, epsilon)));
  return ops.mul(values, ops.reshape(factor, kept));
};

/**
 * How the variance moves with x: 2 mean ((x − mean) dx), the adjoint of {@link pullVariance}.
 *
 * @param ops - interpreter
 * @param standardised - what x became
 * @param axes - the axes
 * @param epsilon - ε
 * @param dx - tangent of x
 */
export const varianceTangent = <T extends Shaped>(
  ops: Ops<T>,
  { values, variance }: Standardised<T>,
  axes: ReadonlyArray<number>,
  epsilon: number,
  dx: T,
): T => ops.scale(2, ops.mul(ops.mean(ops.mul(values, dx), axes), deviation(ops, variance, epsilon)));
