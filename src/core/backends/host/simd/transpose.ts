/**
 * The transpose of a matrix as a vector kernel: tiles of four by four, of which four below each other fill the lines of the
 * caches that they are written to.
 *
 * At the edges a tile is moved back until it lies within the matrix; what it shares with its neighbour is written twice.
 *
 * @module
 */
import type { Code, FunctionCode } from '../../webAssembly/assembler.ts';
import { i32, local, loopWhile, shuffleFloats, v128, valueType, when } from '../../webAssembly/assembler.ts';
import { advance } from './loops.ts';

const { get, set } = local;

/** The smallest extent of a matrix that has a whole tile. */
export const tile = 4;

/** Rows that are written side by side. */
export const band = 16;

/**
 * Loads a tile and transposes it into the last four of eight registers.
 *
 * @param from - pointer, used up
 * @param step - local with the bytes between rows
 * @param registers - eight
 */
export const transposeTile = (from: number, step: number, registers: ReadonlyArray<number>): Code => {
  const [x0, x1, x2, x3, t0, t1, t2, t3] = registers;
  const [low, high] = [
    [0, 4, 1, 5],
    [2, 6, 3, 7],
  ];
  return [
    ...[x0, x1, x2, x3].flatMap((x) => [...set(x, v128.load(get(from), 0)), ...advance(from, get(step))]),
    ...set(t0, shuffleFloats(get(x0), get(x1), low)),
    ...set(t1, shuffleFloats(get(x0), get(x1), high)),
    ...set(t2, shuffleFloats(get(x2), get(x3), low)),
    ...set(t3, shuffleFloats(get(x2), get(x3), high)),
  ];
};

/** The four rows of the tile that {@link transposeTile} has left. */
export const tileRows = ([, , , , t0, t1, t2, t3]: ReadonlyArray<number>): ReadonlyArray<Code> =>
  [
    [t0, t2],
    [t1, t3],
  ].flatMap(([upper, lower]) => [
    shuffleFloats(get(upper), get(lower), [0, 1, 4, 5]),
    shuffleFloats(get(upper), get(lower), [2, 3, 6, 7]),
  ]);

/**
 * Stores the tile that {@link transposeTile} has left.
 *
 * @param to - pointer, used up
 * @param step - local with the bytes between rows
 * @param registers - eight
 */
export const storeTile = (to: number, step: number, registers: ReadonlyArray<number>): Code =>
  tileRows(registers).flatMap((row) => [...v128.store(get(to), 0, row), ...advance(to, get(step))]);

/**
 * `out[c, r] = a[r, c]` of a matrix with at least four rows and columns, for rows `first <= r < end`, whole bands of them unless
 * they are the last.
 */
export const transpose: FunctionCode = (() => {
  const [a, out, rows, columns, first, end] = [0, 1, 2, 3, 4, 5];
  const [past, c, r, column, row, from, to, stepFrom, stepTo] = [6, 7, 8, 9, 10, 11, 12, 13, 14];
  const registers = [15, 16, 17, 18, 19, 20, 21, 22];

  /** A position, or the last one from which a tile lies within the matrix. */
  const within = (position: number, extent: number, result: number): Code => [
    ...set(result, get(position)),
    ...when(
      i32.lessThan(get(extent), i32.add(get(position), i32.constant(tile))),
      set(result, i32.sub(get(extent), i32.constant(tile))),
    ),
  ];
  const address = (base: number, index: Code): Code => i32.add(get(base), i32.shiftLeft(index, i32.constant(2)));
  const tileCode: Code = [
    ...set(from, address(a, i32.add(i32.mul(get(row), get(columns)), get(column)))),
    ...set(to, address(out, i32.add(i32.mul(get(column), get(rows)), get(row)))),
    ...transposeTile(from, stepFrom, registers),
    ...storeTile(to, stepTo, registers),
  ];
  return {
    name: 'transpose',
    parameters: [a, out, rows, columns, first, end].map(() => valueType.i32),
    results: [],
    locals: [
      ...[past, c, r, column, row, from, to, stepFrom, stepTo].map(() => valueType.i32),
      ...registers.map(() => valueType.v128),
    ],
    body: [
      ...set(stepFrom, i32.shiftLeft(get(columns), i32.constant(2))),
      ...set(stepTo, i32.shiftLeft(get(rows), i32.constant(2))),
      ...loopWhile(i32.lessThan(get(first), get(end)), [
        ...set(past, i32.add(get(first), i32.constant(band))),
        ...when(i32.lessThan(get(end), get(past)), set(past, get(end))),
        ...set(c, i32.constant(0)),
        ...loopWhile(i32.lessThan(get(c), get(columns)), [
          ...within(c, columns, column),
          ...set(r, get(first)),
          ...loopWhile(i32.lessThan(get(r), get(past)), [
            ...within(r, rows, row),
            ...tileCode,
            ...advance(r, i32.constant(tile)),
          ]),
          ...advance(c, i32.constant(tile)),
        ]),
        ...advance(first, i32.constant(band)),
      ]),
    ],
  };
})();
