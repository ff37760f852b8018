/**
 * Loops of vector kernels: over elements, and over the rows of matrices.
 *
 * A loop takes four vectors at a time where that pays, then one at a time. Of the last vector of a row only the elements
 * that belong to it are stored, so that kernels may work on neighbouring rows in any order and results may replace
 * operands; what is read beyond them is not used.
 *
 * @module
 */
import type { Code, FunctionCode, ValueType } from '../../webAssembly/assembler.ts';
import { f32x4, i32, local, loopWhile, repeatWhile, v128, valueType, when } from '../../webAssembly/assembler.ts';

const { get, set } = local;

/** Adds to a pointer. */
export const advance = (pointer: number, bytes: Code): Code => set(pointer, i32.add(get(pointer), bytes));

/** Locals of type v128: nine that functions use at most, and two of the loops. */
const registerCount = 11;

const registersFrom = (first: number): ReadonlyArray<number> =>
  Array.from({ length: registerCount }, (_, i) => first + i);

const vectors: ReadonlyArray<ValueType> = new Array<ValueType>(registerCount).fill(valueType.v128);

/**
 * Stores as many elements of a vector as there are before an end.
 *
 * @param out - pointer
 * @param end - pointer after the last element
 * @param value - register with the vector
 */
export const storeUpTo = (out: number, end: number, value: number): Code => {
  const left = i32.sub(get(end), get(out));
  const has = (bytes: number): Code => i32.and(left, i32.constant(bytes));
  const one = (offset: number, lane: number): Code => when(has(4), v128.storeLane(get(out), offset, get(value), lane));
  return when(
    i32.atMost(i32.constant(16), left),
    v128.store(get(out), 0, get(value)),
    when(has(8), [...v128.storePair(get(out), 0, get(value), 0), ...one(8, 2)], one(0, 0)),
  );
};

/**
 * Goes over elements up to the end of `out`. Pointers are used up.
 *
 * @param pointers - of the operands and, last, of the result
 * @param end - pointer after the last element of the result
 * @param several - whether to take four vectors at a time
 * @param value - the result's vector, from operands at an offset from their pointers
 * @param register - a register that the value does not use
 */
export const sweep = (
  pointers: ReadonlyArray<number>,
  end: number,
  several: boolean,
  value: (offset: number) => Code,
  register: number,
): Code => {
  const out = pointers[pointers.length - 1];
  const step = (bytes: number): Code => pointers.flatMap((pointer) => advance(pointer, i32.constant(bytes)));
  const four = loopWhile(i32.atMost(i32.add(get(out), i32.constant(64)), get(end)), [
    ...[0, 16, 32, 48].flatMap((offset) => v128.store(get(out), offset, value(offset))),
    ...step(64),
  ]);
  const single = loopWhile(i32.lessThan(get(out), get(end)), [
    ...set(register, value(0)),
    ...storeUpTo(out, end, register),
    ...step(16),
  ]);
  return [...(several ? four : []), ...single];
};

/** Kernels over elements: `out[i] = f(a[i], b[i])` for the elements of `bytes`, with two numbers s and t. */
export const pointwise = {
  numbers: { s: 4, t: 5 },
  kernel: (
    name: string,
    several: boolean,
    code: (a: Code, b: Code, registers: ReadonlyArray<number>) => Code,
  ): FunctionCode => {
    const [a, b, out, bytes, end] = [0, 1, 2, 3, 6];
    const [result, ...registers] = registersFrom(7);
    const value = (offset: number): Code => code(v128.load(get(a), offset), v128.load(get(b), offset), registers);
    return {
      name,
      parameters: [valueType.i32, valueType.i32, valueType.i32, valueType.i32, valueType.f32, valueType.f32],
      results: [],
      locals: [valueType.i32, ...vectors],
      body: [...set(end, i32.add(get(out), get(bytes))), ...sweep([a, b, out], end, several, value, result)],
    };
  },
} as const;

