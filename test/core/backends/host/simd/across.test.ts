/**
 * Vector kernels on arrays in several memories: bit for bit what one memory gives, wherever operands and results lie.
 */
import fc from 'fast-check';

import type { Kernels, RowsOf, Triple } from '../../../../../src/core/backends/host/kernels/kernels.ts';
import { apart } from '../../../../../src/core/backends/host/memory/memories.ts';
import type { UnitOptions, VectorUnit } from '../../../../../src/core/backends/host/simd/instance.ts';
import { openUnit } from '../../../../../src/core/backends/host/simd/instance.ts';
import { singleKernels } from '../../../../../src/core/backends/host/simd/kernels.ts';
import { windowProducts } from '../../../../../src/core/backends/host/simd/windowProducts.ts';
import { keyOf } from '../../../../../src/core/random/key.ts';
import { uniform } from '../../../../../src/core/random/uniform.ts';
import type { ReadonlyVector } from '../../../../../src/core/tensor.ts';

const present = <A>(found: A | null | undefined): A => {
  if (found === null || found === undefined) throw new Error('there is none');
  return found;
};

const memories = 3;

/** A unit whose memories are all open, and free. */
const unitOn = (options: UnitOptions): VectorUnit => {
  const unit = present(openUnit({ memories, ...options }));
  const { limit } = unit.memory.usage();
  const whole = Array.from({ length: memories }, () => present(unit.memory.take((limit - 50_000) / 4)));
  expect(whole.map((x) => Math.floor(unit.memory.addressOf(x, 0) / apart))).toEqual([0, 1, 2]);
  whole.forEach(unit.memory.give);
  return unit;
};

/** Puts arrays into memories, one after another as told; −1 for an array of its own. */
type Put = (x: ReadonlyVector) => Float32Array;

const putInto = ({ memory }: VectorUnit, where: ReadonlyArray<number>): Put => {
  let count = 0;
  return (x) => {
    const number = where[count % where.length];
    count += 1;
    const data = number < 0 ? new Float32Array(x.length) : present(memory.of(number * apart).take(x.length));
    data.set(x);
    return data;
  };
};

/** Calls kernels on arrays that are put somewhere; gives all that came of it. */
type Run = (kernels: Kernels, put: Put, unit: VectorUnit) => ReadonlyArray<ReadonlyVector | number>;

const drawn = (seed: number, n: number): Float32Array =>
  Float32Array.from(uniform(keyOf(seed), [n], 'f64').data, (u) => 8 * u - 4);
const half = (n: number): ReadonlyVector => new Float32Array(n).fill(0.5);

const bitsOf = (found: ReadonlyVector | number): unknown =>
  typeof found === 'number' ? found : found instanceof Float32Array ? Array.from(new Uint32Array(Float32Array.from(found).buffer)) : Array.from(found); // prettier-ignore

const keys = <K extends string>(record: Readonly<Record<K, unknown>>): ReadonlyArray<K> =>
  Object.keys(record) as Array<K>;

const oneUnit = present(openUnit());
const alone = singleKernels(1, oneUnit);

