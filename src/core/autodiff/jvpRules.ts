/**
 * JVP rules: for every primitive, the tangent of the result from those of the operands.
 *
 * A tangent of `null` is zero and costs nothing; every rule keeps it so, and an operation on constants stays constant.
 *
 * @module
 */
import type { Ops } from '../ops/ops.ts';
import type { BinaryKind, Transposes, UnaryKind } from '../ops/primitives.ts';
import type { Shape, Shaped } from '../tensor.ts';
import { sameShape } from '../tensor.ts';
import { winnerShare } from '../ops/ties.ts';

/** A value with its derivative in one direction; the tangent has the shape of the value, or is `null` for zero. */
export interface Dual<T> extends Shaped {
  readonly primal: T;
  readonly tangent: T | null;
}

const fit = <T extends Shaped>(ops: Ops<T>, x: T, shape: Shape): T =>
  sameShape(x.shape, shape) ? x : ops.broadcastTo(x, shape);

/** f(x), or `null` for `null`: the tangent of a linear function. */
export const linear = <T>(x: T | null, f: (x: T) => T): T | null => (x === null ? null : f(x));

const plus = <T extends Shaped>(ops: Ops<T>, x: T | null, y: T | null): T | null =>
  x === null ? y : y === null ? x : ops.add(x, y);

const minus = <T extends Shaped>(ops: Ops<T>, x: T | null, y: T | null): T | null =>
  y === null ? x : x === null ? ops.neg(y) : ops.sub(x, y);

// Up to broadcasting: the tangent of a sum with one constant has the shape of the other operand.
const binaryTangents: Record<BinaryKind, <T extends Shaped>(ops: Ops<T>, a: Dual<T>, b: Dual<T>, y: T) => T | null> = {
  add: (ops, a, b) => plus(ops, a.tangent, b.tangent),
  sub: (ops, a, b) => minus(ops, a.tangent, b.tangent),
  mul: (ops, a, b) =>
    plus(
      ops,
      linear(a.tangent, (da) => ops.mul(da, b.primal)),
      linear(b.tangent, (db) => ops.mul(a.primal, db)),
    ),
  // (da − y db) / b
  div: (ops, a, b, y) =>
    linear(
      minus(
        ops,
        a.tangent,
        linear(b.tangent, (db) => ops.mul(y, db)),
      ),
      (numerator) => ops.div(numerator, b.primal),
    ),
  max: (ops, a, b) =>
    plus(
      ops,
      linear(a.tangent, (da) => ops.mul(da, winnerShare(ops, a.primal, b.primal))),
      linear(b.tangent, (db) => ops.mul(db, winnerShare(ops, b.primal, a.primal))),
    ),
  min: (ops, a, b) =>
    plus(
      ops,
      linear(a.tangent, (da) => ops.mul(da, winnerShare(ops, b.primal, a.primal))),
      linear(b.tangent, (db) => ops.mul(db, winnerShare(ops, a.primal, b.primal))),
    ),
  greater: () => null,
  equal: () => null,
};

/** The rules of the primitives that are not linear in one operand; those are their own tangents. */
export interface JvpRules<T> {
  readonly matmul: (a: Dual<T>, b: Dual<T>, transposes: Transposes) => T | null;
  readonly affine: (x: Dual<T>, weight: Dual<T>, bias: Dual<T> | null) => T | null;
  readonly gram: (x: Dual<T>) => T | null;
  readonly unary: (kind: UnaryKind, x: Dual<T>, y: T) => T | null;
  readonly binary: (kind: BinaryKind, a: Dual<T>, b: Dual<T>, y: T) => T | null;
  readonly select: (condition: T, a: Dual<T>, b: Dual<T>, shape: Shape) => T | null;
  readonly max: (x: Dual<T>, y: T, axes: ReadonlyArray<number>) => T | null;
  readonly concat: (xs: ReadonlyArray<Dual<T>>, axis: number) => T | null;
  /** Of an operation f that is linear in each of two operands. */
  readonly bilinear: (x: Dual<T>, y: Dual<T>, f: (x: T, y: T) => T) => T | null;
}

/**
 * The JVP rules in terms of an interpreter's operations.
 *
 * @param ops - interpreter that computes the tangents; one that differentiates gives higher derivatives
 */
export const jvpRules = <T extends Shaped>(ops: Ops<T>): JvpRules<T> => ({
  matmul: (a, b, transposes) =>
    plus(
      ops,
      linear(a.tangent, (da) => ops.matmul(da, b.primal, transposes)),
      linear(b.tangent, (db) => ops.matmul(a.primal, db, transposes)),
    ),
  // dx Wᵀ + x dWᵀ + db, with db as the bias of a product where there is one.
  affine: (x, weight, bias) => {
    const db = bias === null ? null : bias.tangent;
    const { tangent: dx } = x;
    const { tangent: dW } = weight;
    if (dW !== null) {
      return plus(
        ops,
        linear(dx, (moved) => ops.affine(moved, weight.primal, null)),
        ops.affine(x.primal, dW, db),
      );
    }
    return dx === null
      ? linear(db, (moved) => ops.broadcastTo(moved, [x.shape[0], weight.shape[0]]))
      : ops.affine(dx, weight.primal, db);
  },
  // dxᵀ x and its transpose.
  gram: (x) =>
    linear(x.tangent, (dx) => {
      const half = ops.matmul(dx, x.primal, { transposeA: true });
      return ops.add(half, ops.transposed(half));
    }),
  // An elementwise derivative is its own transpose, so the fused VJP serves here too.
  unary: (kind, x, y) =>
    kind === 'sign' || kind === 'step' ? null : linear(x.tangent, (dx) => ops.unaryVjp(kind, x.primal, y, dx)),
  binary: (kind, a, b, y) => linear(binaryTangents[kind](ops, a, b, y), (tangent) => fit(ops, tangent, y.shape)),
  select: (condition, a, b, shape) => {
    if (a.tangent === null && b.tangent === null) return null;
    const zero = ops.full([], 0);
    return fit(ops, ops.select(condition, a.tangent ?? zero, b.tangent ?? zero), shape);
  },
  max: (x, y, axes) =>
    linear(x.tangent, (dx) => {
      const shares = ops.maxVjp(x.primal, y, axes, ops.full(y.shape, 1));
      return ops.sum(ops.mul(shares, dx), axes);
    }),
  bilinear: (x, y, f) =>
    plus(
      ops,
      linear(x.tangent, (dx) => f(dx, y.primal)),
      linear(y.tangent, (dy) => f(x.primal, dy)),
    ),
  concat: (xs, axis) =>
    xs.every(({ tangent }) => tangent === null)
      ? null
      : ops.concat(
          xs.map(({ tangent, shape }) => tangent ?? ops.full(shape, 0)),
          axis,
        ),
});
