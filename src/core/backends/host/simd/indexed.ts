/**
 * Rows at indices as vector kernels: gathered, and added up where they are scattered to.
 *
 * @module
 */
import type { Code, FunctionCode } from '../../webAssembly/assembler.ts';
import { f32x4, i32, local, repeatWhile, v128, valueType, when } from '../../webAssembly/assembler.ts';
import { sweep } from './loops.ts';

const { get, set } = local;

/** `out[i, :] = x[at[i], :]` of rows of `bytes`, NaN where an index is none of `rows`; at least one index. */
export const gatherRows: FunctionCode = (() => {
  const [x, at, out, bytes, count, rows] = [0, 1, 2, 3, 4, 5];
  const [index, from, end, result] = [6, 7, 8, 9];
  const copy = sweep([from, out], end, true, (offset) => v128.load(get(from), offset), result);
  const nothing = sweep([out], end, true, () => f32x4.constant(NaN), result);
  return {
    name: 'gatherRows',
    parameters: [x, at, out, bytes, count, rows].map(() => valueType.i32),
    results: [],
    locals: [valueType.i32, valueType.i32, valueType.i32, valueType.v128],
    body: repeatWhile(
      [
        ...set(index, i32.load(get(at), 0)),
        ...set(from, i32.add(get(x), i32.mul(get(index), get(bytes)))),
        ...set(end, i32.add(get(out), get(bytes))),
        ...when(i32.lessThan(get(index), get(rows)), copy, nothing), // a negative one is a large one
        ...set(out, get(end)),
        ...set(at, i32.add(get(at), i32.constant(4))),
        ...set(count, i32.sub(get(count), i32.constant(1))),
      ],
      get(count),
    ),
  };
})();

/** `out[at[i], :] += x[i, :]` of rows of `bytes`, in order, where an index is one of `rows`; at least one index. */
export const scatterRows: FunctionCode = (() => {
  const [x, at, out, bytes, count, rows] = [0, 1, 2, 3, 4, 5];
  const [index, from, to, target, end, result] = [6, 7, 8, 9, 10, 11];
  const sum = (offset: number): Code => f32x4.add(v128.load(get(target), offset), v128.load(get(from), offset));
  return {
    name: 'scatterRows',
    parameters: [x, at, out, bytes, count, rows].map(() => valueType.i32),
    results: [],
    locals: [...[index, from, to, target, end].map(() => valueType.i32), valueType.v128],
    body: repeatWhile(
      [
        ...set(index, i32.load(get(at), 0)),
        ...when(i32.lessThan(get(index), get(rows)), [
          ...set(from, get(x)),
          ...set(to, i32.add(get(out), i32.mul(get(index), get(bytes)))),
          ...set(target, get(to)),
          ...set(end, i32.add(get(to), get(bytes))),
          ...sweep([from, target, to], end, true, sum, result),
        ]),
        ...set(x, i32.add(get(x), get(bytes))),
        ...set(at, i32.add(get(at), i32.constant(4))),
        ...set(count, i32.sub(get(count), i32.constant(1))),
      ],
      get(count),
    ),
  };
})();
