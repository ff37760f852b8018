/**
 * Default implementations of the derived operations, and the derivatives of the elementwise functions.
 *
 * Defaults call each other through `self`, so an interpreter that overrides `scale` speeds up everything built on it.
 *
 * @module
 */
import type { Shaped } from '../tensor.ts';
import { generate, sizeOf } from '../tensor.ts';
import { axesOf, patchesShape, raisedAxes } from './shapes.ts';
import type { Derived, Ops } from './ops.ts';
import { fewestElements, sumsOfParts } from './parts.ts';
import type { Primitives, UnaryKind } from './primitives.ts';
import { pullStandardised, standardise } from './standardise.ts';
import { pullByMaximum } from './ties.ts';

/** Beyond ±40 the bell is 0 in every precision, and 0 times infinity is no number. */
const bounded = <T extends Shaped>(ops: Ops<T>, x: T): T =>
  ops.maximum(ops.minimum(x, ops.full([], 40)), ops.full([], -40));

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
  normalCdf: (ops, x) => ops.scale(1 / Math.sqrt(2 * Math.PI), ops.exp(ops.scale(-0.5, ops.square(x)))),
  gelu: (ops, x) => ops.add(ops.normalCdf(x), ops.mul(bounded(ops, x), unaryDerivative(ops, 'normalCdf', x, x))),
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

/** Σ over the last axis, kept as an axis. */
const sumOfLast = <T extends Shaped>(p: Primitives<T>, x: T): T =>
  p.reshape(p.sum(x, [x.shape.length - 1]), [...x.shape.slice(0, -1), 1]);

/**
 * The cotangent of x where y = softmax x over the last axis: y ⊙ (c − Σ y c).
 *
 * @param ops - interpreter
 * @param y - the shares
 * @param cotangent - c, of y
 */
export const pullSoftmax = <T extends Shaped>(ops: Ops<T>, y: T, cotangent: T): T =>
  ops.mul(y, ops.sub(cotangent, sumOfLast(ops, ops.mul(y, cotangent))));

/** The maximum over the last axis, kept as an axis and constant: 0 where there is none. */
const topOf = <T extends Shaped>(p: Primitives<T>, x: T): T => {
  const constant = p.stopGradient(x);
  return p.reshape(finiteOr0(p, p.max(constant, [x.shape.length - 1])), [...x.shape.slice(0, -1), 1]);
};

/**
 * x − m and log Σ e^(x − m) over the last axis, with the maximum m; −∞ where all elements are −∞.
 *
 * Where one element is far above the others, log Σ is as small as their share, and Σ = 1 + u does not hold u: it is
 * summed without the ones, and what the sum has lost of it, δ = u − (Σ − 1), is added to the logarithm as δ / Σ. (With k
 * elements at the maximum, Σ = k + u.) The correction has no derivative but errors of rounding, so it is a constant.
 */
const logarithmOfSum = <T extends Shaped>(
  p: Primitives<T>,
  ops: Ops<T>,
  x: T,
): { readonly top: T; readonly shifted: T; readonly logSum: T } => {
  const top = topOf(p, x);
  const shifted = ops.sub(x, top);
  const ones = ops.equal(p.stopGradient(shifted), p.full([], 0));
  const others = sumOfLast(p, ops.sub(ops.exp(shifted), ones));
  const count = sumOfLast(p, ones);
  const sum = ops.add(count, others);
  // Of nothing, or of −∞ only, the sum is 0; a derivative of the logarithm there would be ∞ times 0.
  const safe = p.select(sum, sum, p.full([], 1));
  const [u, total] = [p.stopGradient(others), p.stopGradient(safe)];
  const lost = ops.div(ops.sub(u, ops.sub(total, count)), total);
  return { top, shifted, logSum: p.select(sum, ops.add(ops.log(safe), lost), p.full([], -Infinity)) };
};

/** The largest number that 32 bits hold. */
const LARGEST = 3.4028234663852886e38;

