/**
 * The normal distribution function, accurate relative to itself on the far left as well.
 *
 * 1 − Φ(x) = e^(−x²/2) t P(t) for x at least 0 and t = 4 / (x + 4): on (0, 1] the quotient of the tail and the bell is
 * smooth, as in [SL81]. The coefficients are Chebyshev interpolations with 60 digits, by `chebyfit` of mpmath: in q = 1 − 2t of
 * degree 22 (for x up to 39, off by 5 · 10⁻¹⁷) and in t of degree 9 (up to 14.4, off by 2 · 10⁻⁸).
 *
 * @module
 */

/** Coefficients in q for 64 bits, the highest power first. */
const coefficients = [
  -2.413356355057126e-10, 1.8173863697566723e-11, 3.4810059983754273e-9, 3.644648336759115e-9, -1.9095205133726126e-8,
  -3.856580134192769e-8, 6.592062144101906e-8, 2.549512129533793e-7, -1.56283026011967e-7, -1.479723182940809e-6,
  1.7875139898040247e-7, 8.786045289440243e-6, -4.769666329153394e-7, -5.777370457984405e-5, 3.333606350476228e-5,
  0.0004077046104725899, -0.0008699230905606333, -0.0018850472413982648, 0.015099143722674867, -0.04663046448992354,
  0.09678435018555472, -0.15197416049297294, 0.18882128260393788,
];

/** Coefficients in t for 32 bits, the highest power first. */
export const singleCoefficients: ReadonlyArray<number> = [
  1.56725793e-2, -5.798012532e-2, 4.063159681e-2, 4.270266039e-2, 1.236264144e-3, 9.258947158e-2, 7.003297299e-2,
  9.591784535e-2, 9.944659981e-2, 9.975013746e-2,
];

/** e^(−x²/2) with x = h + r: the square of an h of 24 bits is exact, where that of x would lose digits of the exponent. */
const bell = (x: number): number => {
  const h = Math.fround(x);
  const main = Math.exp(-0.5 * h * h);
  return h === x ? main : main * Math.exp(-0.5 * (x - h) * (x + h));
};

/**
 * Φ(x), within a few units in the last place.
 *
 * @param x - any number
 */
export const normalCdf = (x: number): number => {
  // Beyond 39 the tail is no number, and ∞ / ∞ is none either.
  const size = Math.min(Math.abs(x), 39);
  const share = 1 / (size + 4);
  const q = (size - 4) * share;
  let sum = 0;
  for (let i = 0; i < coefficients.length; i += 1) sum = sum * q + coefficients[i];
  const tail = bell(size) * 4 * share * sum;
  return x > 0 ? 1 - tail : tail;
};
