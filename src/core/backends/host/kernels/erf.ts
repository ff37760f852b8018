/**
 * The error function in 64 bits, which JavaScript lacks.
 *
 * @module
 */

/**
 * erf(x) = 2/√π x Σ (−x²)ᵏ / (k! (2k + 1)) for x below 1.5 [DLMF 7.6.1], from the last term to the first: the terms
 * nested in each other, which rounds less than adding them up.
 */
const series = (x: number): number => {
  const z = x * x;
  let sum = 0;
  for (let k = Math.ceil(14 + 7 * z); k >= 0; k -= 1) sum = 1 / (2 * k + 1) - (z / (k + 1)) * sum;
  return (2 / Math.sqrt(Math.PI)) * x * sum;
};

/** 1 − erf(x) = e^(−x²)/√π · 1 / (x + ½ / (x + 1 / (x + 3/2 / (x + …)))) for x ≥ 1.5 [DLMF 7.9.4]. */
const complement = (x: number): number => {
  let fraction = x;
  for (let k = Math.ceil(20 + 180 / (x * x)); k > 0; k -= 1) fraction = x + k / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
};

/**
 * The error function, within two units in the last place.
 *
 * @param x - any number
 */
export const erf = (x: number): number => {
  if (x >= 1.5) return 1 - complement(x);
  if (x <= -1.5) return complement(-x) - 1;
  return series(x);
};
