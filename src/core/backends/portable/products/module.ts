/**
 * The module of matrix products: packing, and a kernel that holds a tile of some rows and eight columns in registers.
 *
 * It has one function, which does a range of the cells of a job (panels to be packed, blocks of the result) that is described by
 * words of the memory; so several threads can do parts of one. A tile sums a run of the inner dimension in its order and is
 * then added to the result: what comes out does not depend on how many threads there are.
 *
 * @module
 */
import type { Code } from '../../webAssembly/assembler.ts';
import { assemble, enclosed, f32x4, i32, leaveIf, local, loopWhile, repeatWhile, v128, valueType, when } from '../../webAssembly/assembler.ts'; // prettier-ignore
import { advance, storeUpTo } from '../../host/simd/loops.ts';
import { depth, packPanel, setLesser, upTo } from './pack.ts';

const { get, set } = local;

/** What a job does. */
export const operation = { packLeft: 0, packRight: 1, multiply: 2 } as const;

/** Positions of the words that describe a job. Distances are in bytes. */
export const word = {
  operation: 0,
  a: 1,
  acrossA: 2,
  alongA: 3,
  b: 4,
  acrossB: 5,
  alongB: 6,
  c: 7,
  m: 8,
  n: 9,
  k: 10,
  packedA: 11,
  packedB: 12,
  /** Whether the product is added to what the result holds. */
  accumulate: 13,
  /** Whether only what lies on the diagonal and below it is wanted. */
  lower: 14,
} as const;

/** Words of a job. */
export const words = 16;

/** What a kernel holds in registers, of which engines use fifteen. */
export interface Tile {
  /** Rows of the result, from 4 to 8. */
  readonly rows: number;
  /** Columns: two vectors. */
  readonly columns: 8;
  /** Rows and columns of a cell; whole tiles. */
  readonly block: { readonly rows: number; readonly columns: number };
  /** Whether a product is added by the instruction that makes it, and rounded with the sum only. */
  readonly fused: boolean;
}

/** Four rows where a product needs a register of its own until it is added, six where none does. */
export const tiles: Readonly<Record<'plain' | 'fused', Tile>> = {
  plain: { rows: 4, columns: 8, block: { rows: 64, columns: 128 }, fused: false },
  fused: { rows: 6, columns: 8, block: { rows: 72, columns: 128 }, fused: true },
};

/**
 * The binary.
 *
 * @param shared - whether its memory is shared
 * @param job - address of the words
 * @param tile - what its kernel holds in registers
 */
