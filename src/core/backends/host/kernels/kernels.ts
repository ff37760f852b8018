/**
 * What the host interpreter asks of elementwise kernels: whole loops over typed arrays.
 *
 * A kernel is one loop for one function. Nothing calls a function for each element, and no loop is shared by functions:
 * either would make engines compile it for all of them at once, at several times the cost.
 *
 * @module
 */
import type { BinaryKind, UnaryKind } from '../../../ops/primitives.ts';
import type { ReadonlyVector } from '../../../tensor.ts';
import type { Buffer, Vector } from './precision.ts';

/** `out[i] = f(x[i])` for all elements; `out` may be `x`. */
export type UnaryKernel = (x: ReadonlyVector, out: Vector) => void;

/** `out[to + i] = a[atA + i] ∘ b[atB + i]` for `0 <= i < n`. */
export type PairKernel = (
  a: ReadonlyVector,
  atA: number,
  b: ReadonlyVector,
  atB: number,
  out: Vector,
  to: number,
  n: number,
) => void;

/** `out[to + i] = x[at + i] ∘ s` for `0 <= i < n`, or `s ∘ x[at + i]`. */
export type ScalarKernel = (x: ReadonlyVector, at: number, s: number, out: Vector, to: number, n: number) => void;

/**
 * `out[to + r n + i] = x[atX + r stepX + i] ∘ y[atY + r stepY + i]` for `0 <= r < rows` and `0 <= i < n`; where an argument
 * is fixed within a row it is y, `y[atY + r stepY]`.
 */
export type RowsKernel = (
  x: ReadonlyVector,
  atX: number,
  stepX: number,
  y: ReadonlyVector,
  atY: number,
  stepY: number,
  out: Vector,
  to: number,
  rows: number,
  n: number,
) => void;

/** A function of two arguments, with both varying or one of them fixed. */
export interface BinaryKernel {
  readonly both: PairKernel;
  /** The right argument is fixed. */
  readonly right: ScalarKernel;
  /** The left argument is fixed. */
  readonly left: ScalarKernel;
  readonly rows: RowsKernel;
  /** The right argument is fixed within a row. */
  readonly rowsRight: RowsKernel;
  /** The left argument is fixed within a row: `y ∘ x`. */
  readonly rowsLeft: RowsKernel;
}

/** Functions whose derivative times a cotangent is worth a loop of its own. */
export type VjpKind = 'exp' | 'square' | 'tanh' | 'sigmoid' | 'relu' | 'softplus' | 'normalCdf' | 'gelu';

/** `out = cotangent ⊙ f′(x)` where y = f(x). */
export type VjpKernel = (x: ReadonlyVector, y: ReadonlyVector, cotangent: ReadonlyVector, out: Vector) => void;

/** What a kernel over rows takes: `data[at + r step + i]`, or `data[at + r step]` for a whole row where it does not vary. */
export interface RowsOf {
  readonly data: ReadonlyVector;
  readonly at: number;
  readonly step: number;
  readonly varies: boolean;
}

/** `out[to + r n + i] = condition[r, i] is not 0 ? a[r, i] : b[r, i]` for `0 <= r < rows` and `0 <= i < n`. */
export type SelectKernel = (
  condition: RowsOf,
  a: RowsOf,
  b: RowsOf,
  out: Vector,
  to: number,
  rows: number,
  n: number,
) => void;

/** A function of elements of x and y, with two numbers. */
export type CombiningKernel = (a: number, x: ReadonlyVector, b: number, y: ReadonlyVector, out: Vector) => void;

/** Sums of a matrix `[rows, columns]`. */
export type SumsKernel = (
  x: ReadonlyVector,
  at: number,
  rows: number,
  columns: number,
  out: Vector,
  to: number,
) => void;

/** Reduces the axis in the middle of an array `[blocks, rows, columns]`. */
export type MiddleKernel = (x: ReadonlyVector, blocks: number, rows: number, columns: number, out: Vector) => void;

/** `out[to + r stepOut + i] = x[at + r stepX + i]` for `0 <= r < rows` and `0 <= i < n`, of arrays of one type. */
export type CopyKernel = (
  x: ReadonlyVector,
  at: number,
  stepX: number,
  out: Buffer,
  to: number,
  stepOut: number,
  rows: number,
  n: number,
) => void;

/** A number for each of three loops, the outer one first. */
export type Triple = readonly [number, number, number];

/**
 * `out[to + i·stepsOut + e] = x[at + i·stepsX + e]` for `0 <= i < counts` in three loops, at least one round each, and
 * `0 <= e < n`, of arrays of one type; in order, for rows of the result may overlap.
 */
export type BlocksKernel<Out> = (
  x: ReadonlyVector,
  at: number,
  stepsX: Triple,
  out: Out,
  to: number,
  stepsOut: Triple,
  counts: Triple,
  n: number,
) => void;

