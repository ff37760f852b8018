/**
 * Elementwise functions on vectors of four floats, as code.
 *
 * Transcendental ones reduce their argument to a short interval and use a polynomial there, with the coefficients of
 * Cephes [M89: expf, logf, tanhf]; errors are a few units in
 * the last place everywhere, relative to the result. NaN passes through all of them.
 *
 * @module
 */
import type { BinaryKind, UnaryKind } from '../../../ops/primitives.ts';
import type { VjpKind } from '../kernels/kernels.ts';
import { singleCoefficients } from '../kernels/normalCdf.ts';

import type { Code } from '../../webAssembly/assembler.ts';
import { f32x4, i32, i32x4, local, v128 } from '../../webAssembly/assembler.ts';

const { add, sub, mul, div, min, max, lesser, greater, neg, abs, sqrt, equal, lessThan, greaterThan, constant } = f32x4;
const { get, set } = local;

/** Locals of type v128 that a function may use, by number. */
export type Registers = ReadonlyArray<number>;

/** A function of one vector. */
export type VectorFunction = (x: Code, registers: Registers) => Code;

/** c₀ xⁿ + c₁ xⁿ⁻¹ + … + cₙ. */
const polynomial = (x: Code, coefficients: ReadonlyArray<number>): Code =>
  coefficients.slice(1).reduce((sum, c) => add(mul(sum, x), constant(c)), constant(coefficients[0]));

/** The same as E(x²) + x O(x²): two chains of half the length, which do not wait for each other. The square is given. */
const splitPolynomial = (x: Code, square: Code, coefficients: ReadonlyArray<number>): Code => {
  const half = (parity: number): Code =>
    polynomial(
      square,
      coefficients.filter((_, i) => (coefficients.length - 1 - i) % 2 === parity),
    );
  return add(half(0), mul(x, half(1)));
};

/** 1 where a comparison holds, else 0. */
const indicator = (mask: Code): Code => v128.and(constant(1), mask);

/**
 * 1.5 · 2²³: a number up to 2²² in size that is added to it is rounded to an integer, which the lowest bits of the sum hold.
 */
const rounder = 12_582_912;

/** Its bits. */
const roundedZero = 0x4b400000;

/** 2ⁿ for integers n in [−126, 127], made from the bits of the exponent; of n, nothing above its lowest bits counts. */
const powerOfTwo = (n: Code): Code => i32x4.shiftLeft(i32x4.add(n, i32x4.constant(127)), i32.constant(23));

/** ln 2 in two parts; products of the first with small integers are exact. */
const ln2 = { high: 0.693359375, low: -2.1219444005469057e-4 };

/**
 * The parts of e^(x + δ) = 2ⁿ eʳ with |r| ≤ ½ ln 2 and a δ far below that, 0 unless given. Leaves eʳ on the stack and n,
 * in the lowest bits of an integer, in its register. The polynomial is evaluated in pairs of terms, which wait for each other less than
 * Horner's.
 */
const splitExp = (x: Code, [r, n, rr]: Registers, delta: Code | null = null): Code => {
  const pair = (c1: number, c0: number): Code => add(mul(constant(c1), get(r)), constant(c0));
  const upper = add(mul(pair(1.98756915e-4, 1.3981999507e-3), get(rr)), pair(8.3334519073e-3, 4.1665795894e-2));
  const series = add(mul(upper, get(rr)), pair(1.6666665459e-1, 5.0000001201e-1));
  return [
    ...set(r, x),
    ...set(n, add(mul(get(r), constant(Math.LOG2E)), constant(rounder))),
    ...set(rr, sub(get(n), constant(rounder))),
    ...set(r, sub(sub(get(r), mul(get(rr), constant(ln2.high))), mul(get(rr), constant(ln2.low)))),
    ...(delta === null ? [] : set(r, add(get(r), delta))),
    ...set(rr, mul(get(r), get(r))),
    ...add(mul(series, get(rr)), add(get(r), constant(1))),
  ];
};

/**
 * e^(x + δ), with 2ⁿ in two factors, so that results may overflow and underflow gradually. Below −176, where n = −254, both
 * factors are 0 and not small: processors take many times as long for numbers that are not normal, and −∞ is in every mask.
 */
