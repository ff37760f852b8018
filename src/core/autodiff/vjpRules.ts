/**
 * VJP rules: for every primitive, how the cotangent of the result becomes the cotangent of each operand.
 *
 * A rule returns one function per operand instead of all cotangents at once: operands are constants more often than
 * not (inputs, targets, masks), and then their function is never called.
 *
 * @module
 */
import type { Ops } from '../ops/ops.ts';
import type { BinaryKind, Transposes, UnaryKind } from '../ops/primitives.ts';
import type { Window } from '../ops/window.ts';
import type { Shape, Shaped } from '../tensor.ts';
import { groupsOf } from '../ops/shapes.ts';
import { keptShape, winnerShare } from '../ops/ties.ts';

/** From the cotangent of a result to that of one operand, in the operand's shape. */
export type Pull<T> = (cotangent: T) => T;

type Pulls<T> = ReadonlyArray<Pull<T>>;

// Rules that need an operand's shape alone take it out first, so that the tape does not keep the operand's values.
const binaryPulls: Record<BinaryKind, <T extends Shaped>(ops: Ops<T>, a: T, b: T, y: T) => Pulls<T>> = {
  add: (ops, { shape: left }, { shape: right }) => [(g) => ops.sumTo(g, left), (g) => ops.sumTo(g, right)],
  sub: (ops, { shape: left }, { shape: right }) => [(g) => ops.sumTo(g, left), (g) => ops.neg(ops.sumTo(g, right))],
  mul: (ops, a, b) => [(g) => ops.sumTo(ops.mul(g, b), a.shape), (g) => ops.sumTo(ops.mul(g, a), b.shape)],
  // −g a / b² = −(g y) / b, and b is the same along every axis that is summed.
  div: (ops, a, b, y) => [
    (g) => ops.sumTo(ops.div(g, b), a.shape),
    (g) => ops.neg(ops.div(ops.sumTo(ops.mul(g, y), b.shape), b)),
  ],
  max: (ops, a, b) => [
    (g) => ops.sumTo(ops.mul(g, winnerShare(ops, a, b)), a.shape),
    (g) => ops.sumTo(ops.mul(g, winnerShare(ops, b, a)), b.shape),
  ],
  min: (ops, a, b) => [
    (g) => ops.sumTo(ops.mul(g, winnerShare(ops, b, a)), a.shape),
    (g) => ops.sumTo(ops.mul(g, winnerShare(ops, a, b)), b.shape),
  ],
  greater: () => [],
  equal: () => [],
};

const inversePermutation = (permutation: ReadonlyArray<number>): ReadonlyArray<number> =>
  permutation.map((_, axis) => permutation.indexOf(axis));

/** The rules of every primitive that has a derivative, by name; the order of the functions is that of the operands. */
export interface VjpRules<T> {
  readonly matmul: (a: T, b: T, transposes: Transposes) => Pulls<T>;
  /** Of x, the weight and the bias, whether there is one or not. */
  readonly affine: (x: T, weight: T) => Pulls<T>;
  readonly gram: (x: T) => Pulls<T>;
  /** Empty for functions that are constant almost everywhere. */
  readonly unary: (kind: UnaryKind, x: T, y: T) => Pulls<T>;
  /** Empty for comparisons. */
  readonly binary: (kind: BinaryKind, a: T, b: T, y: T) => Pulls<T>;
  /** Of the two alternatives; the condition has no derivative. */
  readonly select: (condition: T, a: Shape, b: Shape) => Pulls<T>;
  readonly sum: (x: Shape, axes: ReadonlyArray<number>) => Pulls<T>;
  readonly max: (x: T, y: T, axes: ReadonlyArray<number>) => Pulls<T>;
  readonly reshape: (x: Shape) => Pulls<T>;
  readonly transpose: (permutation: ReadonlyArray<number>) => Pulls<T>;
  readonly broadcastTo: (x: Shape) => Pulls<T>;
  readonly concat: (shapes: ReadonlyArray<Shape>, axis: number) => Pulls<T>;
  readonly slice: (x: Shape, begin: ReadonlyArray<number>) => Pulls<T>;
  readonly pad: (x: Shape, begin: ReadonlyArray<number>) => Pulls<T>;
  readonly gather: (x: Shape, indices: T) => Pulls<T>;
  /** Of the updates; indices have no derivative. */
  readonly scatterAdd: (indices: T) => Pulls<T>;
  readonly patches: (images: Shape, window: Window) => Pulls<T>;
  readonly unpatches: (window: Window) => Pulls<T>;
  readonly convolve: (images: T, filters: T, window: Window) => Pulls<T>;
  readonly convolveTransposed: (outputs: T, filters: T, window: Window, images: Shape) => Pulls<T>;
  readonly correlate: (images: T, outputs: T, window: Window) => Pulls<T>;
}

