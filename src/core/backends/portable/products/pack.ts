/**
 * Operands of products packed into panels, as vector code: a few rows of op(A), or columns of op(B), beside each other, in the
 * order in which the kernel reads them.
 *
 * A panel is padded with zeros to its width, so that the kernel knows no edges. Whichever way round an operand is stored, its
 * elements are neighbours along the panel or across it.
 *
 * @module
 */
import type { Code } from '../../webAssembly/assembler.ts';
import { f32, i32, local, loopWhile, v128, when } from '../../webAssembly/assembler.ts';
import { advance } from '../../host/simd/loops.ts';
import { tileRows, transposeTile } from '../../host/simd/transpose.ts';

const { get, set } = local;

/** Elements of the inner dimension that are packed, and multiplied, at a time. */
export const depth = 256;

/** The smaller of a local and code, into a local. */
export const setLesser = (result: number, one: Code, other: Code): Code => [
  ...set(result, one),
  ...when(i32.lessThan(other, get(result)), set(result, other)),
];

/** The least multiple of a number that is not below a value. */
export const upTo = (multiple: number, value: Code): Code =>
  i32.mul(i32.div(i32.add(value, i32.constant(multiple - 1)), i32.constant(multiple)), i32.constant(multiple));

/** Locals that packing uses, by number. */
export interface PackLocals {
  /** i32: panel, source, distances across and along, extents, where packed panels begin. */
  readonly cell: number;
  readonly source: number;
  readonly across: number;
  readonly along: number;
  readonly count: number;
  readonly k: number;
  readonly packed: number;
  /** i32, used freely: at least eleven. */
  readonly free: ReadonlyArray<number>;
  /** v128, used freely: eight. */
  readonly registers: ReadonlyArray<number>;
}

/** Where the vectors of a panel of some width begin: one that is no multiple of four has two that overlap. */
const vectorsOf = (width: number): ReadonlyArray<number> => (width === 4 ? [0] : [0, width - 4]);

/** Stores a transposed tile into a panel, four rows of it. */
const storePanelTile = (out: number, offset: number, bytes: number, registers: ReadonlyArray<number>): Code =>
  tileRows(registers).flatMap((row, i) => v128.store(get(out), offset + i * bytes, row));

/**
 * Packs one panel: `packed[run][panel][p][w] = source[w across + p along]` for w below the width.
 *
 * @param width - from 4 to 8
 * @param locals - what it reads and uses
 */
export const packPanel = (width: number, locals: PackLocals): Code => {
  const { cell, source, across, along, count, k, packed, free, registers } = locals;
  const [valid, base, p, length, out, from, j, row, to, w, block] = free;
  const bytes = 4 * width;
  const vectors = vectorsOf(width);

  /** Four places at a time where neighbours lie along the inner dimension. */
  const tiles: Code = loopWhile(i32.atMost(i32.add(get(j), i32.constant(4)), get(length)), [
    ...vectors.flatMap((first) => [
      ...set(row, i32.add(get(from), i32.mul(i32.constant(first), get(across)))),
      ...transposeTile(row, across, registers),
      ...storePanelTile(out, 4 * first, bytes, registers),
    ]),
    ...advance(from, i32.constant(16)),
    ...advance(out, i32.constant(4 * bytes)),
    ...advance(j, i32.constant(4)),
  ]);

  /** One place at a time where neighbours lie across. */
  const rows: Code = loopWhile(i32.lessThan(get(j), get(length)), [
    ...vectors.flatMap((first, q) => set(registers[q], v128.load(get(from), 4 * first))),
    ...vectors.flatMap((first, q) => v128.store(get(out), 4 * first, get(registers[q]))),
    ...advance(from, get(along)),
    ...advance(out, i32.constant(bytes)),
    ...advance(j, i32.constant(1)),
  ]);

  /** What is left: single elements, and zeros where there are none. */
  const single: Code = loopWhile(i32.lessThan(get(j), get(length)), [
    ...set(w, i32.constant(0)),
    ...set(row, get(from)),
    ...set(to, get(out)),
    ...loopWhile(i32.lessThan(get(w), i32.constant(width)), [
      ...when(
        i32.lessThan(get(w), get(valid)),
        f32.store(get(to), 0, f32.load(get(row), 0)),
        f32.store(get(to), 0, f32.constant(0)),
      ),
      ...advance(row, get(across)),
      ...advance(to, i32.constant(4)),
      ...advance(w, i32.constant(1)),
    ]),
    ...advance(from, get(along)),
    ...advance(out, i32.constant(bytes)),
    ...advance(j, i32.constant(1)),
  ]);

  return [
    ...set(w, i32.mul(get(cell), i32.constant(width))),
    ...setLesser(valid, i32.sub(get(count), get(w)), i32.constant(width)),
    ...set(base, i32.add(get(source), i32.mul(get(w), get(across)))),
    ...set(block, get(packed)),
    ...set(p, i32.constant(0)),
    ...loopWhile(i32.lessThan(get(p), get(k)), [
      ...setLesser(length, i32.sub(get(k), get(p)), i32.constant(depth)),
      ...set(out, i32.add(get(block), i32.mul(get(cell), i32.mul(i32.constant(bytes), get(length))))),
      ...set(from, i32.add(get(base), i32.mul(get(p), get(along)))),
      ...set(j, i32.constant(0)),
      ...when(i32.atMost(i32.constant(width), get(valid)), when(i32.equal(get(along), i32.constant(4)), tiles, rows)),
      ...single,
      ...advance(block, i32.mul(upTo(width, get(count)), i32.mul(i32.constant(4), get(length)))),
      ...advance(p, i32.constant(depth)),
    ]),
  ];
};
