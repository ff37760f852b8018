/**
 * Elementwise functions as text.
 *
 * A GPU's own exp, log and tanh may be off by hundreds of units in the last place, and are by some on most. These
 * reduce their argument to a short interval and use a polynomial there, with the coefficients of Cephes [M89: expf,
 * logf, tanhf], so that they are as accurate as sums and
 * products are. Powers of two are put together from exact ones. NaN passes through all of them.
 *
 * @module
 */
import type { BinaryKind, UnaryKind } from '../../../../ops/primitives.ts';
import { singleCoefficients } from '../../../host/kernels/normalCdf.ts';

/** A number as text that every language reads as the same float. */
const numberText = (value: number): string => (value < 0 ? `(-${-value})` : String(value));

/** c₀ xⁿ + c₁ xⁿ⁻¹ + … + cₙ by Horner's rule. */
const polynomial = (x: string, coefficients: ReadonlyArray<number>): string =>
  coefficients.slice(1).reduce((sum, c) => `(${sum} * ${x} + ${numberText(c)})`, numberText(coefficients[0]));

const exponents = [64, 32, 16, 8, 4, 2, 1];

/** ln 2 in two parts; products of the first with small integers are exact. */
const ln2 = { high: 0.693359375, low: 2.1219444005469057e-4 };

/**
 * Statements that set `y` to e^(x + δ) for a local `x` of the text, which they change, and a δ far below that, 0 unless
 * given. Locals begin with a prefix.
 *
 * e^(x + δ) = 2ⁿ eʳ with |r| ≤ ½ ln 2. 2ⁿ is multiplied on by parts, so that results overflow and underflow where they
 * should.
 */
const expText = (x: string, y: string, p: string, delta = ''): string =>
  [
    `if (${x} > 89.5) { ${x} = 89.5; } if (${x} < -104.5) { ${x} = -104.5; }`,
    `let ${p}n = Math.floor(${x} * 1.4426950408889634 + 0.5);`,
    `let ${p}r = ${x} - ${p}n * ${ln2.high}; ${p}r = ${p}r + ${p}n * ${ln2.low};`,
    ...(delta === '' ? [] : [`${p}r = ${p}r + ${delta};`]),
    `${y} = ${polynomial(`${p}r`, [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1])} * ${p}r * ${p}r + ${p}r + 1;`,
    `let ${p}m = Math.abs(${p}n);`,
    `if (${p}m >= 128) { ${y} = ${p}n > 0 ? ${y} * ${2 ** 64} : ${y} * ${2 ** -64}; ${p}m = ${p}m - 64; }`,
    ...exponents.map(
      (e) => `if (${p}m >= ${e}) { ${y} = ${p}n > 0 ? ${y} * ${2 ** e} : ${y} * ${2 ** -e}; ${p}m = ${p}m - ${e}; }`,
    ),
  ].join('\n');

/** Statements that set `y` to e^(−|x|). */
const expOfMinusAbs = (x: string, y: string, p: string): string =>
  `let ${p}x = -Math.abs(${x}); let ${y} = 0.5;\n${expText(`${p}x`, y, p)}`;

/** log x = e ln 2 + log m with m from √½ to √2. */
const logText = [
  'let m = x; let n = 0.5; n = 0;',
  `if (m < 1) { m = m * ${2 ** 64}; n = n - 64; }`,
  `if (m < 1) { m = m * ${2 ** 64}; n = n - 64; }`,
  `if (m < 1) { m = m * ${2 ** 64}; n = n - 64; }`,
  ...exponents.map((e) => `if (m >= ${2 ** e}) { m = m * ${2 ** -e}; n = n + ${e}; }`),
  'if (m > 1.4142135) { m = m * 0.5; n = n + 1; }',
  'let r = m - 1; let z = r * r;',
  `y = ${polynomial('r', [7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1])} * r * z;`,
  `y = y - n * ${ln2.low}; y = y - 0.5 * z; y = r + y; y = y + n * ${ln2.high};`,
  'if (x === 0) { y = -infinity; } if (x < 0) { y = nan; }',
  `if (x > 3.4028234663852886e+38) { y = x; }`,
  'if (x === x) { m = 0; } else { y = x; }',
].join('\n');

