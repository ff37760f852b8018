/**
 * The factor that keeps something within a bound.
 *
 * @module
 */
import type { Ops } from '../../../core/ops/ops.ts';
import type { Shaped } from '../../../core/tensor.ts';
import type { Measured } from './measured.ts';

/** Bounds outside these are taken for them: 32 bits hold both, and their quotients with what is bounded. */
const [least, greatest] = [1e-30, 1e30];

/**
 * min(1, b / s), for a size s that may be 0.
 *
 * @param ops - interpreter
 * @param bound - b, greater than 0
 * @param size - s ≥ 0, shape `[]`
 */
export const withinBound = <T extends Shaped>(ops: Ops<T>, bound: number, size: T): T => {
  const b = ops.full([], Math.min(Math.max(bound, least), greatest));
  return ops.div(b, ops.maximum(size, b));
};

/**
 * min(1, b / s) for a size s that is known as a scale times what is left of it.
 *
 * @param ops - interpreter
 * @param bound - b, greater than 0
 * @param size - s
 */
export const withinBoundOf = <T extends Shaped>(ops: Ops<T>, bound: number, { scale, norm }: Measured<T>): T => {
  const b = ops.full([], Math.min(Math.max(bound, least), greatest));
  const scaled = ops.minimum(ops.div(b, scale), ops.full([], greatest));
  return ops.div(scaled, ops.maximum(norm, scaled));
};
