/**
 * The vector unit against plain loops in 64 bits.
 */
import fc from 'fast-check';

import type { Kernels, RowsOf, Triple } from '../../../../../src/core/backends/host/kernels/kernels.ts';
import { plainKernels } from '../../../../../src/core/backends/host/kernels/plain.ts';
import { vectorUnit } from '../../../../../src/core/backends/host/simd/instance.ts';
import { singleKernels } from '../../../../../src/core/backends/host/simd/kernels.ts';
import { chunk } from '../../../../../src/core/backends/host/simd/module.ts';
import type { Vector } from '../../../../../src/core/backends/host/kernels/precision.ts';
import type { UnaryKind } from '../../../../../src/core/ops/primitives.ts';
import { keyOf } from '../../../../../src/core/random/key.ts';
import { uniform } from '../../../../../src/core/random/uniform.ts';

const kernels = singleKernels(1);

/** The same numbers in the memory of the unit, where kernels work in place. */
const taken = (x: Float32Array): Float32Array => {
  const inside = vectorUnit()?.memory.take(x.length) ?? new Float32Array(x.length);
  inside.set(x);
  return inside;
};

/** Half the distance from 1 to the next number: what rounding to 32 bits costs, relative to a normal number. */
const unit = 2 ** -24;
const tiny = 2 ** -126;

const numbers = (seed: number, length: number, low: number, high: number): Float32Array =>
  Float32Array.from(uniform(keyOf(seed), [length], 'f64').data, (u) => low + (high - low) * u);

/** Rounded to quarters, in their place. */
const quarters = (x: Float32Array): Float32Array => {
  for (let i = 0; i < x.length; i += 1) x[i] = Math.round(4 * x[i]) / 4;
  return x;
};

/** Lengths around vectors of four and chunks. */
const length = fc.oneof(
  fc.integer({ min: 0, max: 20 }),
  fc.constantFrom(chunk - 3, chunk - 1, chunk, chunk + 1, chunk + 6, 2 * chunk, 2 * chunk + 3),
);

const seed = fc.nat(2 ** 31 - 1);

const expectWithin = (actual: ArrayLike<number>, expected: ArrayLike<number>, bound: (i: number) => number): void => {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i += 1) {
    if (!(Math.abs(actual[i] - expected[i]) <= bound(i))) {
      throw new Error(`element ${i} of ${expected.length} is ${actual[i]} instead of ${expected[i]}`);
    }
  }
};

const f64Result = (x: Float32Array, run: (x: Float64Array, out: Float64Array) => void): Float64Array => {
  const out = new Float64Array(x.length);
  run(Float64Array.from(x), out);
  return out;
};

