/**
 * Every member of the algebra of operators on one array: factors of every kind, all products of two of them, and operators
 * made of operators. A new kind of factor or operator joins here, and with it the conformance suites.
 *
 * @module
 */
import fc from 'fast-check';

import { referenceBackend } from '../../src/core/backends/reference/backend.ts';
import type { BlockOperator } from '../../src/core/operators/blockOperator.ts';
import { dampedBlock, eigenKronecker, kronecker, twoTerm } from '../../src/core/operators/blockOperator.ts';
import { scaled, skewPart, sumOf, symmetricPart } from '../../src/core/operators/composite.ts';
import type { Factor } from '../../src/core/operators/factors/factor.ts';
import { dense, diagonal, directSum, identity, lowRank } from '../../src/core/operators/factors/factor.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { gaussian } from './training.ts';

const { ops } = referenceBackend();

/** A positive definite matrix. */
const spd = (seed: number, n: number): Tensor => ops.addDiagonal(ops.gram(gaussian(seed, [n + 1, n])), 0.1);

/** Positive entries. */
const positive = (seed: number, shape: ReadonlyArray<number>): Tensor =>
  ops.add(ops.square(gaussian(seed, shape)), ops.full([], 0.1));

/** Arrays to make operators of: with neither symmetry nor sign, or positive definite ones. */
interface Source {
  readonly matrix: (seed: number, n: number) => Tensor;
  readonly values: (seed: number, shape: ReadonlyArray<number>) => Tensor;
  readonly shift: (seed: number) => number;
}

const general: Source = {
  matrix: (seed, n) => gaussian(seed, [n, n]),
  values: gaussian,
  shift: (seed) => 0.5 - (seed % 3),
};
const definite: Source = { matrix: spd, values: positive, shift: (seed) => 0.2 + 0.1 * (seed % 3) };

/** A factor of an order. */
type MakeFactor = (from: Source, seed: number, n: number) => Factor<Tensor>;

/** 1 to 3 parts whose orders add up to n. */
const cut = (seed: number, n: number): ReadonlyArray<number> => {
  const first = 1 + (seed % n);
  return first === n ? [n] : [first, ...(n - first > 1 && seed % 2 === 0 ? [1, n - first - 1] : [n - first])];
};

/** One row per kind of factor. */
export const factorKinds: Readonly<Record<string, MakeFactor>> = {
  matrix: (from, seed, n) => dense(from.matrix(seed, n)),
  diagonal: (from, seed, n) => diagonal(from.values(seed, [n])),
  identity: (_, __, n) => identity(n),
  'low rank': (from, seed, n) => lowRank(gaussian(seed, [n, 2]), dense(from.matrix(seed + 1, 2)), from.shift(seed)),
  'low rank with a diagonal core': (from, seed, n) =>
    lowRank(gaussian(seed, [n, 3]), diagonal(from.values(seed + 1, [3])), from.shift(seed)),
  'matrices in parts': (from, seed, n) =>
    directSum(cut(seed, n).map((order, i) => dense(from.matrix(seed + i, order)))),
  'factors in parts': (from, seed, n) =>
    directSum(
      cut(seed, n).map((order, i) => {
        const makers = [factorKinds['low rank'], factorKinds['diagonal'], factorKinds['identity']];
        return makers[(seed + i) % 3](from, seed + 2 * i, order);
      }),
    ),
};

/** An operator and the shape of the arrays that it acts on. */
export interface Case {
  readonly op: BlockOperator<Tensor>;
  readonly shape: readonly [number, number];
}

const extents = fc.record({
  out: fc.integer({ min: 1, max: 4 }),
  inputs: fc.integer({ min: 1, max: 4 }),
  seed: fc.nat(),
});

type Make = (out: number, inputs: number, seed: number) => BlockOperator<Tensor>;

const drawn = (make: Make): fc.Arbitrary<Case> =>
  extents.map(({ out, inputs, seed }) => ({ op: make(out, inputs, seed), shape: [out, inputs] }));

type Row = readonly [string, fc.Arbitrary<Case>];

const pairs = Object.entries(factorKinds).flatMap(([first, A]) =>
  Object.entries(factorKinds).map(([second, G]) => ({ name: `${first} ⊗ ${second}`, A, G })),
);

