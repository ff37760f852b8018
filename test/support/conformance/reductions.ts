/**
 * Reductions over any axes, empty ones included, and the functions over the last axis that are built on them.
 *
 * @module
 */
import fc from 'fast-check';

import { keptShape } from '../../../src/core/ops/ties.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { sizeOf } from '../../../src/core/tensor.ts';
import type { Values } from '../arbitraries.ts';
import {
  arrayOf,
  axesAmong,
  broadcastableTo,
  extent,
  indicesOf,
  shapeOf,
  smallShapeOf,
  wideExtent,
} from '../arbitraries.ts';
import type { Case, Tolerance, Trial } from './trial.ts';
import { given, magnitude, numberOf, reference } from './trial.ts';

const reduced: fc.Arbitrary<readonly [Tensor, ReadonlyArray<number>]> = fc
  .tuple(shapeOf(), fc.constantFrom<Values>('signed', 'ties', 'wide'))
  .chain(([shape, values]) => fc.tuple(arrayOf(shape, values), axesAmong(shape)));

const termsOf = (x: Tensor, axes: ReadonlyArray<number>): number =>
  axes.reduce((count, axis) => count * x.shape[axis], 1);

/** Classes: few, and now and then as many as in a vocabulary. */
const width = fc.oneof({ weight: 24, arbitrary: extent }, { weight: 1, arbitrary: fc.constantFrom(301, 1000) });

/** Rows to take the softmax of: close together and far apart, at 0 and away from it. */
const rows = fc
  .tuple(smallShapeOf(0, 2), width, fc.constantFrom(1, 30), fc.constantFrom(-1000, 0, 50))
  .chain(([lead, last, spread, offset]) =>
    arrayOf([...lead, last]).map((x) => reference.add(reference.scale(spread, x), numberOf(offset))),
  );

/** Of x − log Σ e^x: the rounding of the logarithm, that of the difference, and width for the sum. */
const exponentError = (x: Tensor, elementary: number): Tensor => {
  const width = x.shape[x.shape.length - 1];
  const total = reference.reshape(reference.logSumExp(x), [...x.shape.slice(0, -1), 1]);
  const size = reference.linearCombination(1, magnitude(x), 2, reference.broadcastTo(magnitude(total), x.shape));
  return reference.add(size, numberOf(width + 3 * elementary));
};

const overLastAxis = (
  operation: 'softmax' | 'logSoftmax',
  error: (x: Tensor, y: Tensor, tolerance: Tolerance) => Tensor,
): Case => ({
  operation,
  trials: given(rows, (x) => ({
    label: '',
    operands: [x],
    run: (ops, [a]) => ops[operation](a),
    error: ([a], y, tolerance) => error(a, y, tolerance),
  })),
});

const sumTrial = (operands: ReadonlyArray<Tensor>, axes: ReadonlyArray<number>): Trial => ({
  label: `over [${axes.join(', ')}]`,
  operands,
  run: (ops, [a]) => ops.sum(a, axes),
  error: ([a]) => reference.scale(termsOf(a, axes), reference.sum(magnitude(a), axes)),
});

/** Means over axes, in place of what they are of. */
const ofMeans = (x: Tensor, axes: ReadonlyArray<number>): Tensor =>
  reference.broadcastTo(reference.reshape(reference.mean(x, axes), keptShape(x.shape, axes)), x.shape);

/** √(variance + ½) over axes, in place of what it is of. */
const deviationOf = (x: Tensor, axes: ReadonlyArray<number>): Tensor => {
  const { variance } = reference.standardised(x, axes, 0.5);
  const deviation = reference.sqrt(reference.add(variance, numberOf(0.5)));
  return reference.broadcastTo(reference.reshape(deviation, keptShape(x.shape, axes)), x.shape);
};

/** A part of what is standardised with ε = ½. */
const standardisedTrial = (x: Tensor, axes: ReadonlyArray<number>, of: 'values' | 'mean' | 'variance'): Trial => ({
  label: `${of} over [${axes.join(', ')}]`,
  operands: [x],
  run: (ops, [a]) => ops.standardised(a, axes, 0.5)[of],
  error: ([a]) => {
    const terms = 4 * (termsOf(a, axes) + 6);
    if (of === 'mean') return reference.scale(terms, reference.mean(magnitude(a), axes));
    if (of === 'variance') return reference.scale(terms, reference.mean(reference.square(a), axes));
    // Of distances from the mean, of it, and of what they are divided by.
    const { values } = reference.standardised(a, axes, 0.5);
    const size = reference.add(magnitude(a), ofMeans(magnitude(a), axes));
    return reference.scale(terms, reference.add(magnitude(values), reference.div(size, deviationOf(a, axes))));
  },
});

