/**
 * Rows of the primitives that reduce, move, pick or mark elements.
 *
 * @module
 */
import fc from 'fast-check';

import type { Window } from '../../../src/core/ops/window.ts';
import { patchesShape } from '../../../src/core/ops/shapes.ts';
import type { Shape, Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import {
  anyArray,
  arrayOf,
  axesAmong,
  boxIn,
  broadcastableTo,
  indicesOf,
  permutationOf,
  reshapeOf,
  shapeOf,
  solidShape,
} from './arrays.ts';
import type { Case } from './rows.ts';
import { onOne, row, rowWith, setting } from './rows.ts';

const window: fc.Arbitrary<Window> = fc.record({
  kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 })),
  stride: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
  dilation: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
  padding: fc.tuple(fc.nat(2), fc.nat(1), fc.nat(1), fc.nat(2)),
});

/** Images that hold the largest window: a kernel of 3 dilated by 2 spans 5 rows. */
const imagesShape: Shape = [2, 5, 3, 2];

interface ConvolutionShapes {
  readonly images: Shape;
  readonly filters: Shape;
  readonly outputs: Shape;
}

const concat: Case = {
  name: 'concat, one part constant',
  settings: () =>
    shapeOf(1).chain((shape) =>
      fc.nat(shape.length - 1).chain((axis) => {
        const part = (e: number): fc.Arbitrary<Tensor> => arrayOf(shape.map((old, at) => (at === axis ? e : old)));
        return fc.record({ a: part(2), b: part(1), c: part(3), order: fc.nat(2) }).map(({ a, b, c, order }) =>
          setting(
            { a, b },
            (ops, p, [fixed]) => {
              const parts = [p['a'], p['b']];
              return ops.concat([...parts.slice(0, order), fixed, ...parts.slice(order)], axis);
            },
            [c],
          ),
        );
      }),
    ),
};

const gather: Case = {
  name: 'gather',
  settings: () =>
    fc
      .tuple(solidShape(1), shapeOf(0, 2))
      .chain(([shape, picks]) =>
        fc
          .record({ x: arrayOf(shape), indices: indicesOf(picks, shape[0]) })
          .map(({ x, indices }) => setting({ x }, (ops, p, inputs) => ops.gather(p['x'], inputs[0]), [indices])),
      ),
};

const scatterAdd: Case = {
  name: 'scatterAdd',
  settings: () =>
    fc
      .tuple(fc.integer({ min: 1, max: 4 }), shapeOf(0, 2), shapeOf(0, 2))
      .chain(([rows, picks, rest]) =>
        fc
          .record({ updates: arrayOf([...picks, ...rest]), indices: indicesOf(picks, rows) })
          .map(({ updates, indices }) =>
            setting({ updates }, (ops, p, inputs) => ops.scatterAdd(inputs[0], p['updates'], rows), [indices]),
          ),
      ),
};

const site: Case = {
  name: 'site',
  settings: () =>
    fc
      .record({ a: arrayOf([3, 2]), weight: arrayOf([2, 2]) })
      .map((params) =>
        setting(params, (ops, { a, weight }) =>
          ops.tanh(
            ops.site({ kind: 'dense', path: 'l', weight: 'weight', bias: null }, a, ops.affine(a, weight, null)),
          ),
        ),
      ),
};

/** Images of four channels with filters in one, two or four groups: each of the three is linear in both operands. */
const convolutions: ReadonlyArray<Case> = (
  [
    ['convolve', ({ images, filters }) => [images, filters]],
    ['convolveTransposed', ({ outputs, filters }) => [outputs, filters]],
    ['correlate', ({ images, outputs }) => [images, outputs]],
  ] as const satisfies ReadonlyArray<readonly [string, (shapes: ConvolutionShapes) => readonly [Shape, Shape]]>
).map(([name, operands]) => ({
  name,
  settings: () =>
    fc.tuple(window, fc.constantFrom(1, 2, 4)).chain(([view, groups]) => {
      const images = [2, 5, 3, 4];
      const filters = [4, (view.kernel[0] * view.kernel[1] * 4) / groups];
      const [first, second] = operands({
        images,
        filters,
        outputs: [...patchesShape(images, view).slice(0, 3), 4],
      });
      return fc.record({ a: arrayOf(first), b: arrayOf(second) }).map((params) =>
        setting(params, (ops, { a, b }) => {
          switch (name) {
            case 'convolve':
              return ops.convolve(a, b, view);
            case 'convolveTransposed':
              return ops.convolveTransposed(a, b, view, images);
            case 'correlate':
              return ops.correlate(a, b, view, groups);
          }
        }),
      );
    }),
}));

/** Every primitive that is neither a product of matrices nor elementwise. */
export const structuralCases: ReadonlyArray<Case> = [
  row('constant', anyArray(), (ops, x) => ops.mul(x, ops.constant(tensor([2], [1])))),
  row('full', anyArray(), (ops, x) => ops.mul(ops.full([], 3), x)),
  row('keep', anyArray(), (ops, x) => ops.tanh(ops.keep('mean', ops.square(x)))),
  rowWith('sum', shapeOf(), axesAmong, (axes) => (ops, x) => ops.sum(x, axes)),
  rowWith(
    'max',
    shapeOf(),
    axesAmong,
    (axes) => (ops, x) => {
      const top = ops.max(x, axes);
      // The maximum over nothing is −∞ and has no neighbourhood; elsewhere this is the identity.
      return ops.select(ops.greater(top, ops.full([], -1e300)), top, ops.full([], 0));
    },
    (spread) => (spread === 'ties' ? 'ties' : 'distinct'),
  ),
  rowWith('reshape', shapeOf(), reshapeOf, (shape) => (ops, x) => ops.reshape(x, shape)),
  rowWith('transpose', shapeOf(), permutationOf, (permutation) => (ops, x) => ops.transpose(x, permutation)),
  {
    name: 'broadcastTo',
    settings: () =>
      shapeOf().chain((shape) =>
        broadcastableTo(shape)
          .chain((from) => arrayOf(from))
          .map((x) => onOne(x, (ops, v) => ops.broadcastTo(v, shape))),
      ),
  },
  concat,
  rowWith(
    'slice',
    shapeOf(),
    boxIn,
    ({ begin, size }) =>
      (ops, x) =>
        ops.slice(x, begin, size),
  ),
  {
    name: 'pad',
    settings: () =>
      shapeOf().chain((shape) =>
        boxIn(shape).chain(({ begin, size }) =>
          arrayOf(size).map((x) => onOne(x, (ops, v) => ops.pad(v, begin, shape))),
        ),
      ),
  },
  gather,
  scatterAdd,
  rowWith(
    'patches',
    fc.constant(imagesShape),
    () => window,
    (view) => (ops, x) => ops.patches(x, view),
  ),
  {
    name: 'unpatches',
    settings: () =>
      window.chain((view) =>
        arrayOf(patchesShape(imagesShape, view)).map((x) => onOne(x, (ops, v) => ops.unpatches(v, view, imagesShape))),
      ),
  },
  ...convolutions,
  site,
];