/** x + x³ P(x²) near 0, else ±(1 − 2 e / (1 + e)) with e = e^(−2|x|). */
const tanhText = [
  'let z = x * x; let t = 2 * x;',
  expOfMinusAbs('t', 'w', 'e'),
  'y = 1 - (w + w) / (1 + w);',
  'if (x < 0) { y = -y; }',
  `if (z < 0.390625) { y = ${polynomial('z', [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1])} * z * x + x; }`,
  'if (x === x) { z = 0; } else { y = x; }',
].join('\n');

const sigmoidText = [expOfMinusAbs('x', 'w', 'e'), 'y = x >= 0 ? 1 / (1 + w) : w / (1 + w);'].join('\n');

/** 1 / (2k + 1) for k = 7, …, 0: log(1 + u) = 2 s Σ s²ᵏ / (2k + 1) with s = u / (2 + u) ≤ ⅓ for u ≤ 1. */
const artanhCoefficients = [7, 6, 5, 4, 3, 2, 1, 0].map((k) => 1 / (2 * k + 1));

/** Statements that set `y` to log(1 + u) for an expression u from 0 to 1, of which half may be too small to be a number. */
const log1pOfShare = (u: string, y: string): string =>
  `let s = ${u} / (1 + 0.5 * ${u}); let z = 0.25 * s * s; ${y} = s * ${polynomial('z', artanhCoefficients)};`;

const softplusText = [expOfMinusAbs('x', 'w', 'e'), log1pOfShare('w', 'y'), 'y = (x > 0 ? x : 0) + y;'].join('\n');

/** x P(x²) / Q(x²) on [−4, 4], beyond which erf is ±1: the rational approximation of Eigen's `erf` for floats. */
const erfText = [
  'let t = x; if (t > 4) { t = 4; } if (t < -4) { t = -4; } let z = t * t;',
  `y = ${polynomial('z', [-2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5, -7.34990630326855e-4, -2.95459980854025e-3, -1.60960333262415e-2])}`,
  // The quotient first: t times a coefficient may be too small to be a number.
  `  / ${polynomial('z', [-1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2])};`,
  'y = t * y;',
].join('\n');

/** Φ, see `normalCdf.ts`; beyond 14.4 its tail is 0. An h of ten bits has an exact square. */
const normalCdfText = [
  'let k = Math.abs(x); if (k > 14.4) { k = 14.4; }',
  'let h = Math.floor(k * 64 + 0.5) * 0.015625;',
  'let main = -0.5 * h * h; let low = -0.5 * (k - h) * (k + h); let t = main + low; let rest = (main - t) + low;',
  `let w = 0.5; ${expText('t', 'w', 'e', 'rest')}`,
  `k = 4 / (k + 4); y = w * k * ${polynomial('k', singleCoefficients)};`,
  'if (x < -14.4) { y = 0; } if (x > 0) { y = 1 - y; }',
  'if (x === x) { k = 0; } else { y = x; }',
].join('\n');

/** x Φ(x). Far below 0 the distribution is 0, and 0 times infinity is no number. */
const geluText = [normalCdfText, 'y = (x < -20 ? -20 : x) * y;'].join('\n');

/** Statements that set a local `y` from a local `x`; they may use the numbers `nan` and `infinity`. */
export const unaryText: Readonly<Record<UnaryKind, string>> = {
  neg: 'y = -x;',
  exp: `let t = x;\n${expText('t', 'y', 'e')}`,
  log: logText,
  sqrt: 'y = x < 0 ? nan : Math.sqrt(x);',
  square: 'y = x * x;',
  abs: 'y = Math.abs(x);',
  sign: 'y = x > 0 ? 1 : (x < 0 ? -1 : x);',
  step: 'y = x > 0 ? 1 : 0;',
  tanh: tanhText,
  sigmoid: sigmoidText,
  softplus: softplusText,
  relu: 'y = x > 0 ? x : (x <= 0 ? 0 : x);',
  erf: erfText,
  normalCdf: normalCdfText,
  gelu: geluText,
};

/** Statements that set `y` to log(1 + x) for an x that is not negative; they use `nan` and `infinity`. */
export const log1pText = `if (x <= 1) { ${log1pOfShare('x', 'y')} } else { x = x + 1;\n${logText} }`;

