/**
 * What softmax is made of as vector kernels: maxima of rows, and exponentials of the distances from them with their sums.
 *
 * @module
 */
import type { Code, FunctionCode } from '../../webAssembly/assembler.ts';
import { f32, f32x4, f64, f64x2, i32, local, loopWhile, repeatWhile, shuffleFloats, v128, valueType, when } from '../../webAssembly/assembler.ts'; // prettier-ignore
import { expOfDifferenceCode } from './functions.ts';
import { advance, storeUpTo } from './loops.ts';

const { get, set } = local;
const { i32: integer, v128: vector } = valueType;

/** The bytes of four whole lanes, and of four empty ones: from `16 - n` bytes on, as many lanes as n bytes are. */
export const laneMask = [-1, -1, -1, -1, 0, 0, 0, 0];

/** `out[r] = max_i a[r, i]`, NaN where there is one, for rows of `bytes`, at least one element each. */
export const rowMaxima: FunctionCode = (() => {
  const [a, out, bytes, rows, end, top, other, x] = [0, 1, 2, 3, 4, 5, 6, 7];
  const first = f32x4.splat(f32.load(get(a), 0));
  const halves = (lanes: ReadonlyArray<number>): Code =>
    set(top, f32x4.max(get(top), shuffleFloats(get(top), get(top), lanes)));
  return {
    name: 'rowMaxima',
    parameters: [integer, integer, integer, integer],
    results: [],
    locals: [integer, vector, vector, vector],
    body: repeatWhile(
      [
        ...set(end, i32.add(get(a), get(bytes))),
        ...set(top, first),
        ...set(other, get(top)),
        ...loopWhile(i32.atMost(i32.add(get(a), i32.constant(32)), get(end)), [
          ...set(top, f32x4.max(get(top), v128.load(get(a), 0))),
          ...set(other, f32x4.max(get(other), v128.load(get(a), 16))),
          ...advance(a, i32.constant(32)),
        ]),
        ...set(top, f32x4.max(get(top), get(other))),
        ...loopWhile(i32.lessThan(get(a), get(end)), [
          ...set(x, v128.loadSplat(get(a), 0)),
          ...set(top, f32x4.max(get(top), get(x))),
          ...advance(a, i32.constant(4)),
        ]),
        ...halves([2, 3, 0, 1]),
        ...halves([1, 0, 3, 2]),
        ...v128.storeLane(get(out), 0, get(top), 0),
        ...advance(out, i32.constant(4)),
        ...set(rows, i32.sub(get(rows), i32.constant(1))),
      ],
      get(rows),
    ),
  };
})();

/**
 * `out[r, i] = e^(a[r, i] − b[r])` with, in 64 bits, the sum of those of a row whose argument is not 0 and the number of the
 * others, at `sums + 16 r`; `mask` is where the lane masks are.
 */
export const rowExponentials: FunctionCode = (() => {
  const [a, b, out, sums, bytes, rows, mask] = [0, 1, 2, 3, 4, 5, 6];
  const [end, left] = [7, 8];
  const [top, value, lower, upper, count, equal, ...registers] = [9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
  const zero = f32x4.constant(0);
  const one = f32x4.constant(1);
  const vectorCode: Code = [
    ...set(equal, f32x4.equal(v128.load(get(a), 0), get(top))),
    ...set(value, expOfDifferenceCode(v128.load(get(a), 0), get(top), registers)),
  ];
  const [masked] = registers;
  /** Adds what a vector holds where a mask says so. */
  const accumulate = (lanes: Code | null): Code => {
    const within = (x: Code): Code => (lanes === null ? x : v128.and(x, lanes));
    return [
      ...set(masked, within(v128.andnot(get(value), get(equal)))),
      ...set(lower, f64x2.add(get(lower), f64x2.fromLower(get(masked)))),
      ...set(upper, f64x2.add(get(upper), f64x2.fromLower(v128.upperHalf(get(masked))))),
      ...set(masked, within(v128.and(one, get(equal)))),
      ...set(count, f64x2.add(get(count), f64x2.fromLower(get(masked)))),
      ...set(count, f64x2.add(get(count), f64x2.fromLower(v128.upperHalf(get(masked))))),
    ];
  };
  const laneSum = (x: number): Code => f64.add(f64x2.lane(get(x), 0), f64x2.lane(get(x), 1));
  return {
    name: 'rowExponentials',
    parameters: [a, b, out, sums, bytes, rows, mask].map(() => integer),
    results: [],
    locals: [integer, integer, ...new Array<typeof vector>(12).fill(vector)],
    body: repeatWhile(
      [
        ...set(end, i32.add(get(out), get(bytes))),
        ...set(top, v128.loadSplat(get(b), 0)),
        ...[lower, upper, count].flatMap((register) => set(register, zero)),
        ...loopWhile(i32.atMost(i32.add(get(out), i32.constant(16)), get(end)), [
          ...vectorCode,
          ...v128.store(get(out), 0, get(value)),
          ...accumulate(null),
          ...advance(a, i32.constant(16)),
          ...advance(out, i32.constant(16)),
        ]),
        ...when(i32.lessThan(get(out), get(end)), [
          ...set(left, i32.sub(get(end), get(out))),
          ...vectorCode,
          ...storeUpTo(out, end, value),
          ...accumulate(v128.load(i32.sub(i32.add(get(mask), i32.constant(16)), get(left)), 0)),
          ...advance(a, get(left)),
          ...set(out, get(end)),
        ]),
        ...set(lower, f64x2.add(get(lower), get(upper))),
        ...f64.store(get(sums), 0, laneSum(lower)),
        ...f64.store(get(sums), 8, laneSum(count)),
        ...advance(sums, i32.constant(16)),
        ...advance(b, i32.constant(4)),
        ...set(rows, i32.sub(get(rows), i32.constant(1))),
      ],
      get(rows),
    ),
  };
})();
