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
 */
export const constant =
  (value: number): Initialiser =>
  (_key, shape, dtype) =>
    generate(shape, () => value, dtype);

/** Zeros. */
export const zeros: Initialiser = constant(0);
