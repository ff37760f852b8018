/**
 * Rows of the elementwise operations.
 *
 * @module
 */
import fc from 'fast-check';

import type { BinaryKind, UnaryKind } from '../../../src/core/ops/primitives.ts';
import { unaryKinds } from '../../../src/core/ops/primitives.ts';
import type { Values } from './arrays.ts';
import { anyArray, arrayOf, broadcastableTo, shapeOf } from './arrays.ts';
import type { Case, Spread } from './rows.ts';
import { onOne, pairOfShapes, rowOfTwo, setting } from './rows.ts';

/** Where each function of one argument is tried: in its domain, and away from its kink where there is one. */
export const valuesOfUnary: Record<UnaryKind, (spread: Spread) => Values> = {
  neg: () => 'grid',
  exp: () => 'grid',
  log: () => 'positive',
  sqrt: () => 'positive',
  square: () => 'grid',
  abs: (spread) => (spread === 'ties' ? 'grid' : 'beside'),
  sign: (spread) => (spread === 'ties' ? 'grid' : 'beside'),
  step: (spread) => (spread === 'ties' ? 'grid' : 'beside'),
  tanh: () => 'grid',
  sigmoid: () => 'grid',
  softplus: () => 'grid',
  relu: (spread) => (spread === 'ties' ? 'grid' : 'beside'),
  erf: () => 'grid',
  normalCdf: () => 'grid',
  gelu: () => 'grid',
};

const unary = unaryKinds.map((kind): Case => ({
  name: `unary ${kind}`,
  settings: (spread) => anyArray(valuesOfUnary[kind](spread)).map((x) => onOne(x, (ops, v) => ops.unary(kind, v))),
}));

const apart = (spread: Spread): readonly [Values, Values] =>
  spread === 'ties' ? ['ties', 'ties'] : ['grid', 'beside'];

const binaryKinds: ReadonlyArray<readonly [BinaryKind, (spread: Spread) => readonly [Values, Values]]> = [
  ['add', () => ['grid', 'grid']],
  ['sub', () => ['grid', 'grid']],
  ['mul', () => ['grid', 'grid']],
  ['div', () => ['grid', 'positive']],
  ['max', apart],
  ['min', apart],
  ['greater', apart],
  ['equal', apart],
];

const binary = binaryKinds.flatMap(([kind, values]) => [
  rowOfTwo(`binary ${kind}`, pairOfShapes, (ops, a, b) => ops.binary(kind, a, b), values),
  // One operand at a time is a constant: the interpreters take another path.
  ...[false, true].map((first): Case => ({
    name: `binary ${kind} with a constant on the ${first ? 'left' : 'right'}`,
    settings: (spread) =>
      pairOfShapes.chain(([left, right]) =>
        fc
          .record({ a: arrayOf(left, values(spread)[0]), b: arrayOf(right, values(spread)[1]) })
          .map(({ a, b }) =>
            first
              ? setting({ b }, (ops, p, [fixed]) => ops.binary(kind, fixed, p['b']), [a])
              : setting({ a }, (ops, p, [fixed]) => ops.binary(kind, p['a'], fixed), [b]),
          ),
      ),
  })),
]);

const select = (moving: ReadonlyArray<'a' | 'b'>): Case => ({
  name: `select in ${moving.join(' and ')}`,
  settings: () =>
    shapeOf().chain((shape) =>
      fc
        .tuple(broadcastableTo(shape), broadcastableTo(shape), broadcastableTo(shape))
        .chain(([c, left, right]) =>
          fc
            .record({ condition: arrayOf(c, 'ties'), a: arrayOf(left), b: arrayOf(right) })
            .map(({ condition, a, b }) =>
              setting(
                Object.fromEntries(moving.map((name) => [name, { a, b }[name]])),
                (ops, p, inputs) => ops.select(inputs[0], p['a'] ?? inputs[1], p['b'] ?? inputs[2]),
                [condition, a, b],
              ),
            ),
        ),
    ),
});

/** Every elementwise operation. */
export const elementwiseCases: ReadonlyArray<Case> = [
  ...unary,
  ...binary,
  select(['a']),
  select(['b']),
  select(['a', 'b']),
];
