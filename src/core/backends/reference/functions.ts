/**
 * The elementwise functions on numbers, in f64.
 *
 * Each is accurate relative to its own value wherever the value is a normal number, so that it can be the measure of
 * interpreters in f32 on the far sides of 0 too. A NaN argument gives NaN, except where the function is a comparison.
 *
 * @module
 */
import type { BinaryKind, UnaryKind } from '../../ops/primitives.ts';

const TWO_OVER_ROOT_PI = 1.1283791670955126;

/** 2x/√π (1 + Σ_k (−x²)^k / (k! (2k + 1))) for x below 1 in magnitude, where the sum is small [DLMF 7.6.1]. */
const erfSeries = (x: number): number => {
  let power = 1;
  let sum = 0;
  for (let k = 1; k <= 30; k += 1) {
    power *= (-x * x) / k;
    sum += power / (2 * k + 1);
  }
  return TWO_OVER_ROOT_PI * (x + x * sum);
};

/** 1 − erf(x) for x ≥ 1: e^(−x²) / √π · 1 / (x + ½ / (x + 1 / (x + 3/2 / (x + …)))) [DLMF 7.9.4]. */
const erfcFraction = (x: number): number => {
  // As far as its value depends on it, to the last bit: the larger x, the less far.
  let fraction = x;
  for (let k = Math.ceil(30 + 250 / (x * x)); k >= 1; k -= 1) fraction = x + k / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
};

/**
 * The error function, within two units in the last place.
 *
 * @param x - any number
 */
export const erf = (x: number): number => {
  if (x >= 1) return 1 - erfcFraction(x);
  if (x <= -1) return erfcFraction(-x) - 1;
  return erfSeries(x);
};

/** e^(−x²/2) of a rounded square would be off by the size of the square: x = h + r with an h whose square is exact. */
const bell = (x: number): number => {
  const h = Math.fround(x);
  return Math.exp((-h * h) / 2) * Math.exp((-(x - h) * (x + h)) / 2);
};

/** 1 − Φ(x) for x ≥ 0.7: e^(−x²/2) / √2π · 1 / (x + 1 / (x + 2 / (x + 3 / (x + …)))) [DLMF 7.9.4 in √2 x]. */
const upperTail = (x: number): number => {
  // As far as its value depends on it, to the last bit: the larger x, the less far.
  let fraction = x;
  for (let k = Math.ceil(40 + 500 / (x * x)); k >= 1; k -= 1) fraction = x + k / fraction;
  return bell(x) / (Math.sqrt(2 * Math.PI) * fraction);
};

/** Φ(x), the normal distribution function; beyond ±40 its tail is no number. */
const normalCdf = (x: number): number => {
  const clipped = Math.max(-40, Math.min(x, 40));
  if (clipped <= -0.7) return upperTail(-clipped);
  return clipped >= 0.7 ? 1 - upperTail(clipped) : 0.5 + 0.5 * erfSeries(clipped * Math.SQRT1_2);
};

/** x Φ(x); −∞ Φ(−∞) is −0, since Φ falls faster than any power of x grows. */
const gelu = (x: number): number => (x === -Infinity ? -0 : x * normalCdf(x));

/** 1 / (1 + e^(−x)), with the exponential of a negative number only: the other one overflows. */
const sigmoid = (x: number): number => {
  const e = Math.exp(-Math.abs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
};

/** log(1 + e^x) = max(x, 0) + log(1 + e^(−|x|)). */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Elementwise functions of one argument. */
export const unaryFunctions: Readonly<Record<UnaryKind, (x: number) => number>> = {
  neg: (x) => -x,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  square: (x) => x * x,
  abs: Math.abs,
  sign: Math.sign,
  step: (x) => (x > 0 ? 1 : 0),
  tanh: Math.tanh,
  sigmoid,
  softplus,
  relu: (x) => Math.max(x, 0),
  erf,
  normalCdf,
  gelu,
};

/** Elementwise functions of two arguments. */
export const binaryFunctions: Readonly<Record<BinaryKind, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  greater: (a, b) => (a > b ? 1 : 0),
  equal: (a, b) => (a === b ? 1 : 0),
};