/** Kernels by name, each as a run on a matrix `[b rows, n]`. */
const runsOf = (b: number, rows: number, n: number): Readonly<Record<string, Run>> => {
  const size = b * rows * n;
  const [x, y, c] = [1, 2, 3].map((seed) => drawn(seed, size));
  const wide = [...keys(alone.binary)];
  const ofTwo = ['sigmoidMinus', 'sigmoidCrossEntropy'] as const;
  const combining = ['linearCombination', 'combineWithSquare', 'overRoot'] as const;
  const steps: Triple = [n, 2 * n, 1];
  const dense: Triple = [rows * n, n, n];
  const counts: Triple = [b, rows, 1];
  return {
    unary: (kernels, put) =>
      keys(alone.unary).map((kind) => {
        const out = put(half(size));
        kernels.unary[kind](put(x), out);
        return out;
      }),
    vjp: (kernels, put) =>
      keys(alone.vjp).map((kind) => {
        const out = put(half(size));
        kernels.vjp[kind](put(x), put(y), put(c), out);
        return out;
      }),
    both: (kernels, put) =>
      wide.map((kind) => {
        const out = put(half(size));
        kernels.binary[kind].both(put(x), 0, put(y), 0, out, 0, size);
        return out;
      }),
    'a part of the elements': (kernels, put) => {
      const out = put(half(size));
      const [from, count] = [Math.floor(size / 4), Math.ceil(size / 3)];
      kernels.binary.add.both(put(x), from, put(y), 0, out, from, count);
      return [out];
    },
    numbers: (kernels, put) =>
      wide.flatMap((kind) => {
        const [right, left] = [put(half(size)), put(half(size))];
        kernels.binary[kind].right(put(x), 0, -0.7, right, 0, size);
        kernels.binary[kind].left(put(x), 0, 1.3, left, 0, size);
        return [right, left];
      }),
    'rows and columns': (kernels, put) =>
      wide.flatMap((kind) => {
        const [all, right, left] = [1, 2, 3].map(() => put(half(size)));
        const [row, column] = [put(drawn(4, n)), put(drawn(5, b * rows))];
        kernels.binary[kind].rows(put(x), 0, n, row, 0, 0, all, 0, b * rows, n);
        kernels.binary[kind].rowsRight(put(x), 0, n, column, 0, 1, right, 0, b * rows, n);
        kernels.binary[kind].rowsLeft(put(x), 0, n, column, 0, 1, left, 0, b * rows, n);
        return [all, right, left];
      }),
    expOfDifference: (kernels, put) => {
      const [both, rowsRight] = [put(half(size)), put(half(size))];
      kernels.expOfDifference.both(put(x), 0, put(y), 0, both, 0, size);
      kernels.expOfDifference.rowsRight(put(x), 0, n, put(drawn(5, b * rows)), 0, 1, rowsRight, 0, b * rows, n);
      return [both, rowsRight];
    },
    'two arrays and two numbers': (kernels, put) => [
      ...ofTwo.map((name) => {
        const out = put(half(size));
        kernels[name](put(x), put(y), out);
        return out;
      }),
      ...combining.map((name) => {
        const out = put(half(size));
        kernels[name](0.3, put(x), -0, put(y), out);
        return out;
      }),
    ],
    'what replaces an operand': (kernels, put) => {
      const [first, second] = [put(x), put(y)];
      kernels.linearCombination(0.3, first, 2, put(c), first);
      kernels.binary.sub.rows(put(c), 0, n, second, 0, n, second, 0, b * rows, n);
      return [first, second];
    },
    'sums and dot products': (kernels, put) => [kernels.sum(put(x), 0, size), kernels.dot(put(x), put(y))],
    'rows reduced': (kernels, put) => {
      const [sums, maxima] = [put(half(b * rows)), put(half(b * rows))];
      kernels.rowSums(put(x), 0, b * rows, n, sums, 0);
      kernels.rowMaxima(put(x), 0, b * rows, n, maxima, 0);
      const out = put(half(size));
      const { others, firsts } = kernels.rowExponentials(put(x), maxima, n, out);
      return [sums, maxima, others, firsts, out];
    },
    'the axis in the middle': (kernels, put) => {
      const [sums, maxima] = [put(half(b * n)), put(half(b * n))];
      kernels.middleSums(put(x), b, rows, n, sums);
      kernels.middleMaxima(put(x), b, rows, n, maxima);
      const out = put(half(size));
      kernels.middleMaximaVjp(put(x), maxima, put(drawn(6, b * n)), b, rows, n, out);
      return [sums, maxima, out];
    },
    'centred and scaled': (kernels, put) => {
      const [out, pulled, soft] = [1, 2, 3].map(() => put(half(size)));
      const [means, variances] = [put(half(b * n)), put(half(b * n))];
      kernels.standardise(put(x), b, rows, n, 1e-5, out, means, variances);
      kernels.standardiseVjp(out, variances, put(c), b, rows, n, 1e-5, pulled);
      kernels.softmaxVjp(put(y), put(c), b * rows, n, soft);
      return [out, means, variances, pulled, soft];
    },
    'rows centred and scaled': (kernels, put) => {
      const [out, pulled] = [put(half(size)), put(half(size))];
      const [means, variances] = [put(half(b * rows)), put(half(b * rows))];
      kernels.standardise(put(x), b * rows, n, 1, 1e-5, out, means, variances);
      kernels.standardiseVjp(out, variances, put(c), b * rows, n, 1, 1e-5, pulled);
      return [out, means, variances, pulled];
    },
    copies: (kernels, put) => {
      const [copy, turned, spread, apartFrom] = [1, 2, 3, 4].map(() => put(half(size)));
      kernels.copyRows(put(x), 0, n, copy, 0, n, b * rows, n);
      kernels.transpose(put(x), 0, b * rows, n, turned, 0);
      kernels.spread(put(drawn(5, b * rows)), 0, 1, spread, 0, b * rows, n);
      kernels.copyRows(put(x), n, n, apartFrom, 0, 2 * n, Math.max(1, Math.floor((b * rows) / 2) - 1), n);
      const constant = put(half(size));
      kernels.fill(constant, -0.3);
      return [copy, turned, spread, apartFrom, constant];
    },
    'blocks, where they overlap too': (kernels, put) => {
      const large = drawn(7, size + 2 * (b + rows) * n);
      const [copied, added] = [put(half(size)), put(half(large.length))];
      kernels.copyBlocks(put(large), 0, steps, copied, 0, dense, counts, n);
      kernels.addBlocks(put(x), 0, dense, added, 0, steps, counts, n);
      return [copied, added];
    },
    'a triangle': (kernels, put) => {
      const order = Math.floor(Math.sqrt(size));
      const a = put(x);
      kernels.mirrorLower(order, a, order);
      return [a];
    },
    choices: (kernels, put) =>
      Array.from({ length: 8 }, (_, form) => {
        const out = put(half(size));
        const [condition, left, right] = [x.map((value) => Math.sign(value)), y, c].map((data, i): RowsOf => {
          const varies = ((form >> i) & 1) === 1;
          return { data: put(data), at: 0, step: varies ? n : 1, varies };
        });
        kernels.select(condition, left, right, out, 0, b * rows, n);
        return out;
      }),
    windows: (_, put, unit) => {
      const { convolve, correlate } = windowProducts(unit, Infinity);
      const [run, outputs, places] = [2 * n, 5, rows + 3];
      const seen = { row: 2 * (places + n), place: 2, line: 2 * (places + n), image: 6 * (places + n) };
      const made = { place: outputs, line: places * outputs, image: 2 * places * outputs };
      const windows = { run, rows: 2, outputs, places, lines: 2, images: b, seen, made };
      const pixels = put(drawn(4, b * seen.image));
      const results = [put(half(b * made.image)), put(half(2 * 2 * 4 * 8 * Math.ceil(run / 8)))];
      const isDone = [
        convolve(pixels, 0, put(drawn(5, 2 * run * 8)), results[0], 0, windows),
        correlate(pixels, 0, put(drawn(6, b * made.image)), 0, results[1], windows),
      ];
      // Sums beyond the run or the last output may be anything.
      const sums = results[1].filter((_sum, i) => Math.floor(i / 32 / Math.ceil(run / 8) / 2) * 4 + (Math.floor(i / 8) % 4) < outputs && (Math.floor(i / 32) % Math.ceil(run / 8)) * 8 + (i % 8) < run); // prettier-ignore
      return isDone[0] && isDone[1] ? [results[0], sums] : [NaN];
    },
    indices: (kernels, put) => {
      const indices = Int32Array.from({ length: 50 }, (_, i) => (i * 7) % (b * rows + 1));
      const [gathered, scattered] = [put(half(50 * n)), put(half(size))];
      kernels.gatherRows(put(x), b * rows, indices, n, gathered);
      kernels.scatterRows(put(drawn(8, 50 * n)), indices, n, scattered, b * rows);
      return [gathered, scattered];
    },
  };
};