/** The loops of an interpreter in one precision. Sums are accumulated in 64 bits. */
export interface Kernels {
  readonly unary: Readonly<Record<UnaryKind, UnaryKernel>>;
  readonly binary: Readonly<Record<BinaryKind, BinaryKernel>>;
  readonly vjp: Readonly<Record<VjpKind, VjpKernel>>;
  /** e^(a − b); in single precision as accurate as if the difference were not rounded. */
  readonly expOfDifference: Pick<BinaryKernel, 'both' | 'right' | 'rowsRight'>;
  /** `out = σ(x) − y`, see `Ops`. */
  readonly sigmoidMinus: (x: ReadonlyVector, y: ReadonlyVector, out: Vector) => void;
  /** `out = softplus(x) − y x`, see `Ops`. */
  readonly sigmoidCrossEntropy: (x: ReadonlyVector, y: ReadonlyVector, out: Vector) => void;
  /** `out = a x + b y`. */
  readonly linearCombination: CombiningKernel;
  /** `out = a x + b y²`. */
  readonly combineWithSquare: CombiningKernel;
  /** `out = x / (a √y + b)`. */
  readonly overRoot: CombiningKernel;
  /** `Σ x[at + i]` for `0 <= i < n`. */
  readonly sum: (x: ReadonlyVector, at: number, n: number) => number;
  /** `Σ x[i] y[i]` over all elements. */
  readonly dot: (x: ReadonlyVector, y: ReadonlyVector) => number;
  /** `out[to + r] = Σ_i x[at + r columns + i]` for `0 <= r < rows`. */
  readonly rowSums: SumsKernel;
  /** Of an array `[blocks, rows, columns]`: `out[b, j] = Σ_r x[b, r, j]`. */
  readonly middleSums: MiddleKernel;
  /** `out[to + r] = max_i x[at + r columns + i]` for `0 <= r < rows`, NaN where there is one; columns are at least 1. */
  readonly rowMaxima: SumsKernel;
  /** Of an array `[blocks, rows, columns]` with at least one row: `out[b, j] = max_r x[b, r, j]`, NaN where there is one. */
  readonly middleMaxima: MiddleKernel;
  /** `out[b, r, j]` = `c[b, j]` over the number of rows where x is the maximum y, in these rows, 0 in others. */
  readonly middleMaximaVjp: (
    x: ReadonlyVector,
    y: ReadonlyVector,
    c: ReadonlyVector,
    blocks: number,
    rows: number,
    columns: number,
    out: Vector,
  ) => void;
  /**
   * `out[r columns + i] = e^(x[r columns + i] − tops[r])` for rows of which `tops` are the maxima, 0 for −∞.
   *
   * @returns for each row the sum, in 64 bits, of all exponentials but one of those that are 1; and that one: 1, 0 where
   *   the row has none, NaN where its maximum is no number or infinite
   */
  readonly rowExponentials: (
    x: ReadonlyVector,
    tops: ReadonlyVector,
    columns: number,
    out: Vector,
  ) => { readonly others: Float64Array; readonly firsts: Float64Array };
  /**
   * Of an array `[blocks, rows, columns]` with at least one row: x less its means over rows, over √(variance + ε), with the means
   * and the variances `[blocks, columns]`.
   */
  readonly standardise: (
    x: ReadonlyVector,
    blocks: number,
    rows: number,
    columns: number,
    epsilon: number,
    out: Vector,
    means: Vector,
    variances: Vector,
  ) => void;
  /** `out = (c − mean c − y mean (y c)) / √(variance + ε)`, means over rows. */
  readonly standardiseVjp: (
    y: ReadonlyVector,
    variances: ReadonlyVector,
    c: ReadonlyVector,
    blocks: number,
    rows: number,
    columns: number,
    epsilon: number,
    out: Vector,
  ) => void;
  /** `out = y (c − Σ y c)` for rows of y and c. */
  readonly softmaxVjp: (y: ReadonlyVector, c: ReadonlyVector, rows: number, columns: number, out: Vector) => void;
  readonly copyRows: CopyKernel;
  /** `out[to + r n + i] = x[at + r step]` for `0 <= r < rows` and `0 <= i < n`, of arrays of one type. */
  readonly spread: (
    x: ReadonlyVector,
    at: number,
    step: number,
    out: Buffer,
    to: number,
    rows: number,
    n: number,
  ) => void;
  readonly copyBlocks: BlocksKernel<Buffer>;
  /** The same, added to what is there. */
  readonly addBlocks: BlocksKernel<Vector>;
  /** `a[c, r] = a[r, c]` for c below r of a matrix of order n, whose rows begin `stride` elements apart. */
  readonly mirrorLower: (n: number, a: Vector, stride: number) => void;
  readonly select: SelectKernel;
  /** `out[i, :] = x[indices[i], :]` with rows of some width, of arrays of one type; NaN where an index is none of `rows`. */
  readonly gatherRows: (x: ReadonlyVector, rows: number, indices: ReadonlyVector, width: number, out: Buffer) => void;
  /** `out[indices[i], :] += x[i, :]` in order, where an index is one of `rows`. */
  readonly scatterRows: (x: ReadonlyVector, indices: ReadonlyVector, width: number, out: Vector, rows: number) => void;
  /** `out[i] = s` for all elements. */
  readonly fill: (out: Buffer, s: number) => void;
  /** `out[to + c rows + r] = x[at + r columns + c]`, of arrays of one type. */
  readonly transpose: (x: ReadonlyVector, at: number, rows: number, columns: number, out: Buffer, to: number) => void;
}