describe.each<readonly [string, (x: Float32Array) => Float32Array]>([
  ['in place', taken],
  ['through places', (x) => x],
])('the vector unit, %s', (_, put) => {
  const room = (n: number): Float32Array => put(new Float32Array(n));

  const drawn = (s: number, n: number, low: number, high: number): Float32Array => put(numbers(s, n, low, high));

  it('is there: WebAssembly is part of Node.js', () => {
    expect(vectorUnit()).not.toBeNull();
    expect(vectorUnit()).toBe(vectorUnit());
  });

  it.each<readonly [UnaryKind, number, number, number]>([
    ['neg', -10, 10, 0],
    ['abs', -10, 10, 0],
    ['sign', -1, 1, 0],
    ['step', -1, 1, 0],
    ['relu', -1, 1, 0],
    ['square', -10, 10, 1],
    ['sqrt', 0, 10, 1],
    ['exp', -87, 88, 4],
    ['log', 1e-30, 1e30, 4],
    ['log', 0.5, 2, 4],
    ['log', 0.999, 1.001, 4],
    ['log', 1e-45, 1e-38, 4],
    ['exp', -1, 1, 4],
    ['tanh', -12, 12, 4],
    ['tanh', -0.7, 0.7, 4],
    ['tanh', -1e-3, 1e-3, 4],
    ['sigmoid', -87, 20, 5],
    ['softplus', -87, 20, 6],
    ['softplus', -1, 1, 6],
    ['erf', -4, 4, 8],
    ['erf', -0.1, 0.1, 8],
    ['normalCdf', -12.9, 10, 8],
    ['normalCdf', -1, 1, 8],
    ['gelu', -12.5, 10, 9],
    ['gelu', -1, 1, 9],
  ])('law: accuracy of %s on [%d, %d]. |f̂(x) − f(x)| ≤ %d · 2⁻²⁴ |f(x)|', (kind, low, high, units) => {
    for (const [i, n] of [1, 6, chunk + 5, 40 * chunk].entries()) {
      const x = drawn(i, n, low, high);
      const out = room(n);
      kernels.unary[kind](x, out);
      const expected = f64Result(x, plainKernels.unary[kind]);
      expectWithin(out, expected, (at) => units * unit * Math.abs(expected[at]) + (units > 1 ? tiny : 0));
    }
  });

  it('gives the limits of functions at infinities, far out and at NaN', () => {
    const x = put(Float32Array.from([Infinity, -Infinity, NaN, 1000, -1000, 0]));
    const at = (kind: UnaryKind): ReadonlyArray<number> => {
      const out = room(x.length);
      kernels.unary[kind](x, out);
      return Array.from(out);
    };
    expect(at('exp')).toEqual([Infinity, 0, NaN, Infinity, 0, 1]);
    expect(at('log')).toEqual([Infinity, NaN, NaN, Math.fround(Math.log(1000)), NaN, -Infinity]);
    expect(at('tanh')).toEqual([1, -1, NaN, 1, -1, 0]);
    expect(at('sigmoid')).toEqual([1, 0, NaN, 1, 0, 0.5]);
    expect(at('softplus')).toEqual([Infinity, 0, NaN, 1000, 0, Math.fround(Math.LN2)]);
    expect(at('relu')).toEqual([Infinity, 0, NaN, 1000, 0, 0]);
    expect(at('sign')).toEqual([1, -1, NaN, 1, -1, 0]);
    expect(at('step')).toEqual([1, 0, 0, 1, 0, 0]);
    expect(at('erf')).toEqual([1, -1, NaN, 1, -1, 0]);
    expect(at('normalCdf').slice(0, 5)).toEqual([1, 0, NaN, 1, 0]);
    expect(at('normalCdf')[5]).toBeCloseTo(0.5, 7);
    expect(at('gelu').map((y) => y + 0)).toEqual([Infinity, 0, NaN, 1000, 0, 0]);
    expect(at('sqrt')).toEqual([Infinity, NaN, NaN, Math.fround(Math.sqrt(1000)), NaN, 0]);
  });

  it.each(['add', 'sub', 'mul', 'div', 'max', 'min', 'greater', 'equal'] as const)(
    'law: %s of arrays and numbers, from any position, rounds once and writes nothing else',
    (kind) => {
      fc.assert(
        fc.property(length, seed, fc.nat(5), fc.nat(5), fc.nat(5), (n, s, atA, atB, to) => {
          const a = quarters(drawn(s, atA + n, -2, 2));
          const b = quarters(drawn(s + 1, atB + n, -2, 2));
          const c = b[atB] ?? 0.5;
          const [left, right] = [Float64Array.from(a), Float64Array.from(b)];
          const check = (run: (k: Kernels, x: Vector, y: Vector, out: Vector) => void): void => {
            const out = room(to + n + 3).fill(7);
            const expected = new Float64Array(to + n + 3).fill(7);
            run(kernels, a, b, out);
            run(plainKernels, left, right, expected);
            expect(expected.findIndex((value, i) => !Object.is(out[i], Math.fround(value)))).toBe(-1);
          };
          check((k, x, y, out) => k.binary[kind].both(x, atA, y, atB, out, to, n));
          check((k, x, _, out) => k.binary[kind].right(x, atA, c, out, to, n));
          check((k, x, _, out) => k.binary[kind].left(x, atA, c, out, to, n));
          const apart = (rows: number): number => Math.floor(n / rows);
          for (const rows of [1, 2, 3]) {
            const m = apart(rows);
            check((k, x, y, out) => k.binary[kind].rows(x, atA, m, y, atB, 0, out, to, rows, m));
            check((k, x, y, out) => k.binary[kind].rows(x, atA, 0, y, atB, m, out, to, rows, m));
            if (n < rows) continue;
            check((k, x, y, out) => k.binary[kind].rowsRight(x, atA, m, y, atB, 1, out, to, rows, m));
            check((k, x, y, out) => k.binary[kind].rowsLeft(x, atA, m, y, atB, 1, out, to, rows, m));
          }
        }),
        { numRuns: 40 },
      );
    },
  );

  it.each(['exp', 'square', 'tanh', 'sigmoid', 'relu', 'softplus', 'normalCdf', 'gelu'] as const)(
    'law: VJP of %s. c f′(x), from the same numbers as plain loops',
    (kind) => {
      fc.assert(
        fc.property(length, seed, (n, s) => {
          const x = drawn(s, n, -4, 4);
          const y = room(n);
          kernels.unary[kind](x, y);
          const c = drawn(s + 1, n, -2, 2);
          const out = room(n);
          kernels.vjp[kind](x, y, c, out);
          const expected = new Float64Array(n);
          plainKernels.vjp[kind](Float64Array.from(x), Float64Array.from(y), Float64Array.from(c), expected);
          // That of gelu is a difference, whose terms are of size 1.
          const sizes = kind === 'gelu' ? c : expected;
          expectWithin(out, expected, (i) => 8 * unit * Math.abs(sizes[i]) + tiny);
        }),
        { numRuns: 40 },
      );
    },
  );

  it('law: exponentials of differences. e^(a − b) is off by at most 4 · 2⁻²⁴ of itself, the difference being exact', () => {
    for (const [low, high] of [
      [-1e-3, 1e-3],
      [-43, 43],
      [-1e4, 1e4],
    ]) {
      const a = drawn(1, 3 * chunk + 5, low, high);
      const b = drawn(2, a.length, low, high);
      const out = room(a.length);
      const capped = (xs: ArrayLike<number>): ReadonlyArray<number> => Array.from(xs, (x) => Math.min(x, 3e38));
      const check = (exact: ReadonlyArray<number>): void =>
        expectWithin(capped(out), capped(exact), (i) => 4 * unit * exact[i] + tiny);
      kernels.expOfDifference.both(a, 0, b, 0, out, 0, a.length);
      check(Array.from(a, (x, i) => Math.exp(x - b[i])));
      kernels.expOfDifference.right(a, 0, b[0], out, 0, a.length);
      check(Array.from(a, (x) => Math.exp(x - b[0])));
    }
  });

  it('gives the limits of exponentials of differences', () => {
    const [a, b] = [
      [-Infinity, -Infinity, 3e38, -3e38, NaN, 1, Infinity, 1],
      [0, 3e38, 3e38, 3e38, 0, NaN, 1, 1],
    ].map((xs) => put(Float32Array.from(xs)));
    const out = room(a.length);
    kernels.expOfDifference.both(a, 0, b, 0, out, 0, a.length);
    expect(Array.from(out)).toEqual([0, 0, 1, 0, NaN, NaN, Infinity, 1]);
  });

  it('law: linear combination. |a x + b y| is off by at most 2 · 2⁻²⁴ (|a x| + |b y|), and a factor by 2⁻²⁴', () => {
    fc.assert(
      fc.property(length, seed, fc.double({ min: -3, max: 3, noNaN: true }), (n, s, a) => {
        const x = drawn(s, n, -2, 2);
        const y = drawn(s + 1, n, -2, 2);
        const out = room(n);
        kernels.linearCombination(a, x, 0.05, y, out);
        const expected = Array.from(x, (v, i) => a * v + 0.05 * y[i]);
        expectWithin(out, expected, (i) => 3.01 * unit * (Math.abs(a * x[i]) + 0.05 * Math.abs(y[i])) + tiny);
      }),
    );
  });

  it('law: fused combinations. Bit for bit what their parts give one after another', () => {
    fc.assert(
      fc.property(length, seed, fc.double({ min: 0.01, max: 3, noNaN: true }), (n, s, a) => {
        const [x, y] = [drawn(s, n, -2, 2), drawn(s + 1, n, 0, 2)];
        const [square, root, expected, out] = [0, 0, 0, 0].map(() => room(n));
        kernels.unary.square(y, square);
        kernels.linearCombination(a, x, 0.05, square, expected);
        kernels.combineWithSquare(a, x, 0.05, y, out);
        expect(Array.from(out)).toEqual(Array.from(expected));
        kernels.unary.sqrt(y, root);
        kernels.binary.mul.right(root, 0, a, expected, 0, n);
        kernels.binary.add.right(expected, 0, 0.3, expected, 0, n);
        kernels.binary.div.both(x, 0, expected, 0, expected, 0, n);
        kernels.overRoot(a, x, 0.3, y, out);
        expect(Array.from(out)).toEqual(Array.from(expected));
      }),
    );
  });

  it('law: sums are accumulated in 64 bits. |ŝ − s| ≤ n 2⁻⁵³ Σ|x|', () => {
    fc.assert(
      fc.property(length, seed, fc.nat(5), (n, s, at) => {
        const x = drawn(s, at + n, -2, 2);
        const y = drawn(s + 1, at + n, -2, 2);
        const parts = Array.from(x).slice(at);
        const magnitude = parts.reduce((sum, v) => sum + Math.abs(v), 0);
        const bound = (n + at + 1) * 2 ** -52;
        expect(Math.abs(kernels.sum(x, at, n) - plainKernels.sum(x, at, n))).toBeLessThanOrEqual(bound * magnitude);
        const products = Array.from(x, (v, i) => Math.abs(v * y[i])).reduce((sum, v) => sum + v, 0);
        expect(Math.abs(kernels.dot(x, y) - plainKernels.dot(x, y))).toBeLessThanOrEqual(bound * products);
      }),
    );
  });

  it('law: a sum of 2²⁴ + 1 ones with a large array is exact, which 32 bits could not hold', () => {
    const x = room(5 * chunk + 1).fill(2 ** 24);
    x[5 * chunk] = 1;
    expect(kernels.sum(x, 0, x.length)).toBe(5 * chunk * 2 ** 24 + 1);
  });

  it('law: sums of rows are accumulated in 64 bits and rounded once', () => {
    fc.assert(
      fc.property(length, fc.integer({ min: 1, max: 5 }), seed, fc.nat(5), fc.nat(5), (columns, rows, s, at, to) => {
        const x = drawn(s, at + rows * columns, -2, 2);
        const expected = new Float64Array(to + rows + 3).fill(7);
        plainKernels.rowSums(x, at, rows, columns, expected, to);
        const out = room(to + rows + 3).fill(7);
        kernels.rowSums(x, at, rows, columns, out, to);
        expectWithin(out, expected, (i) => unit * Math.abs(expected[i]) + 2 ** -45 * (rows + columns));
        expect([...out.slice(to + rows)]).toEqual([7, 7, 7]);
      }),
      { numRuns: 40 },
    );
  });

  it('law: over the axis in the middle. Sums are accumulated in 64 bits, maxima and their cotangents are those of plain loops, and nothing else is written', () => {
    const [blocks, rows] = [fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 5 })];
    const columns = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(127, 128, 129));
    fc.assert(
      fc.property(blocks, rows, columns, seed, fc.nat(400), (b, r, n, s, odd) => {
        const x = quarters(drawn(s, b * r * n, -1, 1)); // with ties
        if (odd < x.length) x[odd] = odd % 2 === 0 ? NaN : Infinity;
        const rest = 3;
        const outs = (size: number): readonly [Float32Array, Float64Array] => [
          room(size + rest).fill(7),
          new Float64Array(size + rest).fill(7),
        ];
        const [sums, exactSums] = outs(b * n);
        kernels.middleSums(x, b, r, n, sums.subarray(0, b * n));
        plainKernels.middleSums(x, b, r, n, exactSums.subarray(0, b * n));
        expect(Array.from(sums)).toEqual(Array.from(exactSums));
        const [tops, exactTops] = outs(b * n);
        kernels.middleMaxima(x, b, r, n, tops.subarray(0, b * n));
        plainKernels.middleMaxima(x, b, r, n, exactTops.subarray(0, b * n));
        expect(Array.from(tops)).toEqual(Array.from(exactTops));
        const c = drawn(s + 1, b * n, -2, 2);
        const [cotangents, exact] = outs(b * r * n);
        kernels.middleMaximaVjp(x, tops, c, b, r, n, cotangents.subarray(0, x.length));
        plainKernels.middleMaximaVjp(x, exactTops, c, b, r, n, exact.subarray(0, x.length));
        const known = (xs: ArrayLike<number>): ReadonlyArray<number> => Array.from(xs, (value) => (Number.isNaN(value) ? -99 : value)); // prettier-ignore
        const wanted = known(exact);
        expectWithin(known(cotangents), wanted, (i) => 2 * unit * Math.abs(wanted[i]));
      }),
      { numRuns: 60 },
    );
  });

  /** Blocks, rows and columns; rows of one array, and more of them or wider ones than a place holds. */
  const middle = fc.oneof(
    fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 35 })),
    fc.constantFrom<Triple>([chunk + 3, 5, 1], [1, 3, chunk + 1], [1, 2, chunk]),
  );

  it('law: standardised over the middle, with means and variances, and its derivative, as plain loops do it', () => {
    fc.assert(
      fc.property(middle, seed, fc.constantFrom(0, 100), ([b, r, n], s, offset) => {
        const [size, epsilon] = [b * r * n, 0.01];
        const x = drawn(s, size, offset - 2, offset + 2);
        const [y, means, variances] = [room(size), room(b * n), room(b * n)];
        const [exactY, exactMeans, exactVariances] = [size, b * n, b * n].map((count) => new Float64Array(count));
        kernels.standardise(x, b, r, n, epsilon, y, means, variances);
        plainKernels.standardise(x, b, r, n, epsilon, exactY, exactMeans, exactVariances);
        // Distances from a rounded mean are rounded, and the mean of those is what is left of it: an error of the largest of them.
        const largest = exactY.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
        const apart = 2 * unit * unit * (offset + 2);
        expectWithin(y, exactY, (i) => 16 * unit * Math.abs(exactY[i]) + 4 * unit * largest + apart / 0.1);
        expectWithin(means, exactMeans, (i) => 4 * unit * (Math.abs(exactMeans[i]) + 4));
        expectWithin(variances, exactVariances, (i) => 16 * unit * exactVariances[i] + apart);

        const c = drawn(s + 1, size, -2, 2);
        const [pulled, exact] = [room(size), new Float64Array(size)];
        kernels.standardiseVjp(y, variances, c, b, r, n, epsilon, pulled);
        plainKernels.standardiseVjp(y, variances, c, b, r, n, epsilon, exact);
        const most = 4 + y.reduce((top, value) => Math.max(top, value * value * 2), 0);
        expectWithin(pulled, exact, () => (8 * unit * most) / 0.1);
      }),
      { numRuns: 60 },
    );
  });

  it('law: the derivative of softmax, y (c − Σ y c) in each row, as plain loops do it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 70 }), seed, (rows, columns, s) => {
        const [y, c] = [drawn(s, rows * columns, 0, 1), drawn(s + 1, rows * columns, -2, 2)];
        const [out, exact] = [room(rows * columns), new Float64Array(rows * columns)];
        kernels.softmaxVjp(y, c, rows, columns, out);
        plainKernels.softmaxVjp(y, c, rows, columns, exact);
        expectWithin(out, exact, (i) => 4 * unit * Math.abs(y[i]) * (2 + 2 * columns));
      }),
      { numRuns: 60 },
    );
  });

  it('law: rows three loops deep. Copied, and added where they may overlap, as plain loops do it', () => {
    const count = fc.integer({ min: 1, max: 4 });
    const width = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(63, 64, 65));
    fc.assert(
      fc.property(fc.tuple(count, count, count), width, seed, fc.nat(3), fc.nat(3), (counts, n, s, at, apart) => {
        const steps: Triple = [2 * n + 1, n, apart];
        const size = at + 4 * (steps[0] + steps[1] + steps[2]) + n;
        const dense: Triple = [counts[1] * counts[2] * n, counts[2] * n, n];
        const x = quarters(drawn(s, Math.max(size, counts[0] * dense[0] + at), -2, 2));
        const [out, expected] = [room(counts[0] * dense[0] + 3), new Float32Array(counts[0] * dense[0] + 3)];
        [out, expected].forEach((array) => array.fill(7));
        kernels.copyBlocks(x, at, steps, out, 0, dense, counts, n);
        plainKernels.copyBlocks(x, at, steps, expected, 0, dense, counts, n);
        expect(Array.from(out)).toEqual(Array.from(expected));
        const [sums, exact] = [room(size + 3), new Float32Array(size + 3)];
        [sums, exact].forEach((array) => array.fill(7));
        kernels.addBlocks(x, at, dense, sums, at, steps, counts, n);
        plainKernels.addBlocks(x, at, dense, exact, at, steps, counts, n);
        expect(Array.from(sums)).toEqual(Array.from(exact));
      }),
    );
  });

  it('law: spreading. out[r, i] = x[r], and nothing else is written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), length, fc.nat(3), fc.nat(3), (rows, n, step, to) => {
        const x = drawn(n, 1 + rows * step + 1, -2, 2);
        const out = room(to + rows * n + 3).fill(7);
        kernels.spread(x, 1, step, out, to, rows, n);
        const expected = Array.from({ length: rows * n }, (_, i) => x[1 + step * Math.floor(i / n)]);
        expect(Array.from(out)).toEqual([...new Array<number>(to).fill(7), ...expected, 7, 7, 7]);
      }),
      { numRuns: 40 },
    );
  });

  it('law: maxima of rows. Those of plain loops, NaN where there is one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 30 }),
        fc.nat(5),
        fc.nat(2000),
        (rows, columns, at, odd) => {
          const x = drawn(rows, at + rows * columns, -2, 2);
          if (odd < x.length) x[odd] = odd % 2 === 0 ? NaN : Infinity;
          const out = room(rows + 3).fill(7);
          const expected = new Float64Array(rows + 3).fill(7);
          kernels.rowMaxima(x, at, rows, columns, out, 0);
          plainKernels.rowMaxima(x, at, rows, columns, expected, 0);
          expect(Array.from(out)).toEqual(Array.from(expected));
        },
      ),
    );
  });

  it('law: exponentials of rows less their maxima, and the sum of all but one of those that are 1', () => {
    const columns = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(255, 256, 257));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), columns, fc.nat(3), (rows, n, ties) => {
        const x = drawn(rows, rows * n, -9, 2);
        const tops = room(rows);
        kernels.rowMaxima(x, 0, rows, n, tops, 0);
        for (let i = 0; i < ties && i < n; i += 1) x[n * (rows - 1) + i] = tops[rows - 1];
        if (ties === 3) [x[0], tops[0]] = [Infinity, Infinity];
        const [out, plain] = [room(rows * n), new Float64Array(rows * n)];
        const actual = kernels.rowExponentials(x, tops, n, out);
        const expected = plainKernels.rowExponentials(x, tops, n, plain);
        expect(Array.from(actual.firsts)).toEqual(Array.from(expected.firsts));
        const known = (xs: ArrayLike<number>): ReadonlyArray<number> => Array.from(xs, (value) => (Number.isNaN(value) ? -1 : value)); // prettier-ignore
        const exact = known(plain);
        expectWithin(known(out), exact, (i) => 4 * unit * Math.abs(exact[i]) + tiny);
        expectWithin(known(actual.others), known(expected.others), (r) => 4 * unit * expected.others[r] + tiny);
      }),
    );
  });

  it('law: rows are copied from anywhere to anywhere, and nothing else is written', () => {
    const distance = fc.integer({ min: 0, max: 90 });
    fc.assert(
      fc.property(
        fc.nat(80),
        fc.integer({ min: 1, max: 5 }),
        distance,
        distance,
        fc.nat(5),
        fc.nat(5),
        (n, rows, step, apart, at, to) => {
          const x = drawn(n, at + rows * (step + n), -2, 2);
          const [out, expected] = [0, 0].map(() => room(to + rows * (n + apart) + 3).fill(7));
          kernels.copyRows(x, at, step, out, to, n + apart, rows, n);
          for (let r = 0; r < rows; r += 1) {
            for (let i = 0; i < n; i += 1) expected[to + r * (n + apart) + i] = x[at + r * step + i];
          }
          expect(Array.from(out)).toEqual(Array.from(expected));
        },
      ),
    );
  });

  it('law: choosing. out[r, i] = c[r, i] ≠ 0 ? a[r, i] : b[r, i], whatever varies, NaN being no 0, and nothing else is written', () => {
    const [few, many] = [fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 70 })];
    fc.assert(
      fc.property(few, many, fc.nat(7), fc.nat(2), fc.nat(5), fc.boolean(), (rows, n, form, apart, to, areIntegers) => {
        const operand = (i: number): RowsOf => {
          const varies = ((form >> i) & 1) === 1;
          const step = apart === 0 ? 0 : n + apart - 1;
          const data = quarters(drawn(n + i, rows * (n + 2) + 1, -0.3, 0.3));
          if (i === 0) data[2] = NaN;
          return { data: i === 0 && areIntegers ? Int32Array.from(data, (x) => 4 * x) : data, at: 1, step, varies };
        };
        const [c, a, b] = [0, 1, 2].map(operand);
        const [out, expected] = [0, 0].map(() => room(to + rows * n + 3).fill(7));
        kernels.select(c, a, b, out, to, rows, n);
        const at = ({ data, step, varies }: RowsOf, r: number, i: number): number =>
          data[1 + r * step + (varies ? i : 0)];
        for (let r = 0; r < rows; r += 1) {
          for (let i = 0; i < n; i += 1) expected[to + r * n + i] = at(c, r, i) !== 0 ? at(a, r, i) : at(b, r, i);
        }
        expect(Array.from(out)).toEqual(Array.from(expected));
      }),
      { numRuns: 300 },
    );
  });

  it('law: gathering. out[i] = x[k_i], NaN where there is no such row; scattering adds in order what has a row', () => {
    const index = fc.integer({ min: -2, max: 11 });
    fc.assert(
      fc.property(fc.array(index, { maxLength: 40 }), fc.integer({ min: 1, max: 40 }), (at, width) => {
        const rows = 10;
        const [indices, x] = [Int32Array.from(at), drawn(width, rows * width, -2, 2)];
        const gathered = room(at.length * width).fill(7);
        kernels.gatherRows(x, rows, indices, width, gathered);
        const isRow = (k: number): boolean => k >= 0 && k < rows;
        expect(Array.from(gathered)).toEqual(
          at.flatMap((k) => (isRow(k) ? Array.from(x.slice(k * width, (k + 1) * width)) : new Array<number>(width).fill(NaN))), // prettier-ignore
        );
        const updates = drawn(width + 1, at.length * width, -2, 2);
        const [out, expected] = [0, 0].map(() => room(rows * width).fill(0.1));
        kernels.scatterRows(updates, indices, width, out, rows);
        for (const [i, k] of at.entries()) {
          for (let j = 0; isRow(k) && j < width; j += 1) expected[k * width + j] += updates[i * width + j];
        }
        expect(Array.from(out)).toEqual(Array.from(expected));
      }),
    );
  });

  it('gathers and scatters more rows than a place has indices', () => {
    const [indices, x] = [Int32Array.from({ length: chunk + 5 }, (_, i) => (i * 7) % 3), drawn(1, 15, -2, 2)];
    const gathered = room(5 * indices.length);
    kernels.gatherRows(x, 3, indices, 5, gathered);
    expect(gathered.every((value, at) => value === x[5 * indices[Math.floor(at / 5)] + (at % 5)])).toBe(true);
    const counts = room(15).fill(0);
    kernels.scatterRows(room(gathered.length).fill(1), indices, 5, counts, 3);
    expect(counts[0] + counts[5] + counts[10]).toBe(indices.length);
  });

  it('law: transposes. out[c, r] = x[r, c] for all shapes, and nothing else is written', () => {
    const extent = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(63, 64, 65));
    fc.assert(
      fc.property(extent, extent, fc.nat(5), fc.nat(5), (rows, columns, at, to) => {
        const x = drawn(rows, at + rows * columns, -2, 2);
        const out = room(to + rows * columns + 3).fill(7);
        kernels.transpose(x, at, rows, columns, out, to);
        const expected = Array.from({ length: rows * columns }, (_, i) => x[at + (i % rows) * columns + Math.floor(i / rows)]); // prettier-ignore
        expect(Array.from(out)).toEqual([...new Array<number>(to).fill(7), ...expected, 7, 7, 7]);
      }),
    );
  });

  it('law: mirroring. a[c, r] = a[r, c] for c < r, and nothing else is written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(9), (n, more) => {
        const stride = n + more;
        const a = drawn(n, n * stride + 3, -2, 2);
        const expected = Array.from(a);
        for (let r = 0; r < n; r += 1) for (let c = 0; c < r; c += 1) expected[c * stride + r] = a[r * stride + c];
        kernels.mirrorLower(n, a, stride);
        expect(Array.from(a)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it.each([1, 63, 64, 65, 1000])('fills %d elements', (n) => {
    const out = room(n).fill(7);
    kernels.fill(out, 0.1);
    expect(out.every((x) => x === Math.fround(0.1))).toBe(true);
    kernels.fill(out, NaN);
    expect(out.every((x) => Number.isNaN(x))).toBe(true);
  });

  it('law: results may replace operands', () => {
    const x = drawn(1, 3 * chunk + 2, -2, 2);
    const expected = room(x.length);
    kernels.binary.mul.both(x, 0, x, 0, expected, 0, x.length);
    kernels.binary.mul.both(x, 0, x, 0, x, 0, x.length);
    expect(x).toEqual(expected);
  });
});