const expOfSum = (x: Code, delta: Code | null, registers: Registers): Code => {
  const [, n, half] = registers;
  return [
    ...splitExp(lesser(greater(x, constant(-176)), constant(89)), registers, delta),
    ...set(n, i32x4.sub(get(n), i32x4.constant(roundedZero))),
    ...set(half, i32x4.shiftRight(get(n), i32.constant(1))),
    ...mul(powerOfTwo(get(half))),
    ...mul(powerOfTwo(i32x4.sub(get(n), get(half)))),
  ];
};

/** eˣ. */
const exp: VectorFunction = (x, registers) => expOfSum(x, null, registers);

/**
 * e^(a − b). A difference is rounded, which an exponential multiplies by its size; what is lost of it, δ = (a − (d − d′))
 * − (b + d′) with d = a − b and d′ = d − a [K97 §4.2.2], is put into the
 * exponent as well. At infinities it is not a number, and not needed.
 */
export const expOfDifferenceCode = (a: Code, b: Code, [d, v, delta, ...rest]: Registers): Code => [
  ...set(d, sub(a, b)),
  ...set(v, sub(get(d), a)),
  ...set(delta, sub(sub(a, sub(get(d), get(v))), add(b, get(v)))),
  ...set(delta, v128.and(get(delta), equal(get(delta), get(delta)))),
  ...expOfSum(get(d), get(delta), rest),
];

/** e^(−|x|) of the value of a register; 0 below −87.7, where 2ⁿ with n = −127 has no bits and nothing is a normal number. */
const expOfMinusAbs = (x: number, registers: Registers): Code =>
  mul(splitExp(greater(neg(abs(get(x))), constant(-88)), registers), powerOfTwo(get(registers[1])));

/** x + x³ P(x²) near 0, else ±(1 − 2 e^(−2|x|) / (1 + e^(−2|x|))). */
const tanh: VectorFunction = (x, [v, w, ...rest]) => {
  const z = get(w);
  const series = polynomial(
    z,
    [-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1],
  );
  const near = add(mul(mul(series, z), get(v)), get(v));
  const far = sub(constant(1), div(add(get(w), get(w)), add(constant(1), get(w))));
  return [
    ...set(v, x),
    ...set(w, mul(get(v), get(v))),
    ...near,
    ...set(w, add(get(v), get(v))),
    ...set(w, expOfMinusAbs(w, rest)),
    ...v128.xor(far, v128.and(get(v), constant(-0))),
    ...v128.bitselect(lessThan(abs(get(v)), constant(0.625))),
  ];
};

/** 1 / (1 + e⁻ˣ). Above 88.4 the exponential has n = 128 and is infinite; so is 1 + e⁻ˣ, and the quotient 0. */
const sigmoid: VectorFunction = (x, registers) => {
  const [, n] = registers;
  const e = mul(splitExp(lesser(greater(neg(x), constant(-87.3)), constant(89)), registers), powerOfTwo(get(n)));
  return div(constant(1), add(constant(1), e));
};

/** 1 / (2k + 1) for k = 7, …, 0: log(1 + u) = 2 s Σ s²ᵏ / (2k + 1) with s = u / (2 + u) ≤ ⅓ for u ≤ 1. */
const artanhCoefficients = [7, 6, 5, 4, 3, 2, 1, 0].map((k) => 1 / (2 * k + 1));

/** log(1 + eˣ) = max(x, 0) + log(1 + e^(−|x|)). */
const softplus: VectorFunction = (x, [v, s, ss, q, ...rest]) => [
  ...set(v, x),
  ...set(s, expOfMinusAbs(v, rest)),
  ...set(s, div(get(s), add(constant(2), get(s)))),
  ...set(ss, mul(get(s), get(s))),
  ...set(q, mul(get(ss), get(ss))),
  ...add(greater(get(v), constant(0)), mul(add(get(s), get(s)), splitPolynomial(get(ss), get(q), artanhCoefficients))),
];

const sign: VectorFunction = (x, [v]) => [
  ...set(v, x),
  ...v128.bitselect(
    constant(1),
    v128.bitselect(constant(-1), get(v), lessThan(get(v), constant(0))),
    greaterThan(get(v), constant(0)),
  ),
];

const square: VectorFunction = (x, [v]) => [...set(v, x), ...mul(get(v), get(v))];

