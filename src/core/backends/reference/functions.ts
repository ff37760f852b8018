/**
 * The elementwise functions on numbers, in f64.
 *
 * Each is accurate relative to its own value wherever the value is a normal number, so that it can be the measure of
 * interpreters in f32 on the far sides of 0 too. A NaN argument gives NaN, except where the function is a comparison.
 *
 * @module
 */
import type { BinaryKind, UnaryKind } from '../../ops/primitives.ts';

/** 2/√π e^(−x²) Σ_k 2^k x^(2k+1) / (2k+1)!!: all terms of one sign, so nothing cancels [DLMF 7.6.2]. */
const erfSeries = (x: number): number => {
  let term = x;
  let sum = x;
  for (let k = 1; Math.abs(term) > 1e-20 * Math.abs(sum); k += 1) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
};

/** 1 − erf(x) for x ≥ 2: e^(−x²) / √π · 1 / (x + ½ / (x + 1 / (x + 3/2 / (x + …)))) [DLMF 7.9.4]. */
const erfcFraction = (x: number): number => {
  let fraction = x;
  for (let k = 100; k >= 1; k -= 1) fraction = x + k / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
};

/**
 * The error function, within a few units in the last place.
 *
 * @param x - any number
 */
export const erf = (x: number): number => {
  if (x >= 2) return 1 - erfcFraction(x);
  if (x <= -2) return erfcFraction(-x) - 1;
  return erfSeries(x);
};

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