/**
 * Statements that set `y` to e^(a − b) for locals `a` and `b`.
 *
 * A difference is rounded, which an exponential multiplies by its size; what is lost of it, δ = (a − (x − d)) − (b + d)
 * with x = a − b and d = x − a [K97 §4.2.2], is put into the exponent as
 * well. A device that takes sums apart as if they were exact finds 0 for it, and is off by as much as without it.
 */
export const expOfDifferenceText = (a: string, b: string, y: string): string =>
  [
    `let x = ${a} - ${b}; let delta = 0.5; delta = 0;`,
    `if (x > -104.5) { let d = x - ${a}; delta = (${a} - (x - d)) - (${b} + d); }`,
    expText('x', y, 'e', 'delta'),
  ].join('\n');

/** Functions that need numbers which no literal can express. */
export const needsSpecials: ReadonlySet<UnaryKind> = new Set<UnaryKind>(['log', 'sqrt']);

/** The numbers that such functions take, in this order. */
export const specialNames = ['nan', 'infinity'] as const;

/** Their values. */
export const specialNumbers: ReadonlyArray<number> = [NaN, Infinity];

/** The larger or smaller of two expressions; a NaN on either side is the result. */
const extreme = (a: string, b: string, compare: '>' | '<'): string =>
  `(${a} ${compare} ${b} ? ${a} : (${b} ${compare}= ${a} ? ${b} : ${a} + ${b}))`;

/** Functions of two arrays that are more than one expression. */
export type PairKind = 'sigmoidMinus' | 'sigmoidCrossEntropy';

/** Statements that set `d` from locals `x` and `y`: see `Ops`. The smaller of σ(x) and 1 − σ(x) keeps its digits. */
export const pairText: Readonly<Record<PairKind, string>> = {
  sigmoidMinus: [expOfMinusAbs('x', 'w', 'e'), 'w = w / (1 + w); d = x > 0 ? (1 - y) - w : w - y;'].join('\n'),
  sigmoidCrossEntropy: [
    expOfMinusAbs('x', 'w', 'e'),
    log1pOfShare('w', 'd'),
    'let q = (x > 0 ? 1 : 0) - y; let v = q * x; if (q === 0) { v = 0; } d = v + d;',
  ].join('\n'),
};

/** Functions of two expressions. */
export const binaryText: Readonly<Record<BinaryKind, (a: string, b: string) => string>> = {
  add: (a, b) => `${a} + ${b}`,
  sub: (a, b) => `${a} - ${b}`,
  mul: (a, b) => `${a} * ${b}`,
  div: (a, b) => `${a} / ${b}`,
  max: (a, b) => extreme(a, b, '>'),
  min: (a, b) => extreme(a, b, '<'),
  greater: (a, b) => `(${a} > ${b} ? 1 : 0)`,
  equal: (a, b) => `(${a} === ${b} ? 1 : 0)`,
};

/** Statements that set `d` to g f′(x), from locals `x`, `y` = f(x) and `g`. */
export const vjpText: Readonly<Record<UnaryKind, string>> = {
  neg: 'd = -g;',
  exp: 'd = g * y;',
  log: 'd = g / x;',
  sqrt: 'd = g * 0.5 / y;',
  square: 'd = 2 * x * g;',
  abs: 'd = g * (x > 0 ? 1 : (x < 0 ? -1 : x));',
  sign: 'd = g * 0;',
  step: 'd = g * 0;',
  tanh: 'd = g * ((1 - y) * (1 + y));',
  sigmoid: 'd = g * (y * (1 - y));',
  softplus: sigmoidText.replaceAll('y = ', 'd = g * (').replace(/;$/, ');'),
  relu: 'd = g * (x > 0 ? 1 : 0);',
  normalCdf: `let t = -0.5 * (x * x);\n${expText('t', 'd', 'e')}\nd = d * ${1 / Math.sqrt(2 * Math.PI)} * g;`,
  // Φ(x) + x φ(x), whose second term is 0 beyond ±14.4.
  gelu: [
    normalCdfText,
    `let s = x; if (x > 14.4) { s = 0; } if (x < -14.4) { s = 0; } let q = -0.5 * (s * s);\n${expText('q', 'd', 'f')}`,
    `d = (y + s * (d * ${1 / Math.sqrt(2 * Math.PI)})) * g;`,
  ].join('\n'),
  erf: `let t = -(x * x);\n${expText('t', 'd', 'e')}\nd = d * ${2 / Math.sqrt(Math.PI)} * g;`,
};