/** x P(x²) / Q(x²) on [−4, 4], beyond which erf is ±1: the rational approximation of Eigen's `erf` for floats. */
const erf: VectorFunction = (x, [v, w]) => {
  const z = get(w);
  const numerator = polynomial(
    z,
    [
      -2.72614225801306e-10, 2.77068142495902e-8, -2.10102402082508e-6, -5.69250639462346e-5, -7.34990630326855e-4,
      -2.95459980854025e-3, -1.60960333262415e-2,
    ],
  );
  const denominator = polynomial(
    z,
    [-1.45660718464996e-5, -2.13374055278905e-4, -1.68282697438203e-3, -7.37332916720468e-3, -1.42647390514189e-2],
  );
  return [
    ...set(v, lesser(greater(x, constant(-4)), constant(4))),
    ...set(w, mul(get(v), get(v))),
    ...div(mul(get(v), numerator), denominator),
  ];
};

/** Φ, see `normalCdf.ts`; beyond 14.4 its tail is 0 in 32 bits. Leaves e^(−x²/2), 0 beyond 14.5, in the first register. */
const normalCdf: VectorFunction = (x, [bell, v, c, d, e, ...rest]) => {
  const sum = add(get(d), get(e));
  const [cc] = rest;
  return [
    ...set(v, x),
    ...set(c, lesser(abs(get(v)), constant(14.5))),
    // −c²/2 = −h²/2 − (c − h) (c + h) / 2, where h has the first 12 bits of c and an exact square, as a sum and its rest.
    ...set(d, v128.and(get(c), i32x4.constant(-4096))),
    ...set(e, mul(mul(constant(-0.5), sub(get(c), get(d))), add(get(c), get(d)))),
    ...set(d, mul(mul(constant(-0.5), get(d)), get(d))),
    ...set(bell, expOfSum(sum, add(sub(get(d), sum), get(e)), rest)),
    ...set(c, div(constant(4), add(get(c), constant(4)))),
    ...set(cc, mul(get(c), get(c))),
    ...set(d, mul(mul(get(bell), get(c)), splitPolynomial(get(c), get(cc), singleCoefficients))),
    ...v128.bitselect(sub(constant(1), get(d)), get(d), greaterThan(get(v), constant(0))),
  ];
};

/** x Φ(x). Below −14.4 the distribution is 0, and 0 times infinity is no number. */
const gelu: VectorFunction = (x, [u, ...rest]) => [
  ...set(u, x),
  ...mul(greater(get(u), constant(-20)), normalCdf(get(u), rest)),
];

/** 1 / √(2π): φ(x) is so many times e^(−x²/2). */
const bellHeight = 1 / Math.sqrt(2 * Math.PI);

/** σ(x) − y, from the smaller of σ(x) and 1 − σ(x). */
export const sigmoidMinusCode = (x: Code, y: Code, [v, e, ...rest]: Registers): Code => [
  ...set(v, x),
  ...set(e, expOfMinusAbs(v, rest)),
  ...set(e, div(get(e), add(constant(1), get(e)))),
  ...v128.bitselect(sub(sub(constant(1), y), get(e)), sub(get(e), y), greaterThan(get(v), constant(0))),
];

/** (s − y) x + log(1 + e^(−|x|)) with s = 1 above 0, else 0; 0 · ∞ = 0. */
export const sigmoidCrossEntropyCode = (x: Code, y: Code, [v, d, e, ...rest]: Registers): Code => {
  const [ee, eeee] = rest;
  return [
    ...set(v, x),
    ...set(d, sub(indicator(greaterThan(get(v), constant(0))), y)),
    ...set(e, expOfMinusAbs(v, rest)),
    ...set(e, div(get(e), add(constant(2), get(e)))),
    ...set(ee, mul(get(e), get(e))),
    ...set(eeee, mul(get(ee), get(ee))),
    ...add(
      v128.andnot(mul(get(d), get(v)), equal(get(d), constant(0))),
      mul(add(get(e), get(e)), splitPolynomial(get(ee), get(eeee), artanhCoefficients)),
    ),
  ];
};

/**
 * log x = e log 2 + log(1 + z) with 1 + z between √½ and √2, where the latter is z − z²/2 + z³ P(z). Small numbers that are
 * not normal are multiplied by 2²⁵ first.
 */
