/**
 * The vector kernels as functions of addresses and numbers.
 *
 * @module
 */
import type { PointwiseName, RowwiseName } from './module.ts';
import type { SelectForm } from './select.ts';

/** `out = f(a, b)` for elements of some bytes, with two numbers. Operands are addresses. */
export type Pointwise = (a: number, b: number, out: number, bytes: number, s: number, t: number) => void;

/** The same for rows of some bytes; those of the operands begin so many bytes apart. */
export type Rowwise = (
  a: number,
  b: number,
  out: number,
  bytes: number,
  rows: number,
  stepA: number,
  stepB: number,
) => void;

/** Chooses between rows of some bytes; those of the operands begin so many bytes apart. */
export type Choosing = (
  condition: number,
  a: number,
  b: number,
  out: number,
  bytes: number,
  rows: number,
  stepCondition: number,
  stepA: number,
  stepB: number,
) => void;

/** Gathers or scatters `count` rows of some bytes, at indices below `rows`. */
type Indexed = (x: number, indices: number, out: number, bytes: number, count: number, rows: number) => void;

/** Reduces `rows` rows of some bytes in each of `blocks`. */
type Middle = (a: number, out: number, bytes: number, rows: number, blocks: number) => void;

/** Rows of some bytes in three loops, with the bytes of each loop's step in `a` and in `out`. */
type BlocksOf = (
  a: number,
  out: number,
  bytes: number,
  ...countsAndSteps: readonly [...Triple, ...Triple, ...Triple]
) => void;

type Triple = readonly [number, number, number];

/** Reduces the axis in the middle of `a`, as told by `y` and `c`. */
type MiddleVjp = (a: number, y: number, c: number, out: number, bytes: number, rows: number, blocks: number) => void;

/** Exponentials of rows of some bytes, and their sums. */
type RowExponentials = (
  a: number,
  b: number,
  out: number,
  sums: number,
  bytes: number,
  rows: number,
  lanes: number,
) => void;

/** Sums over a matrix with rows of some bytes. */
type Sums = (a: number, out: number, bytes: number, rows: number) => void;

/** A kernel of addresses and numbers, in the order that is said of it. */
type Addressed = (...operands: ReadonlyArray<number>) => void;

/** The kernels, on addresses of one memory or of several. */
export interface VectorFunctions {
  readonly pointwise: Readonly<Record<PointwiseName, Pointwise>>;
  readonly rowwise: Readonly<Record<RowwiseName, Rowwise>>;
  readonly sum: (a: number, bytes: number) => number;
  readonly dot: (a: number, b: number, bytes: number) => number;
  readonly rowSums: Sums;
  /** Reduce the axis in the middle of an array of rows of some bytes. */
  readonly middleSums: Middle;
  /** The same in 64 bits, with room for a multiple of four in rows of the result. */
  readonly middleSumsWide: Middle;
  readonly middleMaxima: Middle;
  readonly middleMaximaVjp: MiddleVjp;
  /** Copies rows. */
  readonly copyBlocks: BlocksOf;
  /** Adds rows to those that are there. */
  readonly addBlocks: BlocksOf;
  /** Writes the transpose of a matrix with at least four rows and columns, as far as rows from the first to the end make it. */
  readonly transpose: (a: number, out: number, rows: number, columns: number, first: number, end: number) => void;
  /** Copies the lower triangle of a matrix of order n, whose rows begin so many bytes apart, onto the upper one. */
  readonly mirrorLower: (a: number, n: number, stride: number) => void;
  readonly rowMaxima: Sums;
  /** Exponentials of rows less a number each, with sums of those that are not 1 and the number of the others. */
  readonly rowExponentials: RowExponentials;
  /** Rows of some bytes less their sums with another's, times themselves: y, c, out, bytes, rows. */
  readonly softmaxRowsVjp: Addressed;
  /** Operands a, out, means, variances, bytes, rows, count of elements in a row, ε. */
  readonly standardiseRows: Addressed;
  /** Operands c, y, variances, out, bytes, rows, count of elements in a row, ε. */
  readonly standardiseRowsVjp: Addressed;
  /** Sums of distances and of their squares: a, c, first, second, bytes, rows. */
  readonly columnMoments: Addressed;
  /** Sums and sums of products: a, b, first, second, bytes, rows. */
  readonly columnProducts: Addressed;
  /** Operands a, rough, rest, factor, out, bytes, rows. */
  readonly standardiseColumns: Addressed;
  /** Operands c, y, mean, along, factor, out, bytes, rows. */
  readonly standardiseColumnsVjp: Addressed;
  /** See their definitions for the operands. */
  readonly convolveWindows: Addressed;
  readonly correlateWindows: Addressed;
  readonly select: Readonly<Record<`select.${SelectForm}`, Choosing>>;
  readonly gatherRows: Indexed;
  /** Adds rows where they are scattered to. */
  readonly scatterRows: Indexed;
}
