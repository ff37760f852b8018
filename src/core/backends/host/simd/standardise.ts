/**
 * Vector kernels of what is centred and scaled: numbers standardised over rows and over the axis in the middle of an array
 * `[blocks, rows, columns]`, the derivative of that, and that of softmax. Sums are accumulated in 64 bits.
 *
 * @module
 */
import type { Code, FunctionCode } from '../../webAssembly/assembler.ts';
import { f32, f32x4, f64, f64x2, i32, local, loopWhile, repeatWhile, shuffleFloats, v128, valueType } from '../../webAssembly/assembler.ts'; // prettier-ignore
import { advance, sweep } from './loops.ts';

const { get, set } = local;
const { i32: integer, f32: single, f64: double, v128: vector } = valueType;

const sixteen = i32.constant(16);
const zero = f64x2.splat(f64.constant(0));
const halves = [(x: Code): Code => f64x2.fromLower(x), (x: Code): Code => f64x2.fromLower(v128.upperHalf(x))] as const;
const down = (counter: number): Code => set(counter, i32.sub(get(counter), i32.constant(1)));

/** Rows of some operands that a kernel goes over: locals of type i32, and a register for what is read of each. */
interface Rows {
  /** Where the row begins, and how many bytes it has. */
  readonly operands: ReadonlyArray<number>;
  readonly bytes: number;
  readonly pointers: ReadonlyArray<number>;
  readonly end: number;
  readonly registers: ReadonlyArray<number>;
}

/** A sum over elements: what is added of four of them in registers, and of one at pointers. */
interface Term {
  /** Half of four elements, in 64 bits. */
  readonly ofFour: (half: (x: Code) => Code) => Code;
  readonly ofOne: Code;
  /** Two registers. */
  readonly sums: readonly [number, number];
  /** A local of type f64, for the total. */
  readonly total: number;
}

const toStart = (pointers: ReadonlyArray<number>, operands: ReadonlyArray<number>): Code =>
  pointers.flatMap((pointer, i) => set(pointer, get(operands[i])));

/** Sums of a row, of elements as they are or of what is made of four of them. */
const totals = (
  { operands, bytes, pointers, end, registers }: Rows,
  terms: ReadonlyArray<Term>,
  made: (x: Code) => Code = (x) => x,
): Code => [
  ...terms.flatMap(({ sums, total }) => [...sums.flatMap((sum) => set(sum, zero)), ...set(total, f64.constant(0))]),
  ...toStart(pointers, operands),
  ...set(end, i32.add(get(operands[0]), get(bytes))),
  ...loopWhile(i32.atMost(i32.add(get(pointers[0]), sixteen), get(end)), [
    ...pointers.flatMap((pointer, i) => set(registers[i], made(v128.load(get(pointer), 0)))),
    ...terms.flatMap(({ ofFour, sums }) => sums.flatMap((sum, i) => set(sum, f64x2.add(get(sum), ofFour(halves[i]))))),
    ...pointers.flatMap((pointer) => advance(pointer, sixteen)),
  ]),
  ...loopWhile(i32.lessThan(get(pointers[0]), get(end)), [
    ...terms.flatMap(({ ofOne, total }) => set(total, f64.add(get(total), ofOne))),
    ...pointers.flatMap((pointer) => advance(pointer, i32.constant(4))),
  ]),
  ...terms.flatMap(({ sums: [first, second], total }) => [
    ...set(first, f64x2.add(get(first), get(second))),
    ...set(total, f64.add(get(total), f64.add(f64x2.lane(get(first), 0), f64x2.lane(get(first), 1)))),
  ]),
];

/** Writes a row, and goes on to the next: of the result, and of as many operands as are `streamed`. */
const writeRow = (
  { operands, bytes, pointers, end, registers }: Rows,
  out: number,
  value: (operands: ReadonlyArray<Code>) => Code,
  streamed = operands.length,
): Code => [
  ...toStart(pointers, operands),
  ...set(end, i32.add(get(out), get(bytes))),
  ...sweep(
    [...pointers, out],
    end,
    true,
    (offset) => value(pointers.map((pointer) => v128.load(get(pointer), offset))),
    registers[0],
  ),
  ...set(out, get(end)),
  ...operands.slice(0, streamed).flatMap((operand) => advance(operand, get(bytes))),
];