const log: VectorFunction = (x, [u, v, e, m, z, zz]) => {
  const series = splitPolynomial(
    get(z),
    get(zz),
    [
      7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
      2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
    ],
  );
  const square = get(zz);
  const tail = add(mul(mul(get(z), square), series), mul(get(e), constant(ln2.low)));
  const result = add(add(get(z), sub(tail, mul(constant(0.5), square))), mul(get(e), constant(ln2.high)));
  const exponent = i32x4.sub(i32x4.shiftRight(get(v), i32.constant(23)), i32x4.constant(126));
  return [
    ...set(u, x),
    ...set(m, lessThan(get(u), constant(2 ** -126))),
    ...set(v, v128.bitselect(mul(get(u), constant(2 ** 25)), get(u), get(m))),
    ...set(e, sub(f32x4.fromI32x4(exponent), v128.and(constant(25), get(m)))),
    ...set(v, v128.or(v128.and(get(v), i32x4.constant(0x007fffff)), constant(0.5))),
    ...set(m, lessThan(get(v), constant(Math.SQRT1_2))),
    ...set(e, sub(get(e), v128.and(constant(1), get(m)))),
    ...set(z, add(sub(get(v), constant(1)), v128.and(get(v), get(m)))),
    ...set(zz, mul(get(z), get(z))),
    ...set(z, v128.bitselect(result, get(u), lessThan(get(u), constant(Infinity)))),
    ...set(z, v128.bitselect(constant(-Infinity), get(z), equal(get(u), constant(0)))),
    ...v128.bitselect(constant(NaN), get(z), lessThan(get(u), constant(0))),
  ];
};

/** Functions of one argument. */
export const unaryCode: Readonly<Record<UnaryKind, VectorFunction>> = {
  neg: (x) => neg(x),
  exp,
  log,
  sqrt: (x) => sqrt(x),
  square,
  abs: (x) => abs(x),
  sign,
  step: (x) => indicator(greaterThan(x, constant(0))),
  tanh,
  sigmoid,
  softplus,
  // A sum with 0 is never −0.
  relu: (x) => add(greater(x, constant(0)), constant(0)),
  erf,
  normalCdf,
  gelu,
};

/** Functions of two arguments. */
export const binaryCode: Readonly<Record<BinaryKind, (a: Code, b: Code) => Code>> = {
  add,
  sub,
  mul,
  div,
  max,
  min,
  greater: (a, b) => indicator(greaterThan(a, b)),
  equal: (a, b) => indicator(equal(a, b)),
};

/** A function's derivative times a cotangent, from its argument or from its value. */
export interface VjpCode {
  readonly from: 'argument' | 'value';
  readonly code: (x: Code, cotangent: Code, registers: Registers) => Code;
}

/** Derivatives times cotangents. That of tanh is 1 − y² as a product, which keeps its digits near |y| = 1. */
export const vjpCode: Readonly<Record<VjpKind, VjpCode>> = {
  exp: { from: 'value', code: (y, c) => mul(c, y) },
  square: { from: 'argument', code: (x, c) => mul(mul(constant(2), x), c) },
  tanh: {
    from: 'value',
    code: (y, c, [v]) => [...set(v, y), ...mul(c, mul(sub(constant(1), get(v)), add(constant(1), get(v))))],
  },
  sigmoid: {
    from: 'value',
    code: (y, c, [v]) => [...set(v, y), ...mul(c, mul(get(v), sub(constant(1), get(v))))],
  },
  relu: { from: 'argument', code: (x, c) => mul(c, indicator(greaterThan(x, constant(0)))) },
  softplus: { from: 'argument', code: (x, c, registers) => mul(sigmoid(x, registers), c) },
  normalCdf: {
    from: 'argument',
    code: (x, c, [v, ...rest]) => [
      ...set(v, x),
      ...mul(mul(exp(mul(mul(constant(-0.5), get(v)), get(v)), rest), constant(bellHeight)), c),
    ],
  },
  // Φ(x) + x φ(x), of which 32 bits see nothing but 0 and 1 beyond ±20.
  gelu: {
    from: 'argument',
    code: (x, c, [u, bell, ...rest]) => [
      ...set(u, greater(lesser(x, constant(20)), constant(-20))),
      ...mul(add(normalCdf(get(u), [bell, ...rest]), mul(mul(get(u), constant(bellHeight)), get(bell))), c),
    ],
  },
};
