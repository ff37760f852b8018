/**
 * Elementwise operations: every kind, and every way in which shapes broadcast.
 *
 * @module
 */
import fc from 'fast-check';

import type { Ops } from '../../../src/core/ops/ops.ts';
import type { BinaryKind, UnaryKind } from '../../../src/core/ops/primitives.ts';
import { unaryKinds } from '../../../src/core/ops/primitives.ts';
import { broadcastShape } from '../../../src/core/ops/shapes.ts';
import type { Shape, Tensor } from '../../../src/core/tensor.ts';
import type { Values } from '../arbitraries.ts';
import { arrayOf, broadcastableTo, indicesOf, shapeOf } from '../arbitraries.ts';
import type { Case, Tolerance, Trial } from './trial.ts';
import { given, magnitude, numberOf, reference } from './trial.ts';

/** Kinds whose results are rounded once at most, or not at all. */
const exactKinds = ['neg', 'abs', 'sign', 'step', 'relu'] as const satisfies ReadonlyArray<UnaryKind>;
/** Kinds of a sum or product of two numbers; of these the result is rounded once. */
const arithmetic = ['add', 'sub', 'mul'] as const satisfies ReadonlyArray<BinaryKind>;
const selections = ['max', 'min', 'greater', 'equal'] as const satisfies ReadonlyArray<BinaryKind>;

const isIn = (unaryKinds: ReadonlyArray<string>, kind: string): boolean => unaryKinds.includes(kind);

/** Kinds that take positive arguments here; what they do with others is a table of special values. */
const domainOf = (kind: UnaryKind): fc.Arbitrary<Values> =>
  kind === 'log' || kind === 'sqrt'
    ? fc.constant<Values>('positive')
    : fc.constantFrom<Values>('signed', 'positive', 'ties', ...(kind === 'exp' ? [] : ['wide' as const]));

/** Error of a unary function, relative to its value. */
const unaryError = (kind: UnaryKind): Trial['error'] => {
  if (isIn(exactKinds, kind)) return undefined;
  return (_, y, { elementary }: Tolerance) => reference.scale(kind === 'square' ? 1 : elementary, magnitude(y));
};

const withError = (trial: Omit<Trial, 'error'>, error: Trial['error']): Trial =>
  error === undefined ? trial : { ...trial, error };

/** A unary function through whichever of its two names. */
const unaryTrials = (kind: UnaryKind, run: Trial['run']): Case['trials'] =>
  given(
    domainOf(kind).chain((values) => shapeOf().chain((shape) => arrayOf(shape, values))),
    (x) => withError({ label: kind, operands: [x], run }, unaryError(kind)),
  );

const binaryError = (kind: BinaryKind): Trial['error'] => {
  if (isIn(selections, kind)) return undefined;
  return (_, y, { elementary }: Tolerance) =>
    reference.scale(isIn(arithmetic, kind) ? 1 : Math.max(1, elementary), magnitude(y));
};

/** Shapes that broadcast together, each of them the smaller one at times. */
const compatible: fc.Arbitrary<readonly [Shape, Shape]> = shapeOf().chain((shape) =>
  fc.tuple(broadcastableTo(shape), broadcastableTo(shape)),
);

const binaryTrials = (kind: BinaryKind, run: Trial['run']): Case['trials'] =>
  given(
    fc
      .tuple(compatible, kind === 'div' ? fc.constant<Values>('positive') : fc.constantFrom<Values>('signed', 'ties'))
      .chain(([[left, right], values]) => fc.tuple(arrayOf(left, values), arrayOf(right, values))),
    (operands) => withError({ label: kind, operands, run }, binaryError(kind)),
  );

/** |f′| of the functions, where its error is not relative to itself: 1 − y² near y = 1, and so on. */
const derivativeScale = (kind: UnaryKind, x: Tensor): Tensor => {
  const y = reference.unary(kind, x);
  switch (kind) {
    case 'tanh':
    case 'sigmoid':
    case 'gelu':
      return numberOf(1);
    // The error of x² is one of the exponent.
    case 'erf':
    case 'normalCdf':
      return reference.mul(
        reference.add(numberOf(1), reference.square(x)),
        magnitude(reference.unaryVjp(kind, x, y, numberOf(1))),
      );
    default:
      return magnitude(reference.unaryVjp(kind, x, y, numberOf(1)));
  }
};

/** The unaryKinds of `unary` that have a name of their own in `Ops`. */
const named = unaryKinds.filter(
  (kind): kind is Exclude<UnaryKind, 'sign' | 'step'> => kind !== 'sign' && kind !== 'step',
);

const binaryNames = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  div: 'div',
  max: 'maximum',
  min: 'minimum',
  greater: 'greater',
  equal: 'equal',
} as const satisfies Record<BinaryKind, keyof Ops<Tensor>>;

const binaryKinds = Object.entries(binaryNames).map(([kind, name]) => ({ kind: kind as BinaryKind, name }));

const integerArithmetic = given(
  compatible.chain(([left, right]) => fc.tuple(indicesOf(left, 9), indicesOf(right, 9))),
  (operands): Trial => ({
    label: 'of integers: gives floats',
    operands,
    run: (ops, [a, b]) => ops.add(ops.mul(a, b), ops.neg(ops.maximum(a, b))),
  }),
);

/** Cases of `unary`, `binary`, `select`, their named forms, and `unaryVjp`. */
export const elementwiseCases: ReadonlyArray<Case> = [
  ...unaryKinds.map((kind): Case => ({
    operation: 'unary',
    trials: unaryTrials(kind, (ops, [x]) => ops.unary(kind, x)),
  })),
  ...named.map((kind): Case => ({ operation: kind, trials: unaryTrials(kind, (ops, [x]) => ops[kind](x)) })),
  ...binaryKinds.flatMap(({ kind, name }): ReadonlyArray<Case> => [
    { operation: 'binary', trials: binaryTrials(kind, (ops, [a, b]) => ops.binary(kind, a, b)) },
    { operation: name, trials: binaryTrials(kind, (ops, [a, b]) => ops[name](a, b)) },
  ]),
  { operation: 'binary', trials: integerArithmetic },
  {
    operation: 'select',
    trials: given(
      compatible.chain(([left, right]) =>
        broadcastableTo(broadcastShape('', left, right)).chain((condition) =>
          fc.tuple(arrayOf(condition, 'ties'), arrayOf(left), arrayOf(right)),
        ),
      ),
      (operands) => ({ label: '', operands, run: (ops, [c, a, b]) => ops.select(c, a, b) }),
    ),
  },
  ...unaryKinds.map((kind): Case => ({
    operation: 'unaryVjp',
    trials: given(
      shapeOf().chain((shape) =>
        domainOf(kind)
          .filter((values) => values !== 'wide')
          .chain((values) => fc.tuple(arrayOf(shape, values), arrayOf(shape))),
      ),
      (operands) => ({
        label: kind,
        operands,
        run: (ops, [x, g]) => ops.unaryVjp(kind, x, ops.unary(kind, x), g),
        error: ([x, g], _, { elementary }) =>
          reference.scale(3 + 3 * elementary, reference.mul(derivativeScale(kind, x), magnitude(g))),
      }),
    ),
  })),
];
