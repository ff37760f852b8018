/**
 * Floating-point operations of factorisations, by which they are counted and shared out.
 *
 * @module
 */

/** About how many a factorisation of order n takes, and of so many columns on the right. */
export const factorisationOperations = {
  cholesky: (n: number): number => n ** 3 / 3,
  choleskySolve: (n: number, columns: number): number => 2 * n ** 2 * columns,
  inverse: (n: number): number => n ** 3,
  solve: (n: number): number => (2 / 3) * n ** 3,
  eigh: (n: number): number => 9 * n ** 3,
};
