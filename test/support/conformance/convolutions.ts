/**
 * Convolutions and their adjoints: strides, dilation, uneven padding, one group, some, and one for each channel.
 *
 * @module
 */
import type { Shape, Shaped } from '../../../src/core/tensor.ts';
import fc from 'fast-check';

import type { Ops } from '../../../src/core/ops/ops.ts';
import type { Window } from '../../../src/core/ops/window.ts';
import { sizeOf } from '../../../src/core/tensor.ts';
import { arrayOf, imagesAndFilters } from '../arbitraries.ts';
import type { Case } from './trial.ts';
import { given, magnitude, reference } from './trial.ts';

interface Drawn {
  readonly images: Shape;
  readonly filters: Shape;
  readonly outputs: Shape;
  readonly window: Window;
  readonly groups: number;
}

const geometry: fc.Arbitrary<Drawn> = imagesAndFilters.map(({ images, filters, ...rest }) => ({
  ...rest,
  images,
  filters,
  outputs: reference.convolve(reference.full(images, 0), reference.full(filters, 0), rest.window).shape,
}));

/** A case with two operands, whose results are sums of at most so many products. */
const bilinear = (
  operation: Case['operation'],
  shapesOf: (drawn: Drawn) => readonly [Shape, Shape],
  terms: (drawn: Drawn) => number,
  run: (drawn: Drawn) => <T extends Shaped>(ops: Ops<T>, a: T, b: T) => T,
): Case => ({
  operation,
  trials: given(
    geometry.chain((drawn) => {
      const [first, second] = shapesOf(drawn);
      return fc.tuple(fc.constant(drawn), arrayOf(first), arrayOf(second));
    }),
    ([drawn, a, b]) => {
      const of = run(drawn);
      return {
        label: JSON.stringify(drawn),
        operands: [a, b],
        run: (ops, [x, y]) => of(ops, x, y),
        error: ([x, y]) => reference.scale(terms(drawn) + 1, of(reference, magnitude(x), magnitude(y))),
      };
    },
  ),
});

/** Second moments of patches: of all places, or of weighed ones, with and without a one. */
const moments: Case = {
  operation: 'patchGram',
  trials: given(
    geometry.chain((drawn) => {
      const weights = arrayOf([sizeOf(drawn.outputs.slice(0, 3)), 1]).map((x) => reference.abs(x));
      return fc.tuple(fc.constant(drawn), arrayOf(drawn.images), fc.option(weights), fc.boolean());
    }),
    ([{ window, outputs }, images, weights, homogeneous]) => ({
      label: JSON.stringify({ window, homogeneous }),
      operands: weights === null ? [images] : [images, weights],
      run: (ops, [x, w]) => ops.patchGram(x, window, w ?? null, homogeneous),
      // A root is off by an epsilon, and so is each of four products with it.
      error: ([x, w]) =>
        reference.scale(
          sizeOf(outputs.slice(0, 3)) + 8,
          reference.patchGram(magnitude(x), window, w ?? null, homogeneous),
        ),
    }),
  ),
};

/** Cases of the operations that convolve. */
export const convolutionCases: ReadonlyArray<Case> = [
  moments,
  bilinear(
    'convolve',
    ({ images, filters }) => [images, filters],
    ({ filters }) => filters[1],
    ({ window }) =>
      (ops, x, w) =>
        ops.convolve(x, w, window),
  ),
  bilinear(
    'convolveTransposed',
    ({ outputs, filters }) => [outputs, filters],
    ({ filters, groups, window: { kernel } }) => (kernel[0] * kernel[1] * filters[0]) / groups,
    ({ window, images }) =>
      (ops, y, w) =>
        ops.convolveTransposed(y, w, window, images),
  ),
  bilinear(
    'correlate',
    ({ images, outputs }) => [images, outputs],
    ({ outputs }) => sizeOf(outputs.slice(0, 3)),
    ({ window, groups }) =>
      (ops, x, y) =>
        ops.correlate(x, y, window, groups),
  ),
];
