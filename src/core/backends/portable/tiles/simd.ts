/**
 * Products of four rows with four rows as a WebAssembly module, two 64-bit floats at a time.
 *
 * Two of the right rows are taken at once, and one place of them in a turn of the loop: their eight running sums, the numbers
 * read, which some engines load before anything else, and a product fit into the registers of x64.
 *
 * @module
 */
import type { TileUnit } from './unit.ts';

import type { Code, FunctionCode } from '../../webAssembly/assembler.ts';
import { assemble, f64x2, i32, laneSums, local, repeatWhile, v128, valueType } from '../../webAssembly/assembler.ts';
import type { WithMemory } from '../../webAssembly/growing.ts';
import { growing } from '../../webAssembly/growing.ts';

const { get, set } = local;
const { i32: integer, v128: pair } = valueType;

/** Elements before the matrices: the sums. */
const reserved = 16;

/** Sums of four left rows and two right ones, stored at columns `column` and `column + 1` of the sums. */
const half = (column: number): FunctionCode => {
  const [a, strideA, b, strideB, end] = [0, 1, 2, 3, 4];
  const [a1, a2, a3, b1, x0, x1, x2, x3, y] = [5, 6, 7, 8, 9, 10, 11, 12, 13];
  const left = [a, a1, a2, a3];
  const numbers = [x0, x1, x2, x3];
  const right = [b, b1];
  const sum = (r: number, c: number): number => 14 + 2 * r + c;
  const products: Code = [
    ...left.flatMap((pointer, r) => set(numbers[r], v128.load(get(pointer), 0))),
    ...right.flatMap((pointer, c) => [
      ...set(y, v128.load(get(pointer), 0)),
      ...left.flatMap((_, r) => set(sum(r, c), f64x2.add(get(sum(r, c)), f64x2.mul(get(numbers[r]), get(y))))),
    ]),
  ];
  return {
    name: `columns${column}`,
    parameters: [integer, integer, integer, integer, integer],
    results: [],
    locals: [...[a1, a2, a3, b1].map(() => integer), ...[x0, x1, x2, x3, y].map(() => pair), ...new Array<typeof pair>(8).fill(pair)], // prettier-ignore
    body: [
      ...set(a1, i32.add(get(a), get(strideA))),
      ...set(a2, i32.add(get(a1), get(strideA))),
      ...set(a3, i32.add(get(a2), get(strideA))),
      ...set(b1, i32.add(get(b), get(strideB))),
      ...repeatWhile(
        [
          ...products,
          ...[...left, ...right].flatMap((pointer) => set(pointer, i32.add(get(pointer), i32.constant(16)))),
        ],
        i32.lessThan(get(a), get(end)),
      ),
      ...left.flatMap((_, r) =>
        v128.store(i32.constant(0), 8 * (4 * r + column), laneSums(get(sum(r, 0)), get(sum(r, 1)))),
      ),
    ],
  };
};

type Half = (a: number, strideA: number, b: number, strideB: number, end: number) => void;

interface Exports extends WithMemory {
  readonly columns0: Half;
  readonly columns2: Half;
}

/** The binary of the module. */
const tileModuleBytes = (): Uint8Array => assemble(1, [half(0), half(2)]);

/** Tiles on WebAssembly, with room for some elements; `null` where they cannot be had. */
export const vectorTiles: (length: number) => TileUnit | null = growing(
  tileModuleBytes,
  ({ memory, columns0, columns2 }: Exports): TileUnit => ({
    data: new Float64Array(memory.buffer, 8 * reserved),
    sums: new Float64Array(memory.buffer, 0, reserved),
    multiply: (a, strideA, b, strideB, count) => {
      const left = 8 * (reserved + a);
      const right = 8 * (reserved + b);
      const end = left + 8 * count;
      columns0(left, 8 * strideA, right, 8 * strideB, end);
      columns2(left, 8 * strideA, right + 16 * strideB, 8 * strideB, end);
    },
  }),
);
