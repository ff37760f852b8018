/**
 * Sums of rows and columns and dot products as vector kernels. They are accumulated in 64 bits.
 *
 * Several partial sums side by side, whose number depends on nothing but the kernel: the same numbers give the same sum.
 *
 * @module
 */
import type { Code, FunctionCode } from '../../webAssembly/assembler.ts';
import { f32, f64, f64x2, i32, local, loopWhile, repeatWhile, shuffleFloats, v128, valueType } from '../../webAssembly/assembler.ts'; // prettier-ignore
import { advance, storeUpTo } from './loops.ts';

const { get, set } = local;
const { i32: integer, f64: double, v128: vector } = valueType;

/** The lower and the upper two of four floats, in 64 bits. */
const lower = (x: Code): Code => f64x2.fromLower(x);
const upper = (x: Code): Code => f64x2.fromLower(v128.upperHalf(x));

const addTo = (sum: number, term: Code): Code => set(sum, f64x2.add(get(sum), term));

/** Bytes that a round of a sum takes. */
const round = 64;

/**
 * Leaves the sum of terms on the stack. The pointers go over elements up to the end of the first.
 *
 * @param pointers - of one operand or two
 * @param end - pointer after the last element of the first
 * @param sums - eight registers
 * @param x - two registers
 * @param total - a local of type f64
 */
const sumOfTerms = (
  pointers: ReadonlyArray<number>,
  end: number,
  sums: ReadonlyArray<number>,
  x: ReadonlyArray<number>,
  total: number,
): Code => {
  const [first] = pointers;
  const step = (bytes: number): Code => pointers.flatMap((pointer) => advance(pointer, i32.constant(bytes)));
  const term = (half: (x: Code) => Code): Code =>
    pointers.map((_, i) => half(get(x[i]))).reduce((left, right) => f64x2.mul(left, right));
  const vectorsAt = (offset: number): Code => [
    ...pointers.flatMap((pointer, i) => set(x[i], v128.load(get(pointer), offset))),
    ...addTo(sums[offset / 8], term(lower)),
    ...addTo(sums[offset / 8 + 1], term(upper)),
  ];
  const single = pointers
    .map((pointer) => f64.fromF32(f32.load(get(pointer), 0)))
    .reduce((left, right) => f64.mul(left, right));
  const tree = (from: ReadonlyArray<number>): Code =>
    from.length === 1
      ? get(from[0])
      : f64x2.add(tree(from.slice(0, from.length / 2)), tree(from.slice(from.length / 2)));
  return [
    ...loopWhile(i32.atMost(i32.add(get(first), i32.constant(round)), get(end)), [
      ...[0, 16, 32, 48].flatMap(vectorsAt),
      ...step(round),
    ]),
    ...set(total, f64.constant(0)),
    ...loopWhile(i32.lessThan(get(first), get(end)), [...set(total, f64.add(get(total), single)), ...step(4)]),
    ...set(x[0], tree(sums)),
    ...f64.add(get(total), f64.add(f64x2.lane(get(x[0]), 0), f64x2.lane(get(x[0]), 1))),
  ];
};

/** Σ a[i] b[i] over the elements of `bytes`. */
export const dot: FunctionCode = {
  name: 'dot',
  parameters: [integer, integer, integer],
  results: [double],
  locals: [integer, double, ...new Array<typeof vector>(10).fill(vector)],
  body: [...set(3, i32.add(get(0), get(2))), ...sumOfTerms([0, 1], 3, [7, 8, 9, 10, 11, 12, 13, 14], [5, 6], 4)],
};

/** Σ a[i]. */
export const sum: FunctionCode = {
  name: 'sum',
  parameters: [integer, integer],
  results: [double],
  locals: [integer, double, ...new Array<typeof vector>(9).fill(vector)],
  body: [...set(2, i32.add(get(0), get(1))), ...sumOfTerms([0], 2, [5, 6, 7, 8, 9, 10, 11, 12], [4], 3)],
};

