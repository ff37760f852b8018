/**
 * Generators of shapes and arrays.
 *
 * Only shapes and a seed are drawn element by element and shrink; values come from the seed, so large arrays cost
 * little and a failure shrinks to the smallest shape.
 *
 * @module
 */
import fc from 'fast-check';

import type { Window } from '../../src/core/ops/window.ts';
import { keyOf } from '../../src/core/random/key.ts';
import { uniform } from '../../src/core/random/uniform.ts';
import type { Shape, Tensor } from '../../src/core/tensor.ts';
import { generate, sizeOf } from '../../src/core/tensor.ts';

/** What the elements are. */
export type Values =
  /** From −2 to 2. */
  | 'signed'
  /** From ½ to 2½. */
  | 'positive'
  /** −1, 0 and 1: ties and zeros everywhere. */
  | 'ties'
  /** Of both signs, from 2⁻²⁰ to 2²⁰ in magnitude. */
  | 'wide';

const valueOf: Record<Values, (u: number) => number> = {
  signed: (u) => 4 * u - 2,
  positive: (u) => 2 * u + 0.5,
  ties: (u) => Math.floor(3 * u) - 1,
  wide: (u) => (u < 0.5 ? -1 : 1) * 2 ** (40 * ((2 * u) % 1) - 20),
};

/** An array of a shape, in f64. */
export const arrayOf = (shape: Shape, values: Values = 'signed'): fc.Arbitrary<Tensor> =>
  fc.nat(2 ** 31 - 1).map((seed) => {
    const { data } = uniform(keyOf(seed), shape, 'f64');
    return generate(shape, (i) => valueOf[values](data[i]));
  });

/** Whole numbers from −2²⁴ to 2²⁴, which every interpreter holds exactly. */
export const integersOf = (shape: Shape): fc.Arbitrary<Tensor> =>
  fc.nat(2 ** 31 - 1).map((seed) => {
    const { data } = uniform(keyOf(seed), shape, 'f64');
    return generate(shape, (i) => Math.round((2 * data[i] - 1) * 2 ** 24), 'i32');
  });

/** Row numbers below `rows`, with repetitions. */
export const indicesOf = (shape: Shape, rows: number): fc.Arbitrary<Tensor> =>
  fc.nat(2 ** 31 - 1).map((seed) => {
    const { data } = uniform(keyOf(seed), shape, 'f64');
    return generate(shape, (i) => Math.floor(rows * data[i]), 'i32');
  });

/** An extent: mostly 1 to 5, odd ones beyond the width of a vector now and then, seldom 0. */
export const extent: fc.Arbitrary<number> = fc.oneof(
  { weight: 16, arbitrary: fc.integer({ min: 1, max: 5 }) },
  { weight: 3, arbitrary: fc.constantFrom(7, 8, 9, 13, 17) },
  { weight: 1, arbitrary: fc.constant(0) },
);

/** An extent of a product of matrices: around the sizes of tiles too. */
export const wideExtent: fc.Arbitrary<number> = fc.oneof(
  { weight: 6, arbitrary: extent },
  { weight: 1, arbitrary: fc.constantFrom(15, 16, 31, 33, 40, 65, 130) },
);

/** An extent that is not 0. */
export const solidExtent: fc.Arbitrary<number> = extent.map((e) => Math.max(e, 1));

/** Shapes of a thousand to some thousand elements, with axes that are no multiples of anything. */
const largeShapes: ReadonlyArray<Shape> = [[1031], [9001], [3, 347], [347, 3], [131, 2, 5], [37, 41], [2, 5, 7, 17]];

/** A small shape of `minRank` to `maxRank` axes, for products of shapes. */
export const smallShapeOf = (minRank = 0, maxRank = 4): fc.Arbitrary<Shape> =>
  fc.array(extent, { minLength: minRank, maxLength: maxRank });

