/**
 * Values that the types forbid, as a program without types passes them.
 *
 * @module
 */

/** The value, as whatever is asked for. */
export const anything = <A = never>(value: unknown): A => value as A;