/** A function of two operands, of which the second may have one number for each row. */
export interface RowCode {
  readonly fixed: 'none' | 'b';
  readonly several: boolean;
  readonly code: (a: Code, b: Code, registers: ReadonlyArray<number>) => Code;
}

/**
 * Kernels over rows: `out[r, i] = f(a[r, i], b[r, i])` or `f(a[r, i], b[r])`, where the rows of the result lie one after
 * another and those of the operands begin `stepA` and `stepB` bytes apart, at least one row.
 */
export const rowwise = (name: string, { fixed, several, code }: RowCode): FunctionCode => {
  const [a, b, out, bytes, rows, stepA, stepB] = [0, 1, 2, 3, 4, 5, 6];
  const [pa, pb, end] = [7, 8, 9];
  const [result, number, ...registers] = registersFrom(10);
  const ofRow = fixed === 'b';
  const value = (offset: number): Code =>
    code(v128.load(get(pa), offset), ofRow ? get(number) : v128.load(get(pb), offset), registers);
  return {
    name,
    parameters: [a, b, out, bytes, rows, stepA, stepB].map(() => valueType.i32),
    results: [],
    locals: [valueType.i32, valueType.i32, valueType.i32, ...vectors],
    body: repeatWhile(
      [
        ...set(pa, get(a)),
        ...(ofRow ? set(number, v128.loadSplat(get(b), 0)) : set(pb, get(b))),
        ...set(end, i32.add(get(out), get(bytes))),
        ...sweep([pa, ...(ofRow ? [] : [pb]), out], end, several, value, result),
        ...set(out, get(end)),
        ...advance(a, get(stepA)),
        ...advance(b, get(stepB)),
        ...set(rows, i32.sub(get(rows), i32.constant(1))),
      ],
      get(rows),
    ),
  };
};

/**
 * Goes over rows of `bytes` in three loops of at least one round each, with steps of their own in `a` and in `out`:
 * `out[i, j, r, :] = f(out[i, j, r, :], a[i, j, r, :])`. Rows of the result may overlap; they are done in order.
 */
const blocks = (name: string, value: (a: Code, out: Code) => Code): FunctionCode => {
  const [a, out, bytes] = [0, 1, 2];
  const [counts, stepsA, stepsOut] = [3, 6, 9].map((first) => [first, first + 1, first + 2]);
  const [left, as, outs] = [12, 15, 18].map((first) => [first, first + 1, first + 2]);
  const [pa, po, end, result] = [21, 22, 23, 24];
  const row = [
    ...set(pa, get(as[2])),
    ...set(po, get(outs[2])),
    ...set(end, i32.add(get(po), get(bytes))),
    ...sweep([pa, po], end, true, (offset) => value(v128.load(get(pa), offset), v128.load(get(po), offset)), result),
  ];
  const level = (depth: number): Code =>
    depth === 3
      ? row
      : [
          ...set(as[depth], get(depth === 0 ? a : as[depth - 1])),
          ...set(outs[depth], get(depth === 0 ? out : outs[depth - 1])),
          ...set(left[depth], get(counts[depth])),
          ...repeatWhile(
            [
              ...level(depth + 1),
              ...advance(as[depth], get(stepsA[depth])),
              ...advance(outs[depth], get(stepsOut[depth])),
              ...set(left[depth], i32.sub(get(left[depth]), i32.constant(1))),
            ],
            get(left[depth]),
          ),
        ];
  return {
    name,
    parameters: [a, out, bytes, ...counts, ...stepsA, ...stepsOut].map(() => valueType.i32),
    results: [],
    locals: [...[...left, ...as, ...outs, pa, po, end].map(() => valueType.i32), valueType.v128],
    body: level(0),
  };
};

/** Rows three loops deep, copied. */
export const copyBlocks = blocks('copyBlocks', (a) => a);

/** Rows three loops deep, added to what is there. */
export const addBlocks = blocks('addBlocks', (a, out) => f32x4.add(out, a));