/**
 * The VJP rules in terms of an interpreter's operations.
 *
 * @param ops - interpreter that computes the cotangents; one that differentiates gives higher derivatives
 */
export const vjpRules = <T extends Shaped>(ops: Ops<T>): VjpRules<T> => ({
  // C = A B: dA = G Bᵀ, dB = Aᵀ G. A transposed operand gets the transpose of its cotangent: (G Bᵀ)ᵀ = B Gᵀ.
  matmul: (a, b, { transposeA = false, transposeB = false }) => [
    (g) =>
      transposeA
        ? ops.matmul(b, g, { transposeA: transposeB, transposeB: true })
        : ops.matmul(g, b, { transposeB: !transposeB }),
    (g) =>
      transposeB
        ? ops.matmul(g, a, { transposeA: true, transposeB: transposeA })
        : ops.matmul(a, g, { transposeA: !transposeA }),
  ],
  affine: (x, weight) => [
    (g) => ops.matmul(g, weight),
    (g) => ops.matmul(g, x, { transposeA: true }),
    (g) => ops.sum(g, [0]),
  ],
  // S = xᵀx: ⟨G, dxᵀx + xᵀdx⟩ = ⟨x (G + Gᵀ), dx⟩.
  gram: (x) => [(g) => ops.matmul(x, ops.add(g, ops.transposed(g)))],
  unary: (kind, x, y) => (kind === 'sign' || kind === 'step' ? [] : [(g) => ops.unaryVjp(kind, x, y, g)]),
  binary: (kind, a, b, y) => binaryPulls[kind](ops, a, b, y),
  select: (condition, a, b) => [
    (g) => ops.sumTo(ops.select(condition, g, ops.full([], 0)), a),
    (g) => ops.sumTo(ops.select(condition, ops.full([], 0), g), b),
  ],
  sum: (x, axes) => [(g) => ops.broadcastTo(ops.reshape(g, keptShape(x, axes)), x)],
  max: (x, y, axes) => [(g) => ops.maxVjp(x, y, axes, g)],
  reshape: (x) => [(g) => ops.reshape(g, x)],
  transpose: (permutation) => [(g) => ops.transpose(g, inversePermutation(permutation))],
  broadcastTo: (x) => [(g) => ops.sumTo(g, x)],
  concat: (shapes, axis) => {
    const starts = shapes.map((_, i) => shapes.slice(0, i).reduce((start, shape) => start + shape[axis], 0));
    return shapes.map((shape, i) => (g) => {
      const begin = shape.map((_, at) => (at === axis ? starts[i] : 0));
      return ops.slice(g, begin, shape);
    });
  },
  slice: (x, begin) => [(g) => ops.pad(g, begin, x)],
  pad: (x, begin) => [(g) => ops.slice(g, begin, x)],
  gather: (x, indices) => [(g) => ops.scatterAdd(indices, g, x[0])],
  scatterAdd: (indices) => [(g) => ops.gather(g, indices)],
  patches: (images, window) => [(g) => ops.unpatches(g, window, images)],
  unpatches: (window) => [(g) => ops.patches(g, window)],
  // ⟨g, convolve(x, W)⟩ is linear in each of g, x and W, and the three operations are its derivatives by them.
  convolve: (images, filters, window) => {
    const { shape } = images;
    const groups = groupsOf(shape, filters.shape, window);
    return [(g) => ops.convolveTransposed(g, filters, window, shape), (g) => ops.correlate(images, g, window, groups)];
  },
  convolveTransposed: (outputs, filters, window, images) => {
    const groups = groupsOf(images, filters.shape, window);
    return [(g) => ops.convolve(g, filters, window), (g) => ops.correlate(g, outputs, window, groups)];
  },
  correlate: (images, outputs, window) => {
    const { shape } = images;
    return [(g) => ops.convolveTransposed(outputs, g, window, shape), (g) => ops.convolve(images, g, window)];
  },
});
