/**
 * Initial values that are not random.
 *
 * @module
 */
import { generate } from '../../tensor.ts';
import type { Initialiser } from './initialiser.ts';

/**
 * One number everywhere.
 *
 * @param value - the number
 * @example
 * ```ts
 * import { constant, dense } from 'kfac-ts/core';
 *
 * // Units that start out active.
 * const layer = dense({ in: 4, out: 2, biasInitialiser: constant(0.1) });
 * ```
 */
export const constant =
  (value: number): Initialiser =>
  (_key, shape, dtype) =>
    generate(shape, () => value, dtype);

/**
 * Zeros.
 *
 * @example
 * ```ts
 * import { keyOf, zeros } from 'kfac-ts/core';
 *
 * zeros(keyOf(1), [3], 'f64').data; // => [0, 0, 0]
 * ```
 */
export const zeros: Initialiser = constant(0);
