/**
 * The derivative of a maximum, with ties.
 *
 * Arguments that tie share the derivative equally: the one choice that does not depend on the order of the arguments.
 * Both modes take the shares from here, so they stay adjoint to each other at ties as well.
 *
 * @module
 */
import type { Ops } from './ops.ts';
import type { Shape, Shaped } from '../tensor.ts';

/** x's shape with the given axes kept as extents of 1. */
export const keptShape = (shape: Shape, axes: ReadonlyArray<number>): Shape =>
  shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));

/**
 * ∂max(a, b)/∂a: 1 where a is greater, ½ where they tie, else 0. With the operands swapped it is ∂min(a, b)/∂a.
 *
 * @param ops - interpreter
 * @param a - the operand
 * @param b - the other one
 */
export const winnerShare = <T extends Shaped>(ops: Ops<T>, a: T, b: T): T =>
  ops.linearCombination(1, ops.greater(a, b), 0.5, ops.equal(a, b));

/**
 * The cotangent of x where y = max x along axes: 1/k of that of y at each of the k largest elements, else 0.
 *
 * @param ops - interpreter
 * @param x - what was reduced
 * @param y - its maxima, without the axes
 * @param axes - the axes
 * @param cotangent - of y
 */
export const pullByMaximum = <T extends Shaped>(
  ops: Ops<T>,
  x: T,
  y: T,
  axes: ReadonlyArray<number>,
  cotangent: T,
): T => {
  const kept = keptShape(x.shape, axes);
  const ties = ops.equal(x, ops.reshape(y, kept));
  const shares = ops.div(ties, ops.reshape(ops.sum(ties, axes), kept));
  return ops.mul(shares, ops.reshape(cotangent, kept));
};
