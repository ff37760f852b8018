/**
 * Martens' stopping rule for conjugate gradients [M10 §4.4]: stop when the quadratic model hardly falls any more.
 *
 * The residual says little about how good a direction is; the model φ(x) = ½ xᵀAx − bᵀx is what is being minimised.
 *
 * @module
 */

/** Settings of the rule. */
export interface MartensRule {
  /** ε, the relative progress per iteration that is too little; 5e-4 unless given. */
  readonly epsilon?: number;
  /** Progress is measured over at least this many iterations; 10 unless given. */
  readonly window?: number;
  /** … and over at least this fraction of all so far; 0.1 unless given. */
  readonly fraction?: number;
}

/**
 * Whether to stop after iteration i: `i > k`, `φ[i] < 0` and `(φ[i] − φ[i − k]) / φ[i] < k ε`, with k = max(window, fraction · i).
 *
 * @param phis - φ_0, …, φ_i
 * @param rule - ε and k
 */
export const hasStalled = (phis: ReadonlyArray<number>, rule: MartensRule): boolean => {
  const { epsilon = 5e-4, window = 10, fraction = 0.1 } = rule;
  const i = phis.length - 1;
  const k = Math.max(window, Math.ceil(fraction * i));
  return i > k && phis[i] < 0 && (phis[i] - phis[i - k]) / phis[i] < k * epsilon;
};
