/**
 * Maxima over the axis in the middle of an array `[blocks, rows, columns]` as vector kernels, and their cotangents. Sums over
 * it are in `sums.ts`.
 *
 * @module
 */
import type { Code, FunctionCode } from '../../webAssembly/assembler.ts';
import { f32x4, i32, local, loopWhile, repeatWhile, v128, valueType } from '../../webAssembly/assembler.ts';
import { advance, storeUpTo } from './loops.ts';

const { get, set } = local;

const down = (counter: number): Code => set(counter, i32.sub(get(counter), i32.constant(1)));

/** `out[b, j] = max_r a[b, r, j]` for rows of `bytes`, at least one of each. */
export const middleMaxima: FunctionCode = (() => {
  const [a, out, bytes, rows, blocks] = [0, 1, 2, 3, 4];
  const [p, r, end, top] = [5, 6, 7, 8];
  return {
    name: 'middleMaxima',
    parameters: [a, out, bytes, rows, blocks].map(() => valueType.i32),
    results: [],
    locals: [valueType.i32, valueType.i32, valueType.i32, valueType.v128],
    body: repeatWhile(
      [
        ...set(end, i32.add(get(out), get(bytes))),
        ...loopWhile(i32.lessThan(get(out), get(end)), [
          ...set(p, get(a)),
          ...set(top, v128.load(get(a), 0)),
          ...set(r, i32.sub(get(rows), i32.constant(1))),
          ...loopWhile(get(r), [
            ...advance(p, get(bytes)),
            ...set(top, f32x4.max(get(top), v128.load(get(p), 0))),
            ...down(r),
          ]),
          ...storeUpTo(out, end, top),
          ...advance(out, i32.constant(16)),
          ...advance(a, i32.constant(16)),
        ]),
        // The pointers are past the last vector, which may go beyond the row.
        ...advance(a, i32.sub(i32.mul(get(bytes), get(rows)), i32.sub(get(out), i32.sub(get(end), get(bytes))))),
        ...set(out, get(end)),
        ...down(blocks),
      ],
      get(blocks),
    ),
  };
})();

/**
 * `out[b, r, j] = (a[b, r, j] = y[b, j] ? 1 : 0) / ties * c[b, j]` with the number of those that are alike, for rows of `bytes`, at
 * least one of each.
 */
export const middleMaximaVjp: FunctionCode = (() => {
  const [a, y, c, out, bytes, rows, blocks] = [0, 1, 2, 3, 4, 5, 6];
  const [p, po, r, end, rowEnd] = [7, 8, 9, 10, 11];
  const [top, ties, cotangent, result] = [12, 13, 14, 15];
  const isTop = v128.and(f32x4.equal(v128.load(get(p), 0), get(top)), f32x4.constant(1));
  const overRows = (body: Code): Code => [
    ...set(p, get(a)),
    ...set(r, get(rows)),
    ...repeatWhile([...body, ...advance(p, get(bytes)), ...down(r)], get(r)),
  ];
  const pointers = [y, c, a, out];
  return {
    name: 'middleMaximaVjp',
    parameters: [a, y, c, out, bytes, rows, blocks].map(() => valueType.i32),
    results: [],
    locals: [
      ...[p, po, r, end, rowEnd].map(() => valueType.i32),
      ...[top, ties, cotangent, result].map(() => valueType.v128),
    ],
    body: repeatWhile(
      [
        ...set(end, i32.add(get(out), get(bytes))),
        ...loopWhile(i32.lessThan(get(out), get(end)), [
          ...set(top, v128.load(get(y), 0)),
          ...set(cotangent, v128.load(get(c), 0)),
          ...set(ties, f32x4.constant(0)),
          ...overRows(set(ties, f32x4.add(get(ties), isTop))),
          ...set(po, get(out)),
          ...set(rowEnd, get(end)),
          ...overRows([
            ...set(result, f32x4.mul(f32x4.div(isTop, get(ties)), get(cotangent))),
            ...storeUpTo(po, rowEnd, result),
            ...advance(po, get(bytes)),
            ...advance(rowEnd, get(bytes)),
          ]),
          ...pointers.flatMap((pointer) => advance(pointer, i32.constant(16))),
        ]),
        // How far the pointers are beyond the row: 0, 4, 8 or 12 bytes.
        ...set(rowEnd, i32.sub(get(out), get(end))),
        ...[y, c].flatMap((pointer) => set(pointer, i32.sub(get(pointer), get(rowEnd)))),
        ...set(r, i32.sub(i32.mul(get(bytes), i32.sub(get(rows), i32.constant(1))), get(rowEnd))),
        ...[a, out].flatMap((pointer) => advance(pointer, get(r))),
        ...down(blocks),
      ],
      get(blocks),
    ),
  };
})();