/** Every product of two factors. */
const products = (from: Source): ReadonlyArray<Row> =>
  pairs.map(({ name, A, G }) => [
    name,
    drawn((out, inputs, seed) => kronecker(A(from, seed, inputs), G(from, seed + 10, out))),
  ]);

/** Products with an eigenbasis. Any factors will do for the laws; orthonormal ones are a matter of meaning. */
const withBases = (from: Source): ReadonlyArray<Row> =>
  pairs
    .filter(({ name }) => !name.includes('low rank') && !name.includes('diagonal'))
    .map(({ name, A, G }) => [
      `basis ${name}`,
      drawn((out, inputs, seed) =>
        eigenKronecker(A(from, seed, inputs), G(from, seed + 10, out), from.values(seed + 20, [out, inputs])),
      ),
    ]);

/** Every factor by itself, on column-stacked elements; a diagonal has the shape of the array. */
const alone = (from: Source): ReadonlyArray<Row> =>
  Object.entries(factorKinds).map(([name, make]) => [
    `${name} by itself`,
    drawn((out, inputs, seed) =>
      name === 'diagonal' ? diagonal(from.values(seed, [out, inputs])) : make(from, seed, out * inputs),
    ),
  ]);

const twoTermOf =
  (sign: 1 | -1): Make =>
  (out, inputs, seed) =>
    twoTerm(
      gaussian(seed, [inputs, inputs]),
      ops.sigmoid(gaussian(seed + 1, [inputs])),
      gaussian(seed + 2, [out, out]),
      ops.sigmoid(gaussian(seed + 3, [out])),
      sign,
    );

const product =
  (from: Source): Make =>
  (out, inputs, seed) =>
    kronecker(dense(from.matrix(seed, inputs)), dense(from.matrix(seed + 1, out)));

/** Operators that need neither symmetry nor definiteness for their laws. */
export const anyProduct: fc.Arbitrary<Case> = drawn(product(general));

/** One row per member. */
export const members: ReadonlyArray<Row> = [
  ...products(general),
  ...withBases(general),
  ...alone(general),
  ['two terms', drawn(twoTermOf(1))],
  ['damped', drawn((...at) => dampedBlock(product(general)(...at), 0.7))],
  [
    'sum',
    drawn((out, inputs, seed) =>
      sumOf([
        product(general)(out, inputs, seed),
        diagonal(gaussian(seed + 2, [out, inputs])),
        dense(gaussian(seed + 3, [out * inputs, out * inputs])),
      ]),
    ),
  ],
  ['scaled', drawn((...at) => scaled(-2.5, product(general)(...at)))],
  ['symmetric part', drawn((...at) => symmetricPart(product(general)(...at)))],
  ['skew part', drawn((...at) => skewPart(product(general)(...at)))],
];

/** One row per member that can be symmetric, from positive definite parts. */
export const definiteMembers: ReadonlyArray<Row> = [
  ...products(definite),
  ...withBases(definite),
  ...alone(definite),
  ['two terms', drawn(twoTermOf(-1))],
  // Singular without damping.
  ['damped', drawn((out, inputs, seed) => dampedBlock(dense(ops.gram(gaussian(seed, [1, out * inputs]))), 0.7))],
  [
    'sum',
    drawn((out, inputs, seed) =>
      sumOf([product(definite)(out, inputs, seed), diagonal(positive(seed + 2, [out, inputs]))]),
    ),
  ],
  ['scaled', drawn((out, inputs, seed) => scaled(0.5, dense(spd(seed, out * inputs))))],
  [
    'symmetric part',
    // M + K with M positive definite and K skew.
    drawn((out, inputs, seed) => {
      const n = out * inputs;
      const B = gaussian(seed + 1, [n, n]);
      return symmetricPart(dense(ops.add(spd(seed, n), ops.sub(B, ops.transposed(B)))));
    }),
  ],
];

/** Factors of every kind with neither symmetry nor sign, by order. */
export const anyFactor = (name: string): fc.Arbitrary<Factor<Tensor>> =>
  fc
    .record({ n: fc.integer({ min: 1, max: 5 }), seed: fc.nat() })
    .map(({ n, seed }) => factorKinds[name](general, seed, n));
