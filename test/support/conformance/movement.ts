/**
 * Operations that move elements: results are exact, and `i32` stays `i32`.
 *
 * @module
 */
import fc from 'fast-check';

import type { Ops } from '../../../src/core/ops/ops.ts';
import type { Site } from '../../../src/core/ops/site.ts';
import type { Shape, Shaped, Tensor } from '../../../src/core/tensor.ts';
import { showShape, sizeOf } from '../../../src/core/tensor.ts';
import {
  arrayOf,
  boxIn,
  broadcastableTo,
  extent,
  imagesAndWindow,
  indicesOf,
  integersOf,
  permutationOf,
  reshapeOf,
  shapeOf,
  smallShapeOf,
  solidExtent,
} from '../arbitraries.ts';
import type { Case, Trial } from './trial.ts';
import { given, magnitude, reference } from './trial.ts';

type Run = <T extends Shaped>(ops: Ops<T>, x: T) => T;

/** An array of floats or of integers. */
const elementsOf = (shape: Shape): fc.Arbitrary<Tensor> =>
  fc.boolean().chain((whole) => (whole ? integersOf : arrayOf)(shape));

/** A case that moves the elements of one array, with what is drawn for its shape. */
const moves = <A>(
  operation: Case['operation'],
  shapes: fc.Arbitrary<Shape>,
  drawn: (shape: Shape) => fc.Arbitrary<A>,
  runOf: (sample: A) => Run,
): Case => ({
  operation,
  trials: given(
    shapes.chain((shape) => fc.tuple(elementsOf(shape), drawn(shape))),
    ([x, sample]) => {
      const run = runOf(sample);
      return { label: JSON.stringify(sample), operands: [x], run: (ops, [a]) => run(ops, a) };
    },
  ),
});

const nothing = (): fc.Arbitrary<null> => fc.constant(null);

const concatenation = fc
  .tuple(smallShapeOf(1, 3), fc.nat(2), fc.array(extent, { minLength: 1, maxLength: 4 }), fc.boolean())
  .chain(([shape, draw, extents, whole]) => {
    const axis = draw % shape.length;
    const parts = extents.map((e) => (whole ? integersOf : arrayOf)(shape.with(axis, e)));
    return fc.record({ axis: fc.constant(axis), xs: fc.tuple(...parts) });
  });

/** Indices of any shape into the rows of an array. */
const rowsAndIndices = fc
  .tuple(solidExtent, smallShapeOf(0, 2), smallShapeOf(0, 2))
  .chain(([rows, rest, picks]) =>
    fc.record({ rows: fc.constant(rows), x: elementsOf([rows, ...rest]), indices: indicesOf(picks, rows) }),
  );

const site: Site = { kind: 'dense', path: 'layer', weight: 'layer.weight', bias: null };

/** An adjoint of a movement adds up to `most` elements in every place. */
const adding = (label: string, operands: ReadonlyArray<Tensor>, most: number, run: Trial['run']): Trial => ({
  label,
  operands,
  run,
  error: (xs) =>
    reference.scale(
      most,
      run(
        reference,
        xs.map((x) => (x.dtype === 'i32' ? x : magnitude(x))),
      ),
    ),
});

/** Cases of the operations that move elements, and of their adjoints. */
/** All elements, one after another. */
const flat = <T extends Shaped>(ops: Ops<T>, x: T): T => ops.reshape(x, [sizeOf(x.shape)]);

