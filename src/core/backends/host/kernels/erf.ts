/**
 * The error function, which JavaScript lacks.
 *
 * @module
 */

/** erf(x) = 2/√π e^(−x²) Σ_k 2ᵏ x^(2k+1) / (2k+1)!! for |x| < 2.5: no term is negative, so nothing cancels. */
const series = (x: number): number => {
  const z = 2 * x * x;
  let term = 1;
  let sum = 1;
  for (let odd = 3; term > 1e-17 * sum; odd += 2) {
    term *= z / odd;
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * x * Math.exp(-x * x) * sum;
};

/** erfc(x) = e^(−x²)/√π · 1 / (x + ½ / (x + 1 / (x + 3/2 / (x + …)))) for x ≥ 2.5. */
const complement = (x: number): number => {
  let fraction = x;
  for (let k = 30; k > 0; k -= 1) fraction = x + k / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
};

/**
 * The error function, within a few units in the last place.
 *
 * Both forms are those of the NIST Digital Library of Mathematical Functions (7.6.2, 7.9.4).
 *
 * @param x - any number
 */
export const erf = (x: number): number => {
  if (x >= 2.5) return 1 - complement(x);
  if (x <= -2.5) return complement(-x) - 1;
  return series(x);
};
