/**
 * Operands of products packed into panels, as vector code: a few rows of op(A), or columns of op(B), beside each other, in the
 * order in which the kernel reads them.
 *
 * A run of the inner dimension is padded with zeros to a multiple of four, a panel to its width, so that the kernel knows no
 * edges. Whichever way round an operand is stored, its elements are neighbours along the panel or across it.
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

/** A multiple of a power of two from a value on. */
export const upTo = (multiple: number, value: Code): Code =>
  i32.and(i32.add(value, i32.constant(multiple - 1)), i32.constant(-multiple));

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
  /** i32, used freely: at least twelve. */
  readonly free: ReadonlyArray<number>;
  /** v128, used freely: eight. */
  readonly registers: ReadonlyArray<number>;
}

/** Stores a transposed tile into a panel, four rows of it. */
const storePanelTile = (out: number, offset: number, bytes: number, registers: ReadonlyArray<number>): Code =>
  tileRows(registers).flatMap((row, i) => v128.store(get(out), offset + i * bytes, row));

/** Packs one panel: `packed[run][panel][p][w] = source[w across + p along]` for w below the width. */
export const packPanel = (width: 4 | 8, locals: PackLocals): Code => {
  const { cell, source, across, along, count, k, packed, free, registers } = locals;
  const [valid, base, p, length, padded, out, from, j, row, to, w, block] = free;
  const bytes = 4 * width;
  const [x0, x1] = registers;

  /** Four places at a time where neighbours lie along the inner dimension. */
  const tiles: Code = loopWhile(i32.atMost(i32.add(get(j), i32.constant(4)), get(length)), [
    ...Array.from({ length: width / 4 }, (_, part) => [
      ...set(row, i32.add(get(from), i32.mul(i32.constant(4 * part), get(across)))),
      ...transposeTile(row, across, registers),
      ...storePanelTile(out, 16 * part, bytes, registers),
    ]).flat(),
    ...advance(from, i32.constant(16)),
    ...advance(out, i32.constant(4 * bytes)),
    ...advance(j, i32.constant(4)),
  ]);

  /** One place at a time where neighbours lie across. */
  const rows: Code = loopWhile(i32.lessThan(get(j), get(length)), [
    ...set(x0, v128.load(get(from), 0)),
    ...(width === 8 ? set(x1, v128.load(get(from), 16)) : []),
    ...v128.store(get(out), 0, get(x0)),
    ...(width === 8 ? v128.store(get(out), 16, get(x1)) : []),
    ...advance(from, get(along)),
    ...advance(out, i32.constant(bytes)),
    ...advance(j, i32.constant(1)),
  ]);

  /** What is left: single elements, and zeros where there are none. */
  const single: Code = loopWhile(i32.lessThan(get(j), get(padded)), [
    ...set(w, i32.constant(0)),
    ...set(row, get(from)),
    ...set(to, get(out)),
    ...loopWhile(i32.lessThan(get(w), i32.constant(width)), [
      ...when(
        i32.lessThan(get(w), get(valid)),
        when(i32.lessThan(get(j), get(length)), f32.store(get(to), 0, f32.load(get(row), 0)), f32.store(get(to), 0, f32.constant(0))), // prettier-ignore
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
      ...set(padded, upTo(4, get(length))),
      ...set(out, i32.add(get(block), i32.mul(get(cell), i32.mul(i32.constant(bytes), get(padded))))),
      ...set(from, i32.add(get(base), i32.mul(get(p), get(along)))),
      ...set(j, i32.constant(0)),
      ...when(i32.atMost(i32.constant(width), get(valid)), when(i32.equal(get(along), i32.constant(4)), tiles, rows)),
      ...single,
      ...advance(block, i32.mul(upTo(width, get(count)), i32.mul(i32.constant(4), get(padded)))),
      ...advance(p, i32.constant(depth)),
    ]),
  ];
};