/** A shape of `minRank` to `maxRank` axes, mostly small. */
export const shapeOf = (minRank = 0, maxRank = 4): fc.Arbitrary<Shape> => {
  const small = smallShapeOf(minRank, maxRank);
  const large = largeShapes.filter(({ length }) => length >= minRank && length <= maxRank);
  return large.length === 0
    ? small
    : fc.oneof({ weight: 24, arbitrary: small }, { weight: 1, arbitrary: fc.constantFrom(...large) });
};

/** A shape that broadcasts to the given one: leading axes dropped, others set to 1. */
export const broadcastableTo = (shape: Shape): fc.Arbitrary<Shape> =>
  fc
    .record({
      dropped: fc.nat(shape.length),
      single: fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
    })
    .map(({ dropped, single }) => shape.map((e, axis) => (single[axis] ? 1 : e)).slice(dropped));

/** Distinct axes of a shape, in any order. */
export const axesAmong = (shape: Shape): fc.Arbitrary<Array<number>> =>
  fc.shuffledSubarray(shape.map((_, axis) => axis));

/** A permutation of the axes of a shape. */
export const permutationOf = (shape: Shape): fc.Arbitrary<Array<number>> =>
  fc.shuffledSubarray(
    shape.map((_, axis) => axis),
    { minLength: shape.length },
  );

/** A shape with as many elements. */
export const reshapeOf = (shape: Shape): fc.Arbitrary<Shape> =>
  fc.constantFrom<Shape>([sizeOf(shape)], [...shape, 1], [1, ...shape], [...shape].reverse());

/** Where a box lies along one axis; seldom empty. */
const sideWithin = (whole: number): fc.Arbitrary<{ begin: number; size: number }> =>
  fc
    .oneof(
      { weight: 12, arbitrary: fc.integer({ min: Math.min(1, whole), max: whole }) },
      { weight: 1, arbitrary: fc.constant(0) },
    )
    .chain((size) => fc.record({ begin: fc.nat(whole - size), size: fc.constant(size) }));

/** A box inside a shape: where it starts and its extents. */
export const boxIn = (shape: Shape): fc.Arbitrary<{ begin: ReadonlyArray<number>; size: ReadonlyArray<number> }> =>
  fc
    .tuple(...shape.map(sideWithin))
    .map((sides) => ({ begin: sides.map(({ begin }) => begin), size: sides.map(({ size }) => size) }));

const along = fc.record({
  extent: fc.integer({ min: 1, max: 6 }),
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  dilation: fc.integer({ min: 1, max: 2 }),
  before: fc.nat(2),
  after: fc.nat(2),
});

/** Images and a window that they hold, with strides, dilation and uneven padding. */
export const imagesAndWindow: fc.Arbitrary<{ images: Shape; window: Window }> = fc
  .record({ n: fc.nat(3), c: fc.constantFrom(1, 2, 3, 5), rows: along, columns: along })
  .map(({ n, c, rows, columns }) => {
    const heldBy = (side: typeof rows): number =>
      Math.max(side.extent, side.dilation * (side.kernel - 1) + 1 - side.before - side.after);
    return {
      images: [n, heldBy(rows), heldBy(columns), c],
      window: {
        kernel: [rows.kernel, columns.kernel],
        stride: [rows.stride, columns.stride],
        dilation: [rows.dilation, columns.dilation],
        padding: [rows.before, rows.after, columns.before, columns.after],
      },
    };
  });

/** The same with filters that look at them, in one group, in some, or one for each channel. */
export const imagesAndFilters: fc.Arbitrary<{ images: Shape; window: Window; filters: Shape; groups: number }> = fc
  .tuple(
    fc.constantFrom(
      { c: 1, groups: 1 },
      { c: 3, groups: 1 },
      { c: 4, groups: 2 },
      { c: 6, groups: 2 },
      { c: 3, groups: 3 },
    ),
    fc.integer({ min: 1, max: 3 }),
    imagesAndWindow,
  )
  .map(([{ c, groups }, each, { images, window }]) => ({
    images: images.with(3, c),
    window,
    filters: [each * groups, (window.kernel[0] * window.kernel[1] * c) / groups],
    groups,
  }));
