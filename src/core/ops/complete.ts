/**
 * An interpreter's primitives made into the whole array language.
 *
 * @module
 */
import type { Shaped } from '../tensor.ts';
import { derive } from './derived.ts';
import type { Derived, Ops } from './ops.ts';
import type { Primitives } from './primitives.ts';

/**
 * Primitives, the derived operations, and an interpreter's own versions of the latter.
 *
 * @param primitives - the interpreter
 * @param overrides - faster versions of derived operations, equal to the defaults up to rounding
 * @example
 * ```ts
 * import { completeOps, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * // The array language with an operation of one's own: a GELU by its formula with tanh.
 * const primitives = referenceBackend().ops;
 * const ops = completeOps(primitives, {
 *   gelu: (x) => {
 *     const inner = primitives.scale(0.79788, primitives.add(x, primitives.scale(0.044715, primitives.mul(x, primitives.square(x)))));
 *     return primitives.scale(0.5, primitives.mul(x, primitives.add(primitives.full([], 1), primitives.tanh(inner))));
 *   },
 * });
 * ops.gelu(tensor([0], [1])).data; // => [0]
 * ```
 */
export const completeOps = <T extends Shaped>(
  primitives: Primitives<T>,
  overrides: Partial<Derived<T>> = {},
): Ops<T> => {
  // Not by spreading: that takes V8 twenty times as long here, and interpreters are made for every step.
  const ops: Ops<T> = Object.assign(
    {},
    primitives,
    derive(primitives, () => ops),
    overrides,
  );
  return ops;
};
