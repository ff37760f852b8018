/**
 * Factored Tikhonov damping [MG15 §6.3]: A ⊗ G + λ I is approximated by (A + π√λ I) ⊗ (G + π⁻¹√λ I).
 *
 * @module
 */

/**
 * π = √((tr A / dim A) / (tr G / dim G)): how √λ is shared between the factors. 1 when a trace is not positive.
 *
 * @param meanA - mean eigenvalue of A, tr A / dim A
 * @param meanG - mean eigenvalue of G, tr G / dim G
 *
 * @example
 * ```ts
 * import { piOf } from 'kfac-ts/solvers';
 *
 * piOf(8, 2); // => 2
 * piOf(0, 2); // => 1
 * ```
 */
export const piOf = (meanA: number, meanG: number): number => (meanA > 0 && meanG > 0 ? Math.sqrt(meanA / meanG) : 1);

/** What is added to the diagonals of A and G. */
export interface FactoredDamping {
  readonly ofA: number;
  readonly ofG: number;
}

/**
 * π√λ for A and √λ/π for G.
 *
 * @param lambda - damping of the block, at least 0
 * @param meanA - mean eigenvalue of A
 * @param meanG - mean eigenvalue of G
 *
 * @example
 * ```ts
 * import { factoredTikhonov } from 'kfac-ts/solvers';
 *
 * factoredTikhonov(4, 8, 2); // => { ofA: 4, ofG: 1 }
 * ```
 */
export const factoredTikhonov = (lambda: number, meanA: number, meanG: number): FactoredDamping => {
  const pi = piOf(meanA, meanG);
  return { ofA: pi * Math.sqrt(lambda), ofG: Math.sqrt(lambda) / pi };
};