/** Cases of `sum`, `max`, `maxVjp`, `standardised`, `standardisedVjp`, `softmaxVjp`, `mean`, `sumTo`, `dot`, `trace`, `logSumExp`, `softmax` and `logSoftmax`. */
export const reductionCases: ReadonlyArray<Case> = [
  { operation: 'sum', trials: given(reduced, ([x, axes]) => sumTrial([x], axes)) },
  {
    operation: 'sum',
    trials: given(
      shapeOf(1, 3).chain((shape) => fc.tuple(indicesOf(shape, 7), axesAmong(shape))),
      ([x, axes]) => ({ label: 'of integers', operands: [x], run: (ops, [a]) => ops.sum(a, axes) }),
    ),
  },
  {
    operation: 'max',
    trials: given(reduced, ([x, axes]) => ({
      label: `over [${axes.join(', ')}]`,
      operands: [x],
      run: (ops, [a]) => ops.max(a, axes),
    })),
  },
  {
    operation: 'maxVjp',
    trials: given(
      reduced.chain(([x, axes]) => fc.tuple(fc.constant([x, axes] as const), arrayOf(reference.max(x, axes).shape))),
      ([[x, axes], g]) => ({
        label: `over [${axes.join(', ')}]`,
        operands: [x, g],
        run: (ops, [a, c]) => ops.maxVjp(a, ops.max(a, axes), axes, c),
        error: (_, y) => reference.scale(2, magnitude(y)), // a share, and its product
      }),
    ),
  },
  {
    operation: 'standardised',
    trials: given(reduced, ([x, axes]) => standardisedTrial(x, axes, 'values')),
  },
  {
    operation: 'standardised',
    trials: given(reduced, ([x, axes]) => standardisedTrial(x, axes, 'mean')),
  },
  {
    operation: 'standardised',
    trials: given(reduced, ([x, axes]) => standardisedTrial(x, axes, 'variance')),
  },
  {
    operation: 'standardisedVjp',
    trials: given(
      reduced.chain(([x, axes]) => fc.tuple(fc.constant([x, axes] as const), arrayOf(x.shape))),
      ([[x, axes], c]) => ({
        label: `over [${axes.join(', ')}]`,
        operands: [reference.standardised(x, axes, 0.5).values, reference.standardised(x, axes, 0.5).variance, c],
        run: (ops, [y, variance, g]) => ops.standardisedVjp(y, variance, axes, 0.5, g),
        error: ([y, , g]) => {
          const along = reference.mul(magnitude(y), ofMeans(magnitude(reference.mul(y, g)), axes));
          const size = reference.add(reference.add(magnitude(g), ofMeans(magnitude(g), axes)), along);
          return reference.scale(2 * (termsOf(y, axes) + 6), reference.div(size, deviationOf(x, axes)));
        },
      }),
    ),
  },
  {
    operation: 'softmaxVjp',
    trials: given(
      rows.chain((x) => fc.tuple(fc.constant(x), arrayOf(x.shape))),
      ([x, c]) => ({
        label: '',
        operands: [reference.softmax(x), c],
        run: (ops, [y, g]) => ops.softmaxVjp(y, g),
        error: ([y, g]) => {
          const last = [y.shape.length - 1];
          const along = reference.scale(termsOf(y, last), ofMeans(magnitude(reference.mul(y, g)), last));
          const size = reference.mul(y, reference.add(magnitude(g), along));
          return reference.scale(termsOf(y, last) + 3, size);
        },
      }),
    ),
  },
  {
    operation: 'mean',
    trials: given(reduced, ([x, axes]) => ({
      label: `over [${axes.join(', ')}]`,
      operands: [x],
      run: (ops, [a]) => ops.mean(a, axes),
      error: ([a]) => reference.scale(termsOf(a, axes) + 2, reference.mean(magnitude(a), axes)),
    })),
  },
  {
    operation: 'sumTo',
    trials: given(
      shapeOf().chain((shape) => fc.tuple(arrayOf(shape), broadcastableTo(shape))),
      ([x, shape]) => ({
        label: `[${shape.join(', ')}]`,
        operands: [x],
        run: (ops, [a]) => ops.sumTo(a, shape),
        error: ([a]) => reference.scale(sizeOf(a.shape), reference.sumTo(magnitude(a), shape)),
      }),
    ),
  },
  {
    operation: 'dot',
    trials: given(
      shapeOf().chain((shape) => fc.tuple(arrayOf(shape), arrayOf(shape))),
      (operands) => ({
        label: '',
        operands,
        run: (ops, [a, b]) => ops.dot(a, b),
        error: ([a, b]) => reference.scale(sizeOf(a.shape) + 1, reference.dot(magnitude(a), magnitude(b))),
      }),
    ),
  },
  {
    operation: 'dots',
    trials: given(
      fc.tuple(shapeOf(), shapeOf()).chain(([p, q]) => fc.tuple(arrayOf(p), arrayOf(p), arrayOf(q), arrayOf(q))),
      (operands) => ({
        label: '',
        operands,
        run: (ops, [a, b, c, d]) => ops.dots([a, c], [b, d]),
        error: ([a, b, c, d]) =>
          reference.scale(
            sizeOf(a.shape) + sizeOf(c.shape) + 1,
            reference.dots([a, c].map(magnitude), [b, d].map(magnitude)),
          ),
      }),
    ),
  },
  {
    operation: 'trace',
    trials: given(
      wideExtent.chain((n) => arrayOf([n, n])),
      (m) => ({
        label: '',
        operands: [m],
        run: (ops, [a]) => ops.trace(a),
        error: ([a]) => reference.scale(a.shape[0], reference.trace(magnitude(a))),
      }),
    ),
  },
  {
    operation: 'logSumExp',
    trials: given(rows, (x) => ({
      label: '',
      operands: [x],
      run: (ops, [a]) => ops.logSumExp(a),
      error: ([a], y, { elementary }) => {
        const last = a.shape.length - 1;
        const largest = reference.max(reference.add(magnitude(a), numberOf(a.shape[last] + 3 * elementary)), [last]);
        return reference.maximum(numberOf(0), reference.add(largest, magnitude(y)));
      },
    })),
  },
  overLastAxis('logSoftmax', (x, _, { elementary }) => exponentError(x, elementary)),
  overLastAxis('softmax', (x, y, { elementary }) => reference.mul(y, exponentError(x, 2 * elementary))),
];