const splatOf = (x: Code): Code => f32x4.splat(f32.fromF64(x));
/** (a − rough − rest) factor. */
const centred = (a: Code, rough: Code, rest: Code, factor: Code): Code =>
  f32x4.mul(f32x4.sub(f32x4.sub(a, rough), rest), factor);

/** (c − mean − y along) factor. */
const pulled = (c: Code, y: Code, mean: Code, along: Code, factor: Code): Code =>
  centred(c, mean, f32x4.mul(y, along), factor);

const wide = (pointer: number): Code => f64.fromF32(f32.load(get(pointer), 0));

/** Σ of a row's elements, read into the first register. */
const sumOf = ({ pointers: [p], registers: [x] }: Rows, sums: Term['sums'], total: number): Term => ({
  ofFour: (half) => half(get(x)),
  ofOne: wide(p),
  sums,
  total,
});

/** Σ of products of two rows' elements. */
const productOf = ({ pointers: [p, q], registers: [x, z] }: Rows, sums: Term['sums'], total: number): Term => ({
  ofFour: (half) => f64x2.mul(half(get(x)), half(get(z))),
  ofOne: f64.mul(wide(p), wide(q)),
  sums,
  total,
});

/** 1 / √(variance + ε) in four lanes. */
const reciprocalDeviation = (variance: Code, epsilon: number): Code =>
  splatOf(f64.div(f64.constant(1), f64.sqrt(f64.add(variance, get(epsilon)))));

/**
 * `out[r, :] = (a[r, :] − mean) / √(variance + ε)` for rows of `bytes`, with the means and the variances; at least one row of
 * at least one element, n in all.
 */
export const standardiseRows: FunctionCode = (() => {
  const [a, out, means, variances, bytes, rows, n, epsilon] = [0, 1, 2, 3, 4, 5, 6, 7];
  const [p, end] = [8, 9];
  const [first, second, middle] = [10, 11, 12];
  const [x, rough, rest, factor, ...sums] = [13, 14, 15, 16, 17, 18, 19, 20];
  const row: Rows = { operands: [a], bytes, pointers: [p], end, registers: [x] };
  const overN = (total: number): Code => f64.div(get(total), get(n));
  const distance = f64.fromF32(f32.sub(f32.load(get(p), 0), get(middle)));
  return {
    name: 'standardiseRows',
    parameters: [integer, integer, integer, integer, integer, integer, double, double],
    results: [],
    locals: [integer, integer, double, double, single, ...new Array<typeof vector>(8).fill(vector)],
    body: repeatWhile(
      [
        ...totals(row, [sumOf(row, [sums[0], sums[1]], first)]),
        ...set(middle, f32.fromF64(overN(first))),
        ...set(rough, f32x4.splat(get(middle))),
        ...totals(
          row,
          [
            { ...sumOf(row, [sums[0], sums[1]], first), ofOne: distance },
            {
              ofFour: (half) => f64x2.mul(half(get(x)), half(get(x))),
              ofOne: f64.mul(distance, distance),
              sums: [sums[2], sums[3]],
              total: second,
            },
          ],
          (element) => f32x4.sub(element, get(rough)),
        ),
        ...set(first, overN(first)),
        ...set(second, f64.max(f64.sub(overN(second), f64.mul(get(first), get(first))), f64.constant(0))),
        ...f32.store(get(means), 0, f32.fromF64(f64.add(f64.fromF32(get(middle)), get(first)))),
        ...f32.store(get(variances), 0, f32.fromF64(get(second))),
        ...set(rest, splatOf(get(first))),
        ...set(factor, reciprocalDeviation(get(second), epsilon)),
        ...writeRow(row, out, ([element]) => centred(element, get(rough), get(rest), get(factor))),
        ...[means, variances].flatMap((pointer) => advance(pointer, i32.constant(4))),
        ...down(rows),
      ],
      get(rows),
    ),
  };
})();

/**
 * `out[r, :] = (c[r, :] − mean c − y[r, :] mean (y c)) / √(variance[r] + ε)` for rows of `bytes`; at least one row of at least
 * one element, n in all.
 */
