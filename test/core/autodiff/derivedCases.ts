/**
 * Rows of the derived operations.
 *
 * @module
 */
import fc from 'fast-check';

import { broadcastShape } from '../../../src/core/ops/shapes.ts';
import type { Shape, Tensor } from '../../../src/core/tensor.ts';
import { anyArray, arrayOf, axesAmong, extent, indicesOf, shapeOf, solidShape } from './arrays.ts';
import { unaryKinds } from '../../../src/core/ops/primitives.ts';
import { valuesOfUnary } from './elementwiseCases.ts';
import type { Case } from './rows.ts';
import { onOne, pairOfShapes, row, rowOfTwo, rowWith, setting } from './rows.ts';

/** The VJP of an elementwise function is a function of two arrays itself, which higher derivatives go through. */
const unaryVjp = unaryKinds.map((kind) =>
  rowOfTwo(
    `unaryVjp ${kind}`,
    shapeOf().map((shape) => [shape, shape] as const),
    (ops, x, cotangent) => ops.unaryVjp(kind, x, ops.unary(kind, x), cotangent),
    (spread) => [valuesOfUnary[kind](spread), 'grid'],
  ),
);

const oneHot: Case = {
  name: 'oneHot, times x',
  settings: () =>
    shapeOf(0, 2).chain((shape) =>
      fc
        .record({ x: arrayOf([...shape, 3]), indices: indicesOf(shape, 3) })
        .map(({ x, indices }) => setting({ x }, (ops, p, [i]) => ops.mul(ops.oneHot(i, 3), p['x']), [indices])),
    ),
};

const matrix = fc.tuple(extent, extent);
const square = fc.integer({ min: 1, max: 4 }).map((n): Shape => [n, n]);
const sameShapes = shapeOf().map((shape) => [shape, shape] as const);
const ofShape = (shapes: fc.Arbitrary<Shape>): fc.Arbitrary<Tensor> => shapes.chain((shape) => arrayOf(shape));

const lasting = solidShape(1).map((shape) => [shape, shape] as const);

/** Of each axis: the derivative of a cotangent, which higher derivatives go through. */
const standardisedVjp = [0, 1].map((axis) =>
  rowOfTwo(
    `standardisedVjp over axis ${axis}`,
    solidShape(2).map((shape) => [shape, shape] as const),
    (ops, x, c) => {
      const { values, variance } = ops.standardised(x, [axis], 0.1);
      return ops.standardisedVjp(values, variance, [axis], 0.1, c);
    },
  ),
);

/** Every derived operation that is not a primitive under another name. */
export const derivedCases: ReadonlyArray<Case> = [
  row('gelu', anyArray(), (ops, x) => ops.gelu(x)),
  rowOfTwo('sigmoidMinus', pairOfShapes, (ops, x, y) => ops.sigmoidMinus(x, y)),
  rowOfTwo('sigmoidCrossEntropy', pairOfShapes, (ops, x, y) => ops.sigmoidCrossEntropy(x, y)),
  row('scale', anyArray(), (ops, x) => ops.scale(-1.5, x)),
  rowOfTwo('linearCombination', sameShapes, (ops, a, b) => ops.linearCombination(2, a, -0.5, b)),
  rowOfTwo('combineWithSquare', sameShapes, (ops, a, b) => ops.combineWithSquare(2, a, -0.5, b)),
  // Of numbers from 1 on, where the root has a derivative.
  rowOfTwo('overRoot', sameShapes, (ops, a, b) => ops.overRoot(a, 2, ops.add(ops.square(b), ops.full([], 1)), 0.5)),
  ...unaryVjp,
  row('addDiagonal', ofShape(square), (ops, x) => ops.addDiagonal(x, 0.3)),
  row('trace', ofShape(square), (ops, x) => ops.trace(x)),
  rowOfTwo('dot', sameShapes, (ops, a, b) => ops.dot(a, b)),
  rowOfTwo('dots', sameShapes, (ops, a, b) => ops.dots([a, b, b], [b, b, a])),
  rowWith('mean', solidShape(), axesAmong, (axes) => (ops, x) => ops.mean(x, axes)),
  row('transposed', ofShape(matrix), (ops, x) => ops.transposed(x)),
  row('logSumExp', ofShape(solidShape(1)), (ops, x) => ops.logSumExp(x)),
  row('softmax', ofShape(solidShape(1)), (ops, x) => ops.softmax(x)),
  rowOfTwo('softmaxVjp', lasting, (ops, x, c) => ops.softmaxVjp(ops.softmax(x), c)),
  rowWith('standardised', solidShape(1), axesAmong, (axes) => (ops, x) => ops.standardised(x, axes, 0.1).values),
  rowWith('mean of standardised', solidShape(1), axesAmong, (axes) => (ops, x) => ops.standardised(x, axes, 0.1).mean),
  rowWith(
    'variance of standardised',
    solidShape(1),
    axesAmong,
    (axes) => (ops, x) => ops.standardised(x, axes, 0.1).variance,
  ),
  ...standardisedVjp,
  row('logSoftmax', ofShape(solidShape(1)), (ops, x) => ops.logSoftmax(x)),
  oneHot,
  {
    name: 'sumTo',
    settings: () =>
      pairOfShapes.chain(([left, right]) =>
        arrayOf(broadcastShape('test', left, right)).map((x) => onOne(x, (ops, v) => ops.sumTo(v, left))),
      ),
  },
  row('withOnes', ofShape(matrix), (ops, x) => ops.withOnes(x)),
];