/** y x, with 0 · ∞ = 0; the derivative by y is finite there. */
const share = <T extends Shaped>(ops: Ops<T>, y: T, x: T): T =>
  ops.mul(y, ops.select(y, x, ops.minimum(x, ops.full([], LARGEST))));

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
  normalCdf: (x) => p.unary('normalCdf', x),
  gelu: (x) => p.unary('gelu', x),
  sigmoidMinus: (x, y) => {
    const ops = self();
    const rest = ops.sub(p.full([], 1), y);
    return ops.sub(ops.mul(rest, ops.sigmoid(x)), ops.mul(y, ops.sigmoid(ops.neg(x))));
  },
  // No form with max(x, 0) and |x|: their derivatives at 0 are one-sided.
  sigmoidCrossEntropy: (x, y) => {
    const ops = self();
    const rest = ops.sub(p.full([], 1), y);
    return ops.add(share(ops, y, ops.softplus(ops.neg(x))), share(ops, rest, ops.softplus(x)));
  },
  scale: (c, x) => p.binary('mul', p.full([], c), x),
  linearCombination: (a, x, b, y) => {
    const ops = self();
    return ops.add(ops.scale(a, x), ops.scale(b, y));
  },
  combineWithSquare: (a, x, b, y) => {
    const ops = self();
    return ops.linearCombination(a, x, b, ops.square(y));
  },
  overRoot: (x, c, y, d) => {
    const ops = self();
    return ops.div(x, ops.add(ops.scale(c, ops.sqrt(y)), p.full([], d)));
  },
  unaryVjp: (kind, x, y, cotangent) => {
    const ops = self();
    return ops.mul(cotangent, unaryDerivative(ops, kind, x, y));
  },
  maxVjp: (x, y, axes, cotangent) => pullByMaximum(self(), x, y, axes, cotangent),
  standardised: (x, axes, epsilon) => standardise(self(), x, axes, epsilon),
  standardisedVjp: (y, variance, axes, epsilon, cotangent) =>
    pullStandardised(self(), y, variance, axes, epsilon, cotangent),
  softmaxVjp: (y, cotangent) => pullSoftmax(self(), y, cotangent),
  addDiagonal: (m, c) => {
    const ops = self();
    return ops.add(m, ops.scale(c, p.constant(identityMask(m.shape[0]))));
  },
  trace: (m) => p.sum(p.select(p.constant(identityMask(m.shape[0])), m, p.full([], 0)), [0, 1]),
  dot: (x, y) => p.sum(p.binary('mul', x, y), axesOf(x.shape)),
  dots: (xs, ys) => {
    const ops = self();
    return xs.length === 0
      ? p.full([], 0)
      : xs.map((x, i) => ops.dot(x, ys[i])).reduce((sum, term) => ops.add(sum, term));
  },
  mean: (x, axes) => {
    const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
    // A quotient, so that the mean of equal numbers is that number wherever their sum is exact.
    return self().div(p.sum(x, axes), p.full([], count));
  },
  transposed: (m) => p.transpose(m, [1, 0]),
  logSumExp: (x) => {
    const { top, logSum } = logarithmOfSum(p, self(), x);
    const shape = x.shape.slice(0, -1);
    return self().add(p.reshape(logSum, shape), p.reshape(top, shape));
  },
  // Not through the logarithm: that would cost digits in proportion to its size.
  softmax: (x) => {
    const ops = self();
    const exponentials = ops.exp(ops.sub(x, topOf(p, x)));
    const sum = sumOfLast(p, exponentials);
    return ops.div(exponentials, p.select(sum, sum, p.full([], 1)));
  },
  logSoftmax: (x) => {
    const ops = self();
    const { shifted, logSum } = logarithmOfSum(p, ops, x);
    return ops.sub(shifted, finiteOr0(p, logSum));
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
  patchGram: (images, window, weights, homogeneous) => {
    const [n, oh, ow, length] = patchesShape(images.shape, window);
    const places = oh * ow;
    const gramOf = (ops: Ops<T>, some: T, count: number, theirs: T | null): T => {
      const rows = ops.reshape(ops.patches(some, window), [count * places, length]);
      const whole = homogeneous ? ops.withOnes(rows) : rows;
      return ops.gram(theirs === null ? whole : ops.mul(ops.sqrt(theirs), whole));
    };
    // As many images at a time as leave what is made of their patches as large as all images are.
    const most = Math.max(fewestElements, sizeOf(images.shape));
    const arrays = 1 + (homogeneous ? 1 : 0) + (weights === null ? 0 : 1);
    const count = Math.max(1, Math.floor(most / (arrays * places * (length + 1) + sizeOf(images.shape) / n)));
    if (n === 0 || count >= n) return gramOf(self(), images, n, weights);
    return sumsOfParts(self(), n, count, (ops, begin, size) => {
      const some = ops.slice(images, [begin, 0, 0, 0], [size, ...images.shape.slice(1)]);
      const theirs = weights === null ? null : ops.slice(weights, [begin * places, 0], [size * places, 1]);
      return { gram: gramOf(ops, some, size, theirs) };
    })['gram'];
  },
  whole: (arrays) => arrays,
  addedUp: (arrays) => arrays,
  addingUp: (arrays) => arrays,
  within: (run) => run(self())[0],
});
