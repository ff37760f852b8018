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