/** `out[r] = Σ_i a[r, i]` for rows of `bytes` that lie one after another, at least one. */
export const rowSums: FunctionCode = (() => {
  const [a, out, bytes, rows, end, total, x, ...sums] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
  return {
    name: 'rowSums',
    parameters: [integer, integer, integer, integer],
    results: [],
    locals: [integer, double, ...new Array<typeof vector>(9).fill(vector)],
    body: repeatWhile(
      [
        ...set(end, i32.add(get(a), get(bytes))),
        ...sums.flatMap((register) => set(register, f64x2.splat(f64.constant(0)))),
        ...f32.store(get(out), 0, f32.fromF64(sumOfTerms([a], end, sums, [x], total))),
        ...advance(out, i32.constant(4)),
        ...set(rows, i32.sub(get(rows), i32.constant(1))),
      ],
      get(rows),
    ),
  };
})();

/**
 * Sums over the axis in the middle, a few columns at a time.
 *
 * @param isWide - whether sums stay in 64 bits; rows of the result then have room for a multiple of four
 */
const middle = (name: string, isWide: boolean): FunctionCode => {
  const [a, out, bytes, rows, blocks, p, r, end, outEnd] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const [x, ...sums] = [9, 10, 11, 12, 13, 14, 15, 16, 17];
  /** Sums of four columns for each two of the registers. */
  const down = (registers: ReadonlyArray<number>): Code => [
    ...registers.flatMap((register) => set(register, f64x2.splat(f64.constant(0)))),
    ...set(p, get(a)),
    ...set(r, get(rows)),
    ...repeatWhile(
      [
        ...registers.flatMap((register, i) =>
          i % 2 === 0
            ? [...set(x, v128.load(get(p), 8 * i)), ...addTo(register, lower(get(x)))]
            : addTo(register, upper(get(x))),
        ),
        ...advance(p, get(bytes)),
        ...set(r, i32.sub(get(r), i32.constant(1))),
      ],
      get(r),
    ),
  ];
  const floats = (i: number): Code =>
    shuffleFloats(f64x2.toFloats(get(sums[2 * i])), f64x2.toFloats(get(sums[2 * i + 1])), [0, 1, 4, 5]);
  const wide = (count: number): Code => [
    ...sums.slice(0, count).flatMap((register, i) => v128.store(get(out), 16 * i, get(register))),
    ...advance(out, i32.constant(16 * count)),
  ];
  return {
    name,
    parameters: [integer, integer, integer, integer, integer],
    results: [],
    locals: [integer, integer, integer, integer, ...new Array<typeof vector>(9).fill(vector)],
    body: repeatWhile(
      [
        ...set(end, i32.add(get(a), get(bytes))),
        ...set(outEnd, i32.add(get(out), get(bytes))),
        ...loopWhile(i32.atMost(i32.add(get(a), i32.constant(64)), get(end)), [
          ...down(sums),
          ...(isWide
            ? wide(8)
            : [...[0, 1, 2, 3].flatMap((i) => v128.store(get(out), 16 * i, floats(i))), ...advance(out, i32.constant(64))]), // prettier-ignore
          ...advance(a, i32.constant(64)),
        ]),
        ...loopWhile(i32.lessThan(get(a), get(end)), [
          ...down(sums.slice(0, 2)),
          ...(isWide ? wide(2) : [...set(x, floats(0)), ...storeUpTo(out, outEnd, x), ...advance(out, i32.constant(16))]), // prettier-ignore
          ...advance(a, i32.constant(16)),
        ]),
        ...set(a, i32.add(get(end), i32.mul(get(bytes), i32.sub(get(rows), i32.constant(1))))),
        ...(isWide ? [] : set(out, get(outEnd))),
        ...set(blocks, i32.sub(get(blocks), i32.constant(1))),
      ],
      get(blocks),
    ),
  };
};

/** `out[b, j] = Σ_r a[b, r, j]` for rows of `bytes`, at least one of each. */
export const middleSums: FunctionCode = middle('middleSums', false);

/** The same in 64 bits; rows of the result have room for a multiple of four. */
export const middleSumsWide: FunctionCode = middle('middleSumsWide', true);
