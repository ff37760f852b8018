/**
 * The lower triangle of a matrix copied onto the upper one, as a vector kernel: tiles of four by four, of which four below each
 * other fill the lines of the caches that they are written to.
 *
 * @module
 */
import type { Code, FunctionCode } from '../../webAssembly/assembler.ts';
import { f32, i32, local, loopWhile, valueType, when } from '../../webAssembly/assembler.ts';
import { advance } from './loops.ts';
import { band, storeTile, tile, transposeTile } from './transpose.ts';

const { get, set } = local;

/** `a[c, r] = a[r, c]` for c below r of a matrix of order n, whose rows begin `stride` bytes apart. */
export const mirrorLower: FunctionCode = (() => {
  const [a, n, stride] = [0, 1, 2];
  const [whole, first, past, r, c, from, to] = [3, 4, 5, 6, 7, 8, 9];
  const registers = [10, 11, 12, 13, 14, 15, 16, 17];
  const address = (row: Code, column: Code): Code =>
    i32.add(i32.add(get(a), i32.mul(row, get(stride))), i32.shiftLeft(column, i32.constant(2)));
  const step = (position: number, by: number): Code => advance(position, i32.constant(by));
  const tileCode: Code = [
    ...set(from, address(get(r), get(c))),
    ...set(to, address(get(c), get(r))),
    ...transposeTile(from, stride, registers),
    ...storeTile(to, stride, registers),
  ];
  const element: Code = f32.store(address(get(c), get(r)), 0, f32.load(address(get(r), get(c)), 0));
  /** Row r from the column of c on, one element after another. */
  const restOfRow: Code = loopWhile(i32.lessThan(get(c), get(r)), [...element, ...step(c, 1)]);
  return {
    name: 'mirrorLower',
    parameters: [a, n, stride].map(() => valueType.i32),
    results: [],
    locals: [...[whole, first, past, r, c, from, to].map(() => valueType.i32), ...registers.map(() => valueType.v128)],
    body: [
      ...set(whole, i32.and(get(n), i32.constant(-tile))),
      ...loopWhile(i32.lessThan(get(first), get(whole)), [
        ...set(past, i32.add(get(first), i32.constant(band))),
        ...when(i32.lessThan(get(whole), get(past)), set(past, get(whole))),
        ...set(c, i32.constant(0)),
        ...loopWhile(i32.lessThan(get(c), get(past)), [
          ...set(r, get(first)),
          ...when(
            i32.lessThan(get(r), i32.add(get(c), i32.constant(tile))),
            set(r, i32.add(get(c), i32.constant(tile))),
          ),
          ...loopWhile(i32.lessThan(get(r), get(past)), [...tileCode, ...step(r, tile)]),
          ...step(c, tile),
        ]),
        ...step(first, band),
      ]),
      // What the tiles leave: a few elements beside the diagonal, and whole rows at the end.
      ...set(r, i32.constant(1)),
      ...loopWhile(i32.lessThan(get(r), get(n)), [
        ...set(c, i32.and(get(r), i32.constant(-tile))),
        ...when(i32.atMost(get(whole), get(r)), set(c, i32.constant(0))),
        ...restOfRow,
        ...step(r, 1),
      ]),
    ],
  };
})();
