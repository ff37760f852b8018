/**
 * Generators of shapes and arrays for the laws of differentiation.
 *
 * Elements lie on a grid of tenths, moved by an offset: on it kinks and ties are frequent, beside it they are at least
 * half a tenth away, which a finite difference needs.
 *
 * @module
 */
import fc from 'fast-check';

import type { Shape, Tensor } from '../../../src/core/tensor.ts';
import { generate, sizeOf, tensor } from '../../../src/core/tensor.ts';

export { axesAmong, broadcastableTo, permutationOf, reshapeOf } from '../../support/arbitraries.ts';

/** Where the elements lie. */
export type Values =
  /** −2, −1.9, …, 2: with zeros and ties. */
  | 'grid'
  /** −1.95, −1.85, …, 1.95: without zeros. */
  | 'beside'
  /** 0.5, 0.6, …, 2.5. */
  | 'positive'
  /** All different, at least a tenth apart. */
  | 'distinct'
  /** −1, 0 and 1: ties everywhere. */
  | 'ties';

const draw = (length: number, from: number, to: number, value: (k: number) => number): fc.Arbitrary<Array<number>> =>
  fc.array(fc.integer({ min: from, max: to }), { minLength: length, maxLength: length }).map((ks) => ks.map(value));

const elements: Record<Values, (length: number) => fc.Arbitrary<Array<number>>> = {
  grid: (length) => draw(length, -20, 20, (k) => k / 10),
  beside: (length) => draw(length, -20, 19, (k) => (k + 0.5) / 10),
  positive: (length) => draw(length, 5, 25, (k) => k / 10),
  distinct: (length) =>
    fc.shuffledSubarray(
      Array.from({ length }, (_, k) => (k - length / 2) / 10),
      { minLength: length },
    ),
  ties: (length) => draw(length, -1, 1, (k) => k),
};

/** An extent: 1 to 3, now and then 0. */
export const extent = fc.oneof(
  { weight: 15, arbitrary: fc.integer({ min: 1, max: 3 }) },
  { weight: 1, arbitrary: fc.constant(0) },
);

/** A shape of at least `minRank` axes. */
export const shapeOf = (minRank = 0, maxRank = 3): fc.Arbitrary<Shape> =>
  fc.array(extent, { minLength: minRank, maxLength: maxRank });

/** A shape without zeros. */
export const solidShape = (minRank = 0, maxRank = 3): fc.Arbitrary<Shape> =>
  fc.array(fc.integer({ min: 1, max: 3 }), { minLength: minRank, maxLength: maxRank });

/** An array of a shape. */
export const arrayOf = (shape: Shape, values: Values = 'grid'): fc.Arbitrary<Tensor> =>
  elements[values](sizeOf(shape)).map((data) => tensor(data, shape));

/** An array of any shape. */
export const anyArray = (values: Values = 'grid', minRank = 0): fc.Arbitrary<Tensor> =>
  shapeOf(minRank).chain((shape) => arrayOf(shape, values));

/** A box inside a shape: where it starts and its extents. */
export const boxIn = (shape: Shape): fc.Arbitrary<{ begin: ReadonlyArray<number>; size: ReadonlyArray<number> }> =>
  fc
    .tuple(
      ...shape.map((e) =>
        fc.nat(e).chain((begin) => fc.record({ begin: fc.constant(begin), size: fc.nat(e - begin) })),
      ),
    )
    .map((sides) => ({ begin: sides.map(({ begin }) => begin), size: sides.map(({ size }) => size) }));

/** Row numbers below `rows`, with repetitions. */
export const indicesOf = (shape: Shape, rows: number): fc.Arbitrary<Tensor> =>
  fc
    .array(fc.nat(rows - 1), { minLength: sizeOf(shape), maxLength: sizeOf(shape) })
    .map((picks) => generate(shape, (i) => picks[i], 'i32'));
