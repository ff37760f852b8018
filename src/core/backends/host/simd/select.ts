/**
 * Choosing between two arrays as vector kernels: one for each way in which the three operands vary along a row.
 *
 * @module
 */
import type { Code, FunctionCode } from '../../webAssembly/assembler.ts';
import { f32x4, i32, local, repeatWhile, v128, valueType } from '../../webAssembly/assembler.ts';
import { advance, sweep } from './loops.ts';

const { get, set } = local;

/** Whether the condition, a and b vary along a row (`v`) or are one number (`n`). */
export const selectForms = ['vvv', 'vvn', 'vnv', 'vnn', 'nvv', 'nvn', 'nnv'] as const;

/** One of {@link selectForms}. */
export type SelectForm = (typeof selectForms)[number];

/** `out[r, i] = c[r, i] is not 0 ? a[r, i] : b[r, i]`, of rows of `bytes`; those of the operands begin so many bytes apart. */
export const selectKernel = (form: SelectForm): FunctionCode => {
  const [c, a, b, out, bytes, rows, stepC, stepA, stepB, end] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const operands = [
    { base: c, step: stepC, pointer: 10, number: 13, varies: form.startsWith('v') },
    { base: a, step: stepA, pointer: 11, number: 14, varies: form[1] === 'v' },
    { base: b, step: stepB, pointer: 12, number: 15, varies: form[2] === 'v' },
  ];
  const result = 16;
  const value = (offset: number): Code => {
    const [condition, left, right] = operands.map(({ pointer, number, varies }) =>
      varies ? v128.load(get(pointer), offset) : get(number),
    );
    return v128.bitselect(right, left, f32x4.equal(condition, f32x4.constant(0)));
  };
  const pointers = operands.flatMap(({ pointer, varies }) => (varies ? [pointer] : []));
  return {
    name: `select.${form}`,
    parameters: [c, a, b, out, bytes, rows, stepC, stepA, stepB].map(() => valueType.i32),
    results: [],
    locals: [...[end, 10, 11, 12].map(() => valueType.i32), ...[13, 14, 15, result].map(() => valueType.v128)],
    body: repeatWhile(
      [
        ...operands.flatMap(({ base, pointer, number, varies }) =>
          varies ? set(pointer, get(base)) : set(number, v128.loadSplat(get(base), 0)),
        ),
        ...set(end, i32.add(get(out), get(bytes))),
        ...sweep([...pointers, out], end, true, value, result),
        ...set(out, get(end)),
        ...operands.flatMap(({ base, step }) => advance(base, get(step))),
        ...set(rows, i32.sub(get(rows), i32.constant(1))),
      ],
      get(rows),
    ),
  };
};
