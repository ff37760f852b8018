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

/** From the cotangent of a result to that of one operand, in the operand's shape, by the operations that it is given. */
export type Pull<T extends Shaped> = (ops: Ops<T>, cotangent: T) => T;

type Pulls<T extends Shaped> = ReadonlyArray<Pull<T>>;

// Rules that need an operand's shape alone take it out first, so that the tape does not keep the operand's values.
const binaryPulls: Record<BinaryKind, <T extends Shaped>(a: T, b: T, y: T) => Pulls<T>> = {
  add: ({ shape: left }, { shape: right }) => [(ops, g) => ops.sumTo(g, left), (ops, g) => ops.sumTo(g, right)],
  sub: ({ shape: left }, { shape: right }) => [
    (ops, g) => ops.sumTo(g, left),
    (ops, g) => ops.neg(ops.sumTo(g, right)),
  ],
  mul: (a, b) => [(ops, g) => ops.sumTo(ops.mul(g, b), a.shape), (ops, g) => ops.sumTo(ops.mul(g, a), b.shape)],
  // −g a / b² = −(g y) / b, and b is the same along every axis that is summed.
  div: (a, b, y) => [
    (ops, g) => ops.sumTo(ops.div(g, b), a.shape),
    (ops, g) => ops.neg(ops.div(ops.sumTo(ops.mul(g, y), b.shape), b)),
  ],
  max: (a, b) => [
    (ops, g) => ops.sumTo(ops.mul(g, winnerShare(ops, a, b)), a.shape),
    (ops, g) => ops.sumTo(ops.mul(g, winnerShare(ops, b, a)), b.shape),
  ],
  min: (a, b) => [
    (ops, g) => ops.sumTo(ops.mul(g, winnerShare(ops, b, a)), a.shape),
    (ops, g) => ops.sumTo(ops.mul(g, winnerShare(ops, a, b)), b.shape),
  ],
  greater: () => [],
  equal: () => [],
};

const inversePermutation = (permutation: ReadonlyArray<number>): ReadonlyArray<number> =>
  permutation.map((_, axis) => permutation.indexOf(axis));

/** The rules of every primitive that has a derivative, by name; the order of the functions is that of the operands. */
export interface VjpRules<T extends Shaped> {
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

/** The VJP rules. An interpreter that differentiates, given to a rule's functions, makes higher derivatives of them. */
export const vjpRules = <T extends Shaped>(): VjpRules<T> => ({
  // C = A B: dA = G Bᵀ, dB = Aᵀ G. A transposed operand gets the transpose of its cotangent: (G Bᵀ)ᵀ = B Gᵀ.
  matmul: (a, b, { transposeA = false, transposeB = false }) => [
    (ops, g) =>
      transposeA
        ? ops.matmul(b, g, { transposeA: transposeB, transposeB: true })
        : ops.matmul(g, b, { transposeB: !transposeB }),
    (ops, g) =>
      transposeB
        ? ops.matmul(g, a, { transposeA: true, transposeB: transposeA })
        : ops.matmul(a, g, { transposeA: !transposeA }),
  ],
  affine: (x, weight) => [
    (ops, g) => ops.matmul(g, weight),
    (ops, g) => ops.matmul(g, x, { transposeA: true }),
    (ops, g) => ops.sum(g, [0]),
  ],
  // S = xᵀx: ⟨G, dxᵀx + xᵀdx⟩ = ⟨x (G + Gᵀ), dx⟩.
  gram: (x) => [(ops, g) => ops.matmul(x, ops.add(g, ops.transposed(g)))],
  unary: (kind, x, y) => (kind === 'sign' || kind === 'step' ? [] : [(ops, g) => ops.unaryVjp(kind, x, y, g)]),
  binary: (kind, a, b, y) => binaryPulls[kind](a, b, y),
  select: (condition, a, b) => [
    (ops, g) => ops.sumTo(ops.select(condition, g, ops.full([], 0)), a),
    (ops, g) => ops.sumTo(ops.select(condition, ops.full([], 0), g), b),
  ],
  sum: (x, axes) => [(ops, g) => ops.broadcastTo(ops.reshape(g, keptShape(x, axes)), x)],
  max: (x, y, axes) => [(ops, g) => ops.maxVjp(x, y, axes, g)],
  reshape: (x) => [(ops, g) => ops.reshape(g, x)],
  transpose: (permutation) => [(ops, g) => ops.transpose(g, inversePermutation(permutation))],
  broadcastTo: (x) => [(ops, g) => ops.sumTo(g, x)],
  concat: (shapes, axis) => {
    const starts = shapes.map((_, i) => shapes.slice(0, i).reduce((start, shape) => start + shape[axis], 0));
    return shapes.map((shape, i) => (ops, g) => {
      const begin = shape.map((_, at) => (at === axis ? starts[i] : 0));
      return ops.slice(g, begin, shape);
    });
  },
  slice: (x, begin) => [(ops, g) => ops.pad(g, begin, x)],
  pad: (x, begin) => [(ops, g) => ops.slice(g, begin, x)],
  gather: (x, indices) => [(ops, g) => ops.scatterAdd(indices, g, x[0])],
  scatterAdd: (indices) => [(ops, g) => ops.gather(g, indices)],
  patches: (images, window) => [(ops, g) => ops.unpatches(g, window, images)],
  unpatches: (window) => [(ops, g) => ops.patches(g, window)],
  // ⟨g, convolve(x, W)⟩ is linear in each of g, x and W, and the three operations are its derivatives by them.
  convolve: (images, filters, window) => {
    const { shape } = images;
    const groups = groupsOf(shape, filters.shape, window);
    return [
      (ops, g) => ops.convolveTransposed(g, filters, window, shape),
      (ops, g) => ops.correlate(images, g, window, groups),
    ];
  },
  convolveTransposed: (outputs, filters, window, images) => {
    const groups = groupsOf(images, filters.shape, window);
    return [(ops, g) => ops.convolve(g, filters, window), (ops, g) => ops.correlate(g, outputs, window, groups)];
  },
  correlate: (images, outputs, window) => {
    const { shape } = images;
    return [(ops, g) => ops.convolveTransposed(outputs, g, window, shape), (ops, g) => ops.convolve(images, g, window)];
  },
});