export const productModule = (shared: boolean, job: number, tile: Tile): Uint8Array => {
  const { block, fused } = tile;
  const [cell, end] = [0, 1];
  const [source, across, along, count, k, packed] = [3, 4, 5, 6, 7, 8];
  const free = [9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
  const [c, m, n, i, j, lastRow, lastColumn, firstRow, pa, pb, pastA, pc, stepC, isFirst, stop, blockA, blockB] = [
    21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37,
  ];
  const [p, length, lower] = [9, 10, 11];
  const integers = 35;
  const registers = Array.from({ length: 2 * tile.rows + 3 }, (_, i) => 38 + i);
  const [b0, b1, x, ...held] = registers;
  const sums = Array.from({ length: tile.rows }, (_, row) => [held[2 * row], held[2 * row + 1]] as const);
  const plus = (sum: number, left: number, right: number): Code =>
    fused ? f32x4.multiplyAdd(get(left), get(right), get(sum)) : f32x4.add(get(sum), f32x4.mul(get(left), get(right)));

  const wordAt = (position: number): Code => i32.load(i32.constant(job), 4 * position);
  const next = (position: number): Code => advance(position, i32.constant(1));
  const eachCell = (body: Code): Code => loopWhile(i32.lessThan(get(cell), get(end)), [...body, ...next(cell)]);

  const packing = (width: number, at: readonly [number, number, number, number, number]): Code => [
    ...[source, across, along, count, packed].flatMap((position, q) => set(position, wordAt(at[q]))),
    ...set(k, wordAt(word.k)),
    ...eachCell(packPanel(width, { cell, source, across, along, count, k, packed, free, registers })),
  ];

  /**
   * Some engines put all loads of a loop's body first, so that a second place of the inner dimension, or a fifth row, would go
   * through the stack. What might be left here has its sums by then. Addresses in panels are not odd, and it never is.
   */
  const inOrder = (row: number): Code => leaveIf(i32.equal(get(pa), i32.constant(2 * row + 1)));

  /** The tile at (i, j), summed over one run. */
  const summed: Code = [
    ...set(pa, i32.add(get(blockA), i32.mul(get(i), i32.shiftLeft(get(length), i32.constant(2))))),
    ...set(pb, i32.add(get(blockB), i32.mul(get(j), i32.shiftLeft(get(length), i32.constant(2))))),
    ...set(pastA, i32.add(get(pa), i32.mul(get(length), i32.constant(4 * tile.rows)))),
    ...sums.flat().flatMap((sum) => set(sum, f32x4.constant(0))),
    ...enclosed(
      repeatWhile(
        [
          ...set(b0, v128.load(get(pb), 0)),
          ...set(b1, v128.load(get(pb), 16)),
          ...sums.flatMap(([left, right], row) => [
            ...set(x, v128.loadSplat(get(pa), 4 * row)),
            ...set(left, plus(left, x, b0)),
            ...set(right, plus(right, x, b1)),
            ...(fused && row + 1 < tile.rows ? inOrder(row) : []),
          ]),
          ...advance(pa, i32.constant(4 * tile.rows)),
          ...advance(pb, i32.constant(4 * tile.columns)),
        ],
        i32.lessThan(get(pa), get(pastA)),
      ),
    ),
  ];

  const whole = (isNew: boolean): Code =>
    sums.flatMap((row) => [
      ...row.flatMap((sum, q) =>
        v128.store(get(pc), 16 * q, isNew ? get(sum) : f32x4.add(v128.load(get(pc), 16 * q), get(sum))),
      ),
      ...advance(pc, get(stepC)),
    ]);

  /** Of a tile at the edge, what belongs to the result. */
  const partly: Code = sums.flatMap((row, r) =>
    when(i32.lessThan(i32.add(get(i), i32.constant(r)), get(m)), [
      ...set(stop, i32.add(get(c), i32.shiftLeft(i32.mul(i32.add(get(i), i32.constant(r + 1)), get(n)), i32.constant(2)))), // prettier-ignore
      ...row.flatMap((sum, q) =>
        when(i32.lessThan(i32.add(get(j), i32.constant(4 * q)), get(n)), [
          ...when(get(isFirst), [], set(sum, f32x4.add(v128.load(get(pc), 16 * q), get(sum)))),
          ...advance(pc, i32.constant(16 * q)),
          ...storeUpTo(pc, stop, sum),
          ...advance(pc, i32.constant(-16 * q)),
        ]),
      ),
      ...advance(pc, get(stepC)),
    ]),
  );

  const isInside = i32.and(
    i32.atMost(i32.add(get(i), i32.constant(tile.rows)), get(m)),
    i32.atMost(i32.add(get(j), i32.constant(tile.columns)), get(n)),
  );

  const tileCode: Code = [
    ...summed,
    ...set(pc, i32.add(get(c), i32.shiftLeft(i32.add(i32.mul(get(i), get(n)), get(j)), i32.constant(2)))),
    ...when(isInside, when(get(isFirst), whole(true), whole(false)), partly),
  ];

  /** The block of a cell, run by run. */
  const blockCode: Code = [
    ...set(count, i32.div(i32.add(get(m), i32.constant(block.rows - 1)), i32.constant(block.rows))), // blocks of rows
    ...set(firstRow, i32.mul(i32.rest(get(cell), get(count)), i32.constant(block.rows))),
    ...set(across, i32.mul(i32.div(get(cell), get(count)), i32.constant(block.columns))), // first column
    ...setLesser(lastRow, i32.add(get(firstRow), i32.constant(block.rows)), get(m)),
    ...setLesser(lastColumn, i32.add(get(across), i32.constant(block.columns)), get(n)),
    ...set(p, i32.constant(0)),
    ...set(blockA, wordAt(word.packedA)),
    ...set(blockB, wordAt(word.packedB)),
    ...set(isFirst, i32.equal(wordAt(word.accumulate), i32.constant(0))),
    ...loopWhile(i32.lessThan(get(p), get(k)), [
      ...setLesser(length, i32.sub(get(k), get(p)), i32.constant(depth)),
      ...set(j, get(across)),
      ...loopWhile(i32.lessThan(get(j), get(lastColumn)), [
        ...set(i, get(firstRow)),
        ...loopWhile(i32.lessThan(get(i), get(lastRow)), [
          // Above the diagonal there is nothing to do where only the lower triangle is wanted.
          ...when(
            i32.and(get(lower), i32.lessThan(i32.add(get(i), i32.constant(tile.rows - 1)), get(j))),
            [],
            tileCode,
          ),
          ...advance(i, i32.constant(tile.rows)),
        ]),
        ...advance(j, i32.constant(tile.columns)),
      ]),
      ...advance(blockA, i32.mul(upTo(tile.rows, get(m)), i32.shiftLeft(get(length), i32.constant(2)))),
      ...advance(blockB, i32.mul(upTo(tile.columns, get(n)), i32.shiftLeft(get(length), i32.constant(2)))),
      ...advance(p, i32.constant(depth)),
      ...set(isFirst, i32.constant(0)),
    ]),
  ];

  const multiplying: Code = [
    ...[c, m, n, k, lower].flatMap((position, q) =>
      set(position, wordAt([word.c, word.m, word.n, word.k, word.lower][q])),
    ),
    ...set(stepC, i32.shiftLeft(get(n), i32.constant(2))),
    ...eachCell(blockCode),
  ];

  return assemble({ shared }, [
    {
      name: 'run_simd',
      parameters: [valueType.i32, valueType.i32, valueType.i32],
      results: [],
      locals: [
        ...new Array<typeof valueType.i32>(integers).fill(valueType.i32),
        ...registers.map(() => valueType.v128),
      ],
      body: when(
        i32.equal(wordAt(word.operation), i32.constant(operation.multiply)),
        multiplying,
        when(
          i32.equal(wordAt(word.operation), i32.constant(operation.packLeft)),
          packing(tile.rows, [word.a, word.acrossA, word.alongA, word.m, word.packedA]),
          packing(tile.columns, [word.b, word.acrossB, word.alongB, word.n, word.packedB]),
        ),
      ),
    },
  ]);
};