const shapes = fc.tuple(
  fc.integer({ min: 1, max: 4 }),
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: 1, max: 90 }),
);
const places = fc.array(fc.integer({ min: -1, max: memories - 1 }), { minLength: 2, maxLength: 9 });

describe.each([
  ['memories that grow', { pages: 400 }],
  ['memories of a fixed size', { pages: 400, shared: false }],
] as const)('law: bit for bit what one memory gives. %s', (_, options) => {
  const unit = unitOn(options);
  const kernels = singleKernels(1, unit);

  it.each(keys(runsOf(1, 1, 1)))('%s', (name) => {
    fc.assert(
      fc.property(shapes, places, ([b, rows, n], where) => {
        const run = runsOf(b, rows, n)[name];
        // What is no array of a memory is that in both.
        const expected = run(alone, putInto(oneUnit, where.map((number) => Math.min(number, 0))), oneUnit); // prettier-ignore
        expect(run(kernels, putInto(unit, where), unit).map(bitsOf)).toEqual(expected.map(bitsOf));
      }),
    );
  });
});

it('law: a full memory is no hindrance. Copies go to one without arrays', () => {
  const unit = unitOn({ pages: 1 });
  const kernels = singleKernels(1, unit);
  const [x, y, out] = [0, 1, 2].map((i) => present(unit.memory.take(3700)).fill(i + 0.5));
  expect(unit.memory.take(1000)).toBeNull();
  kernels.binary.mul.both(x, 0, y, 0, out, 0, out.length);
  expect(out.every((z) => z === 0.75)).toBe(true);
  const { taken } = unit.memory.usage();
  expect(kernels.dot(x, y)).toBe(0.75 * 3700);
  expect(unit.memory.usage()).toMatchObject({ memories: memories + 1, taken });
});
