/**
 * What softmax is made of as vector kernels: maxima of rows, and exponentials of the distances from them with their sums.
 *
 * @module
 */
import type { Code, FunctionCode } from '../../webAssembly/assembler.ts';
import { f32, f32x4, f64, f64x2, i32, i32x4, local, loopWhile, repeatWhile, shuffleFloats, v128, valueType, when } from '../../webAssembly/assembler.ts'; // prettier-ignore
import { expOfDifferenceCode } from './functions.ts';
import { advance, storeUpTo } from './loops.ts';

const { get, set } = local;
const { i32: integer, v128: vector } = valueType;

/** The bytes of four whole lanes, and of four empty ones: from `16 - n` bytes on, as many lanes as n bytes are. */
export const laneMask = [-1, -1, -1, -1, 0, 0, 0, 0];

/**
 * `out[r] = max_i a[r, i]`, NaN where there is one, for rows of `bytes`, at least one element each. Whether a number is one
 * is noted beside the maxima: the maximum that passes NaN takes seven instructions, the one that does not takes one.
 */
export const rowMaxima: FunctionCode = (() => {
  const [a, out, bytes, rows, end, top, other, x, odd] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const first = f32x4.splat(f32.load(get(a), 0));
  const halves = (lanes: ReadonlyArray<number>): Code =>
    set(top, f32x4.max(get(top), shuffleFloats(get(top), get(top), lanes)));
  const take = (maximum: number, value: Code): Code => [
    ...set(x, value),
    ...set(odd, v128.or(get(odd), f32x4.differ(get(x), get(x)))),
    ...set(maximum, f32x4.greater(get(maximum), get(x))),
  ];
  return {
    name: 'rowMaxima',
    parameters: [integer, integer, integer, integer],
    results: [],
    locals: [integer, vector, vector, vector, vector],
    body: repeatWhile(
      [
        ...set(end, i32.add(get(a), get(bytes))),
        ...set(top, first),
        ...set(other, get(top)),
        ...set(odd, f32x4.differ(get(top), get(top))),
        ...loopWhile(i32.atMost(i32.add(get(a), i32.constant(32)), get(end)), [
          ...take(top, v128.load(get(a), 0)),
          ...take(other, v128.load(get(a), 16)),
          ...advance(a, i32.constant(32)),
        ]),
        ...loopWhile(i32.lessThan(get(a), get(end)), [
          ...take(top, v128.loadSplat(get(a), 0)),
          ...advance(a, i32.constant(4)),
        ]),
        ...set(top, v128.or(f32x4.greater(get(top), get(other)), get(odd))), // all bits of a lane set are NaN
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
  const vectorCode: Code = [
    ...set(equal, f32x4.equal(v128.load(get(a), 0), get(top))),
    ...set(value, expOfDifferenceCode(v128.load(get(a), 0), get(top), registers)),
  ];
  const [masked] = registers;
  const integers = f64x2.fromLowerIntegers;
  /** Adds what a vector holds where a mask says so. */
  const accumulate = (lanes: Code | null): Code => {
    const within = (x: Code): Code => (lanes === null ? x : v128.and(x, lanes));
    return [
      ...set(masked, within(v128.andnot(get(value), get(equal)))),
      ...set(lower, f64x2.add(get(lower), f64x2.fromLower(get(masked)))),
      ...set(upper, f64x2.add(get(upper), f64x2.fromLower(v128.upperHalf(get(masked))))),
      ...set(count, i32x4.sub(get(count), within(get(equal)))), // a comparison that holds is −1
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
        ...set(count, f64x2.add(integers(get(count)), integers(v128.upperHalf(get(count))))),
        ...f64.store(get(sums), 8, laneSum(count)),
        ...advance(sums, i32.constant(16)),
        ...advance(b, i32.constant(4)),
        ...set(rows, i32.sub(get(rows), i32.constant(1))),
      ],
      get(rows),
    ),
  };
})();
