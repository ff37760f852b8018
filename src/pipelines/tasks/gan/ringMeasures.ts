/**
 * How good points are that are made after those of a ring.
 *
 * @module
 */
import type { Ops } from '../../../core/ops/ops.ts';
import type { Shaped } from '../../../core/tensor.ts';
import type { Ring } from '../../data/ring.ts';
import { ringCentres } from '../../data/ring.ts';
import type { GanMeasures } from './adversarial.ts';

/** A point is near a mean that is at most so many standard deviations away: of the data, 98.9 percent are. */
const near = 3;

/** A distribution is covered where it has at least this part of the points that it ought to have, near its mean. */
const fair = 0.25;

/** Squares of distances between points `[n, d]` and `[m, d]`: `[n, m]`. From differences, so small ones keep their digits. */
const squaredDistances = <T extends Shaped>(ops: Ops<T>, x: T, y: T): T => {
  const [[n, d], [m]] = [x.shape, y.shape];
  return ops.sum(ops.square(ops.sub(ops.reshape(x, [n, 1, d]), ops.reshape(y, [1, m, d]))), [2]);
};

/**
 * The energy distance 2 E‖x − y‖ − E‖x − x′‖ − E‖y − y′‖ of two sets of points [SR13]: 0 where they are distributed alike, and
 * never below. It sees what is missing as well as what is too much.
 *
 * @param ops - interpreter
 * @param x - `[n, d]`
 * @param y - `[m, d]`
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { energyDistance } from 'kfac-ts/pipelines';
 *
 * const { ops } = referenceBackend();
 * energyDistance(ops, tensor([0, 0], [1, 2]), tensor([3, 4], [1, 2])).data; // => [10]
 * ```
 */
export const energyDistance = <T extends Shaped>(ops: Ops<T>, x: T, y: T): T => {
  const apart = (a: T, b: T): T => ops.mean(ops.sqrt(squaredDistances(ops, a, b)), [0, 1]);
  return ops.sub(ops.scale(2, apart(x, y)), ops.add(apart(x, x), apart(y, y)));
};

/**
 * Of points that are made after those of a ring: `modes`, how many of the distributions have at least a quarter of the points
 * that they ought to have within three standard deviations of their means; `nearby`, the share of the points that are so near
 * one; `energyDistance` to the data.
 *
 * @param ring - which ring
 * @example
 * ```ts
 * import { referenceBackend } from 'kfac-ts/core';
 * import { eightGaussians, ringCentres, ringMeasures } from 'kfac-ts/pipelines';
 *
 * // A generator that makes the means of all eight.
 * const { ops } = referenceBackend();
 * const made = ringCentres(eightGaussians);
 * const { modes } = ringMeasures(eightGaussians)(ops, made, made, { params: {}, batch: {} });
 * typeof modes.weight === 'number' ? modes.sum.data[0] / modes.weight : null; // => 8
 * ```
 */
export const ringMeasures =
  (ring: Ring): GanMeasures =>
  (ops, made, data) => {
    const [count] = made.shape;
    const squares = squaredDistances(ops, made, ops.constant(ringCentres(ring)));
    const isNear = ops.greater(ops.full([], (near * ring.deviation) ** 2), squares);
    const perMode = ops.sum(isNear, [0]);
    const isCovered = ops.greater(perMode, ops.full([], (fair * count) / ring.modes));
    const examples = data.shape[0];
    // What depends on what is made alone is the same for every batch of data.
    const always = (value: typeof made) => ({ sum: ops.scale(examples, value), weight: examples });
    return {
      modes: always(ops.sum(isCovered, [0])),
      nearby: always(ops.scale(1 / count, ops.sum(perMode, [0]))),
      energyDistance: always(energyDistance(ops, made, data)),
    };
  };