export const standardiseRowsVjp: FunctionCode = (() => {
  const [c, y, variances, out, bytes, rows, n, epsilon] = [0, 1, 2, 3, 4, 5, 6, 7];
  const [p, q, end] = [8, 9, 10];
  const [first, second] = [11, 12];
  const [x, z, mean, along, factor, ...sums] = [13, 14, 15, 16, 17, 18, 19, 20, 21];
  const row: Rows = { operands: [c, y], bytes, pointers: [p, q], end, registers: [x, z] };
  return {
    name: 'standardiseRowsVjp',
    parameters: [integer, integer, integer, integer, integer, integer, double, double],
    results: [],
    locals: [integer, integer, integer, double, double, ...new Array<typeof vector>(9).fill(vector)],
    body: repeatWhile(
      [
        ...totals(row, [sumOf(row, [sums[0], sums[1]], first), productOf(row, [sums[2], sums[3]], second)]),
        ...set(mean, splatOf(f64.div(get(first), get(n)))),
        ...set(along, splatOf(f64.div(get(second), get(n)))),
        ...set(factor, reciprocalDeviation(wide(variances), epsilon)),
        ...writeRow(row, out, ([cotangent, value]) => pulled(cotangent, value, get(mean), get(along), get(factor))),
        ...advance(variances, i32.constant(4)),
        ...down(rows),
      ],
      get(rows),
    ),
  };
})();

/** `out[r, :] = y[r, :] (c[r, :] − Σ y c)` for rows of `bytes`, at least one of at least one element. */
export const softmaxRowsVjp: FunctionCode = (() => {
  const [y, c, out, bytes, rows] = [0, 1, 2, 3, 4];
  const [p, q, end, total] = [5, 6, 7, 8];
  const [x, z, along, ...sums] = [9, 10, 11, 12, 13];
  const row: Rows = { operands: [y, c], bytes, pointers: [p, q], end, registers: [x, z] };
  return {
    name: 'softmaxRowsVjp',
    parameters: [integer, integer, integer, integer, integer],
    results: [],
    locals: [integer, integer, integer, double, ...new Array<typeof vector>(5).fill(vector)],
    body: repeatWhile(
      [
        ...totals(row, [productOf(row, [sums[0], sums[1]], total)]),
        ...set(along, splatOf(get(total))),
        ...writeRow(row, out, ([value, cotangent]) => f32x4.mul(value, f32x4.sub(cotangent, get(along)))),
        ...down(rows),
      ],
      get(rows),
    ),
  };
})();

/**
 * Two sums over rows of `bytes` for each column, of terms of one streamed operand or two and a number of each column. Eight
 * columns at a time; results have room for whole vectors.
 *
 * @param name - of the kernel
 * @param streamed - how many operands have rows
 * @param fixed - how many have one row
 * @param load - what the terms are made of, of the operands' vectors
 * @param terms - of what was loaded, in 64 bits
 */