export const movementCases: ReadonlyArray<Case> = [
  moves('constant', shapeOf(), nothing, () => (_, x) => x),
  moves('stopGradient', shapeOf(), nothing, () => (ops, x) => ops.stopGradient(x)),
  moves('keep', shapeOf(), nothing, () => (ops, x) => ops.keep('mean', x)),
  moves('site', shapeOf(), nothing, () => (ops, x) => ops.site(site, ops.neg(x), x)),
  moves('reshape', shapeOf(), reshapeOf, (shape) => (ops, x) => ops.reshape(x, shape)),
  moves('transpose', shapeOf(), permutationOf, (permutation) => (ops, x) => ops.transpose(x, permutation)),
  moves('transposed', shapeOf(2, 2), nothing, () => (ops, x) => ops.transposed(x)),
  moves(
    'slice',
    shapeOf(),
    boxIn,
    ({ begin, size }) =>
      (ops, x) =>
        ops.slice(x, begin, size),
  ),
  moves(
    'pad',
    shapeOf(),
    (shape) => fc.tuple(...shape.map((e) => fc.tuple(fc.nat(3), fc.nat(3)).map(([a, b]) => [a, a + e + b] as const))),
    (sides) => (ops, x) =>
      ops.pad(
        x,
        sides.map(([begin]) => begin),
        sides.map(([, whole]) => whole),
      ),
  ),
  {
    operation: 'broadcastTo',
    trials: given(
      shapeOf().chain((shape) =>
        broadcastableTo(shape).chain((from) => fc.record({ shape: fc.constant(shape), x: elementsOf(from) })),
      ),
      ({ shape, x }) => ({ label: showShape(shape), operands: [x], run: (ops, [a]) => ops.broadcastTo(a, shape) }),
    ),
  },
  {
    operation: 'concat',
    trials: given(concatenation, ({ axis, xs }) => ({
      label: `along ${axis}`,
      operands: xs,
      run: (ops, arrays) => ops.concat(arrays, axis),
    })),
  },
  {
    operation: 'gather',
    trials: given(rowsAndIndices, ({ x, indices }) => ({
      label: '',
      operands: [x, indices],
      run: (ops, [a, i]) => ops.gather(a, i),
    })),
  },
  {
    operation: 'scatterAdd',
    trials: given(
      rowsAndIndices.chain(({ rows, x, indices }) =>
        fc.tuple(fc.constant(rows), fc.constant(indices), arrayOf([...indices.shape, ...x.shape.slice(1)])),
      ),
      ([rows, indices, updates]) =>
        adding(`${rows} rows`, [indices, updates], indices.data.length, (ops, [i, u]) => ops.scatterAdd(i, u, rows)),
    ),
  },
  {
    operation: 'patches',
    trials: given(
      imagesAndWindow.chain(({ images, window }) => fc.tuple(arrayOf(images), fc.constant(window))),
      ([x, window]) => ({ label: JSON.stringify(window), operands: [x], run: (ops, [a]) => ops.patches(a, window) }),
    ),
  },
  {
    operation: 'unpatches',
    trials: given(
      imagesAndWindow.chain(({ images, window }) => {
        const columns = reference.patches(reference.full(images, 0), window).shape;
        return fc.tuple(arrayOf(columns), fc.constant({ images, window }));
      }),
      ([x, { images, window }]) =>
        adding(JSON.stringify({ images, window }), [x], window.kernel[0] * window.kernel[1], (ops, [a]) =>
          ops.unpatches(a, window, images),
        ),
    ),
  },
  {
    operation: 'oneHot',
    trials: given(
      fc
        .tuple(shapeOf(0, 2), solidExtent)
        .chain(([shape, classes]) => fc.tuple(indicesOf(shape, classes), fc.constant(classes))),
      ([indices, classes]) => ({
        label: `${classes} classes`,
        operands: [indices],
        run: (ops, [i]) => ops.oneHot(i, classes),
      }),
    ),
  },
  {
    operation: 'withOnes',
    trials: given(
      shapeOf(2, 2).chain((shape) => arrayOf(shape)),
      (x) => ({ label: '', operands: [x], run: (ops, [a]) => ops.withOnes(a) }),
    ),
  },
  {
    operation: 'whole',
    trials: given(
      fc.tuple(shapeOf(1, 2), shapeOf(1, 2)).chain(([a, b]) => fc.tuple(arrayOf(a), arrayOf(b))),
      ([x, y]) => ({
        label: 'the second of two',
        operands: [x, y],
        run: (ops, [a, b]) => ops.whole([a, b])[1],
      }),
    ),
  },
  {
    operation: 'addedUp',
    trials: given(
      shapeOf(1, 2).chain((shape) => arrayOf(shape)),
      (x) => ({ label: '', operands: [x], run: (ops, [a]) => ops.neg(ops.addedUp([a])[0]) }),
    ),
  },
  {
    operation: 'addingUp',
    trials: given(
      fc.tuple(shapeOf(1, 2), shapeOf(1, 2)).chain(([a, b]) => fc.tuple(arrayOf(a), arrayOf(b))),
      ([x, y]) => ({
        label: 'with something else before it is looked at',
        operands: [x, y],
        run: (ops, [a, b]) => {
          const [begun] = ops.addingUp([a]);
          const other = ops.neg(b);
          return ops.concat([flat(ops, ops.neg(ops.addedUp([begun])[0])), flat(ops, other)], 0);
        },
      }),
    ),
  },
  {
    operation: 'within',
    trials: given(
      shapeOf(1, 2).chain((shape) => arrayOf(shape)),
      (x) => ({
        label: 'minus minus',
        operands: [x],
        run: (ops, [a]) =>
          ops.within((on) => {
            const same = on.neg(on.neg(a));
            return [same, [same]];
          }),
      }),
    ),
  },
];
