/**
 * Derived arithmetic with numbers that the program brings itself.
 *
 * @module
 */
import fc from 'fast-check';

import type { Tensor } from '../../../src/core/tensor.ts';
import { arrayOf, broadcastableTo, shapeOf, wideExtent } from '../arbitraries.ts';
import type { Case } from './trial.ts';
import { given, magnitude, numberOf, reference } from './trial.ts';

const coefficient = fc.constantFrom(0, 1, -1, 0.1, -2.5, 1 / 3, 1e-3, 700);

/** Logits and targets that broadcast together; targets of 0 and 1, and between. */
const judged = shapeOf().chain((shape) =>
  fc
    .tuple(broadcastableTo(shape), broadcastableTo(shape), fc.constantFrom(0.01, 1, 20), fc.boolean())
    .chain(([left, right, size, isSure]) =>
      fc
        .tuple(arrayOf(left), arrayOf(right))
        .map(([x, y]): ReadonlyArray<Tensor> => [
          reference.scale(size, x),
          reference.unary(isSure ? 'step' : 'sigmoid', y),
        ]),
    ),
);

/** Cases of `full`, `scale`, `linearCombination`, `addDiagonal`, `gelu`, `sigmoidMinus` and `sigmoidCrossEntropy`. */
export const arithmeticCases: ReadonlyArray<Case> = [
  {
    operation: 'full',
    trials: given(fc.tuple(shapeOf(), coefficient), ([shape, value]) => ({
      label: `${value} in [${shape.join(', ')}]`,
      operands: [],
      run: (ops) => ops.full(shape, value),
      error: (_, y) => magnitude(y),
    })),
  },
  {
    operation: 'scale',
    trials: given(
      fc.tuple(
        coefficient,
        shapeOf().chain((shape) => arrayOf(shape, 'wide')),
      ),
      ([c, x]) => ({
        label: `${c}`,
        operands: [x],
        run: (ops, [a]) => ops.scale(c, a),
        error: (_, y) => reference.scale(2, magnitude(y)),
      }),
    ),
  },
  {
    operation: 'linearCombination',
    trials: given(
      fc.tuple(
        coefficient,
        coefficient,
        shapeOf().chain((shape) => fc.tuple(arrayOf(shape), arrayOf(shape))),
      ),
      ([a, b, operands]) => ({
        label: `${a} x + ${b} y`,
        operands,
        run: (ops, [x, y]) => ops.linearCombination(a, x, b, y),
        error: ([x, y]) => reference.linearCombination(3 * Math.abs(a), magnitude(x), 3 * Math.abs(b), magnitude(y)),
      }),
    ),
  },
  {
    operation: 'combineWithSquare',
    trials: given(
      fc.tuple(
        coefficient,
        coefficient,
        shapeOf().chain((shape) => fc.tuple(arrayOf(shape), arrayOf(shape))),
      ),
      ([a, b, operands]) => ({
        label: `${a} x + ${b} y²`,
        operands,
        run: (ops, [x, y]) => ops.combineWithSquare(a, x, b, y),
        error: ([x, y]) =>
          reference.linearCombination(3 * Math.abs(a), magnitude(x), 4 * Math.abs(b), reference.square(y)),
      }),
    ),
  },
  {
    operation: 'overRoot',
    trials: given(
      fc.tuple(
        fc.double({ min: 0.1, max: 3, noNaN: true }),
        fc.double({ min: 0.1, max: 3, noNaN: true }),
        shapeOf().chain((shape) => fc.tuple(arrayOf(shape), arrayOf(shape).map(magnitude))),
      ),
      ([c, d, operands]) => ({
        label: `x / (${c} √y + ${d})`,
        operands,
        run: (ops, [x, y]) => ops.overRoot(x, c, y, d),
        error: (_, result) => reference.scale(5, magnitude(result)),
      }),
    ),
  },
  {
    operation: 'addDiagonal',
    trials: given(
      fc.tuple(
        coefficient,
        wideExtent.chain((n) => arrayOf([n, n])),
      ),
      ([c, m]) => ({
        label: `${c}`,
        operands: [m],
        run: (ops, [x]) => ops.addDiagonal(x, c),
        // Off the diagonal nothing changes.
        error: ([x]) => {
          const mask = reference.addDiagonal(reference.full(x.shape, 0), 1);
          return reference.mul(mask, reference.add(magnitude(x), numberOf(2 * Math.abs(c))));
        },
      }),
    ),
  },
  {
    operation: 'gelu',
    trials: given(
      fc
        .tuple(fc.constantFrom(0.01, 1, 4), shapeOf())
        .chain(([size, shape]) => arrayOf(shape).map((x) => reference.scale(size, x))),
      (x) => ({
        label: '',
        operands: [x],
        run: (ops, [a]) => ops.gelu(a),
        error: (_, y, { elementary }) => reference.scale(1 + elementary, magnitude(y)),
      }),
    ),
  },
  {
    operation: 'sigmoidMinus',
    trials: given(judged, (operands) => ({
      label: '',
      operands,
      run: (ops, [x, y]) => ops.sigmoidMinus(x, y),
      // (1 − y) σ(x) − y σ(−x): 0 only where the two are equal.
      error: ([x, y], _, { elementary }) => {
        const rest = reference.sub(numberOf(1), y);
        const terms = [
          reference.mul(rest, reference.sigmoid(x)),
          reference.mul(y, reference.sigmoid(reference.neg(x))),
        ];
        return reference.scale(3 + elementary, reference.add(terms[0], terms[1]));
      },
    })),
  },
  {
    operation: 'sigmoidCrossEntropy',
    trials: given(judged, (operands) => ({
      label: '',
      operands,
      run: (ops, [x, y]) => ops.sigmoidCrossEntropy(x, y),
      error: (_, value, { elementary }) => reference.scale(3 + elementary, value),
    })),
  },
];