const columnSums = (
  name: string,
  streamed: number,
  fixed: number,
  load: (operands: ReadonlyArray<Code>) => ReadonlyArray<Code>,
  terms: (loaded: ReadonlyArray<Code>) => readonly [Code, Code],
): FunctionCode => {
  let next = 0;
  const take = (count: number): ReadonlyArray<number> => Array.from({ length: count }, () => next++);
  const [operands, numbers, [first, second, bytes, rows]] = [take(streamed), take(fixed), take(4)];
  const parameters = next;
  const [pointers, [r, end]] = [take(streamed), take(2)];
  const integers = next - parameters;
  const [loaded, sums] = [take(2), take(8)];
  const vectors = next - parameters - integers;
  /** The sums of `4 count` columns. */
  const columns = (count: number): Code => [
    ...sums.slice(0, 4 * count).flatMap((sum) => set(sum, zero)),
    ...pointers.flatMap((pointer, i) => set(pointer, get(operands[i]))),
    ...set(r, get(rows)),
    ...repeatWhile(
      [
        ...Array.from({ length: count }, (_, at) => {
          const vectors = [
            ...pointers.map((pointer) => v128.load(get(pointer), 16 * at)),
            ...numbers.map((number) => v128.load(get(number), 16 * at)),
          ];
          const values = load(vectors);
          return [
            ...values.flatMap((value, i) => set(loaded[i], value)),
            ...halves.flatMap((half, h) =>
              terms(values.map((_, i) => half(get(loaded[i])))).flatMap((term, t) => {
                const sum = sums[4 * at + 2 * t + h];
                return set(sum, f64x2.add(get(sum), term));
              }),
            ),
          ];
        }).flat(),
        ...pointers.flatMap((pointer) => advance(pointer, get(bytes))),
        ...down(r),
      ],
      get(r),
    ),
  ];
  const floats = (at: number, t: number): Code =>
    shuffleFloats(
      f64x2.toFloats(get(sums[4 * at + 2 * t])),
      f64x2.toFloats(get(sums[4 * at + 2 * t + 1])),
      [0, 1, 4, 5],
    );
  const step = (count: number): Code =>
    [...operands, ...numbers, first, second].flatMap((pointer) => advance(pointer, i32.constant(count)));
  return {
    name,
    parameters: new Array<typeof integer>(parameters).fill(integer),
    results: [],
    locals: [...new Array<typeof integer>(integers).fill(integer), ...new Array<typeof vector>(vectors).fill(vector)],
    body: [
      ...set(end, i32.add(get(first), get(bytes))),
      ...loopWhile(i32.atMost(i32.add(get(first), i32.constant(32)), get(end)), [
        ...columns(2),
        ...[0, 1].flatMap((at) => [
          ...v128.store(get(first), 16 * at, floats(at, 0)),
          ...v128.store(get(second), 16 * at, floats(at, 1)),
        ]),
        ...step(32),
      ]),
      ...loopWhile(i32.lessThan(get(first), get(end)), [
        ...columns(1),
        ...v128.store(get(first), 0, floats(0, 0)),
        ...v128.store(get(second), 0, floats(0, 1)),
        ...step(16),
      ]),
    ],
  };
};

/** Of each column of a, less c: `first[j] = Σ_r d`, `second[j] = Σ_r d²` with d = a[r, j] − c[j]. */
export const columnMoments = columnSums(
  'columnMoments',
  1,
  1,
  ([a, c]) => [f32x4.sub(a, c)],
  ([d]) => [d, f64x2.mul(d, d)],
);

/** Of each column: `first[j] = Σ_r a[r, j]`, `second[j] = Σ_r a[r, j] b[r, j]`. */
export const columnProducts = columnSums(
  'columnProducts',
  2,
  0,
  (operands) => operands,
  ([a, b]) => [a, f64x2.mul(a, b)],
);

/** `out[r, j]`, from operands with rows of `bytes` and three with a number for each column; at least one row. */
const overColumns = (name: string, streamed: number, value: (operands: ReadonlyArray<Code>) => Code): FunctionCode => {
  const operands = Array.from({ length: streamed + 3 }, (_, i) => i);
  const [out, bytes, rows] = [0, 1, 2].map((i) => operands.length + i);
  const first = operands.length + 3;
  const pointers = operands.map((i) => first + i);
  const [end, x] = [0, 1].map((i) => first + pointers.length + i);
  const row: Rows = { operands, bytes, pointers, end, registers: [x] };
  return {
    name,
    parameters: new Array<typeof integer>(first).fill(integer),
    results: [],
    locals: [...new Array<typeof integer>(pointers.length + 1).fill(integer), vector],
    body: repeatWhile([...writeRow(row, out, value, streamed), ...down(rows)], get(rows)),
  };
};

/** `out[r, j] = (a[r, j] − rough[j] − rest[j]) factor[j]`. */
export const standardiseColumns = overColumns('standardiseColumns', 1, ([a, rough, rest, factor]) =>
  centred(a, rough, rest, factor),
);

/** `out[r, j] = (c[r, j] − mean[j] − y[r, j] along[j]) factor[j]`. */
export const standardiseColumnsVjp = overColumns('standardiseColumnsVjp', 2, ([c, y, mean, along, factor]) =>
  pulled(c, y, mean, along, factor),
);
