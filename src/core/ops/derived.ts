/**
 * Default implementations of the derived operations, and the derivatives of the elementwise functions.
 *
 * Defaults call each other through `self`, so an interpreter that overrides `scale` speeds up everything built on it.
 *
 * @module
 */
import type { Shaped } from '../tensor.ts';
import { generate } from '../tensor.ts';
import { axesOf, raisedAxes } from './shapes.ts';
import type { Derived, Ops } from './ops.ts';
import type { Primitives, UnaryKind } from './primitives.ts';

/** f′ of each elementwise function, from its argument x and value y = f(x). Kinks take the derivative of the left. */
const derivatives: Record<UnaryKind, <T extends Shaped>(ops: Ops<T>, x: T, y: T) => T> = {
  neg: (ops, x) => ops.full(x.shape, -1),
  exp: (_, __, y) => y,
  log: (ops, x) => ops.div(ops.full([], 1), x),
  sqrt: (ops, _, y) => ops.div(ops.full([], 0.5), y),
  square: (ops, x) => ops.scale(2, x),
  abs: (ops, x) => ops.unary('sign', x),
  sign: (ops, x) => ops.full(x.shape, 0),
  step: (ops, x) => ops.full(x.shape, 0),
  tanh: (ops, _, y) => ops.sub(ops.full([], 1), ops.square(y)),
  sigmoid: (ops, _, y) => ops.mul(y, ops.sub(ops.full([], 1), y)),
  softplus: (ops, x) => ops.sigmoid(x),
  relu: (ops, x) => ops.unary('step', x),
  erf: (ops, x) => ops.scale(2 / Math.sqrt(Math.PI), ops.exp(ops.neg(ops.square(x)))),
};

/**
 * f′(x) of an elementwise function.
 *
 * @param ops - interpreter
 * @param kind - which function
 * @param x - its argument
 * @param y - its value f(x)
 */
export const unaryDerivative = <T extends Shaped>(ops: Ops<T>, kind: UnaryKind, x: T, y: T): T =>
  derivatives[kind](ops, x, y);

/** x, and 0 in place of −∞, from which −∞ cannot be subtracted. */
const finiteOr0 = <T extends Shaped>(p: Primitives<T>, x: T): T =>
  p.select(p.binary('equal', x, p.full([], -Infinity)), p.full([], 0), x);

const identityMask = (n: number): ReturnType<typeof generate> =>
  generate([n, n], (position) => (position % (n + 1) === 0 ? 1 : 0));

/**
 * The derived operations on top of primitives.
 *
 * @param p - primitives of an interpreter
 * @param self - the completed interpreter, asked for when an operation runs
 */
export const derive = <T extends Shaped>(p: Primitives<T>, self: () => Ops<T>): Derived<T> => ({
  add: (a, b) => p.binary('add', a, b),
  sub: (a, b) => p.binary('sub', a, b),
  mul: (a, b) => p.binary('mul', a, b),
  div: (a, b) => p.binary('div', a, b),
  maximum: (a, b) => p.binary('max', a, b),
  minimum: (a, b) => p.binary('min', a, b),
  greater: (a, b) => p.binary('greater', a, b),
  equal: (a, b) => p.binary('equal', a, b),
  neg: (x) => p.unary('neg', x),
  exp: (x) => p.unary('exp', x),
  log: (x) => p.unary('log', x),
  sqrt: (x) => p.unary('sqrt', x),
  square: (x) => p.unary('square', x),
  abs: (x) => p.unary('abs', x),
  tanh: (x) => p.unary('tanh', x),
  sigmoid: (x) => p.unary('sigmoid', x),
  softplus: (x) => p.unary('softplus', x),
  relu: (x) => p.unary('relu', x),
  erf: (x) => p.unary('erf', x),
  gelu: (x) => {
    const ops = self();
    const phi = ops.scale(0.5, ops.add(ops.full([], 1), ops.erf(ops.scale(Math.SQRT1_2, x))));
    return ops.mul(x, phi);
  },
  scale: (c, x) => p.binary('mul', p.full([], c), x),
  linearCombination: (a, x, b, y) => {
    const ops = self();
    return ops.add(ops.scale(a, x), ops.scale(b, y));
  },
  unaryVjp: (kind, x, y, cotangent) => {
    const ops = self();
    return ops.mul(cotangent, unaryDerivative(ops, kind, x, y));
  },
  addDiagonal: (m, c) => {
    const ops = self();
    return ops.add(m, ops.scale(c, p.constant(identityMask(m.shape[0]))));
  },
  trace: (m) => p.sum(p.select(p.constant(identityMask(m.shape[0])), m, p.full([], 0)), [0, 1]),
  dot: (x, y) => p.sum(p.binary('mul', x, y), axesOf(x.shape)),
  mean: (x, axes) => {
    const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
    return self().scale(1 / count, p.sum(x, axes));
  },
  transposed: (m) => p.transpose(m, [1, 0]),
  logSumExp: (x) => {
    const ops = self();
    const last = x.shape.length - 1;
    const kept = [...x.shape.slice(0, last), 1];
    const top = p.reshape(finiteOr0(p, p.max(p.stopGradient(x), [last])), kept);
    const sum = p.sum(ops.exp(ops.sub(x, top)), [last]);
    // Of nothing, or of −∞ only, the sum is 0; a derivative of the logarithm there would be ∞ times 0.
    const none = ops.equal(sum, p.full([], 0));
    const log = ops.log(p.select(none, p.full([], 1), sum));
    return p.select(none, p.full([], -Infinity), ops.add(log, p.reshape(top, sum.shape)));
  },
  softmax: (x) => self().exp(self().logSoftmax(x)),
  logSoftmax: (x) => {
    const ops = self();
    return ops.sub(x, p.reshape(finiteOr0(p, ops.logSumExp(x)), [...x.shape.slice(0, -1), 1]));
  },
  oneHot: (indices, classes) =>
    p.binary(
      'equal',
      p.reshape(indices, [...indices.shape, 1]),
      p.constant(generate([classes], (position) => position, 'i32')),
    ),
  sumTo: (x, shape) => {
    const axes = raisedAxes(shape, x.shape);
    return axes.length === 0 ? x : p.reshape(p.sum(x, axes), shape);
  },
  withOnes: (x) => p.concat([x, p.full([x.shape[0], 1], 1)], 1),
});
