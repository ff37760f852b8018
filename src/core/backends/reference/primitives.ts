/**
 * The primitives by definition: every element of a result is written as its formula.
 *
 * Operations that move elements keep `i32`; whatever computes gives floats, from integers too. An index outside the
 * rows is not an error of shapes: it gathers NaN, and what is scattered to it is lost.
 *
 * @module
 */
import type { Primitives } from '../../ops/primitives.ts';
import {
  affineShape,
  axesOf,
  broadcastShape,
  broadcastToShape,
  concatShape,
  gatherShape,
  gramShape,
  matmulExtents,
  matmulShape,
  padShape,
  patchesShape,
  reducedShape,
  reshapedShape,
  scatterAddShape,
  sliceShape,
  transposedShape,
  unpatchesShape,
} from '../../ops/shapes.ts';
import type { DType, Shape, Tensor } from '../../tensor.ts';
import { cast, checkShape, checkTensor, generate, sameShape, sizeOf } from '../../tensor.ts';
import { binaryFunctions, unaryFunctions } from './functions.ts';
import type { Index } from './indexing.ts';
import { broadcastElementAt, build, elementAt, forEachIndex, positionOf } from './indexing.ts';
import { convolutions } from './convolutions.ts';
import { imagePositionOf } from './windows.ts';

/** The element type of a result that holds elements of x. */
const movedType = (x: Tensor): DType => (x.dtype === 'i32' ? 'i32' : 'f64');

/** Folds the elements that share their other axes; an empty fold is the start. */
const reduce = (
  x: Tensor,
  axes: ReadonlyArray<number>,
  shape: Shape,
  start: number,
  fold: (a: number, b: number) => number,
): Tensor => {
  const data = new Float64Array(sizeOf(shape)).fill(start);
  const kept = axesOf(x.shape).filter((axis) => !axes.includes(axis));
  forEachIndex(x.shape, (index, position) => {
    const to = positionOf(
      shape,
      kept.map((axis) => index[axis]),
    );
    data[to] = fold(data[to], x.data[position]);
  });
  return { shape, dtype: 'f64', data };
};

/** Whether an index that was moved by `-begin` lies in a box. */
const isInside = (shape: Shape, index: Index): boolean =>
  shape.every((extent, axis) => index[axis] >= 0 && index[axis] < extent);

/** The primitives on host tensors, in f64. */
export const referencePrimitives: Primitives<Tensor> = {
  constant: (value) => cast(checkTensor('constant', value), movedType(value)),
  full: (shape, value) => generate(checkShape('full', shape), () => value),

  matmul: (a, b, transposes = {}) => {
    const { batch, m, n, k } = matmulExtents(a.shape, b.shape, transposes);
    const shape = matmulShape(a.shape, b.shape, transposes);
    const { transposeA = false, transposeB = false } = transposes;
    const data = new Float64Array(sizeOf(shape));
    for (let e = 0; e < (batch ?? 1); e += 1) {
      for (let i = 0; i < m; i += 1) {
        for (let j = 0; j < n; j += 1) {
          let sum = 0;
          for (let p = 0; p < k; p += 1) {
            const left = a.data[e * m * k + (transposeA ? p * m + i : i * k + p)];
            const right = b.data[e * k * n + (transposeB ? j * k + p : p * n + j)];
            sum += left * right;
          }
          data[(e * m + i) * n + j] = sum;
        }
      }
    }
    return { shape, dtype: 'f64', data };
  },
  affine: (x, weight, bias) => {
    const [n, out] = affineShape(x.shape, weight.shape, bias === null ? null : bias.shape);
    const product = referencePrimitives.matmul(x, weight, { transposeB: true });
    return bias === null
      ? product
      : build('f64', [n, out], ([i, j]) => elementAt(product, [i, j]) + elementAt(bias, [j]));
  },
  gram: (x) => {
    gramShape(x.shape);
    return referencePrimitives.matmul(x, x, { transposeA: true });
  },

  unary: (kind, x) => {
    const f = unaryFunctions[kind];
    return generate(x.shape, (position) => f(x.data[position]));
  },
  binary: (kind, a, b) => {
    const f = binaryFunctions[kind];
    // Of one shape they are taken element by element: nearly all are, and tests do little else.
    if (sameShape(a.shape, b.shape)) return generate(a.shape, (position) => f(a.data[position], b.data[position]));
    return build('f64', broadcastShape(kind, a.shape, b.shape), (index) =>
      f(broadcastElementAt(a, index), broadcastElementAt(b, index)),
    );
  },
  select: (condition, a, b) => {
    const shape = broadcastShape('select', condition.shape, broadcastShape('select', a.shape, b.shape));
    return build('f64', shape, (index) =>
      broadcastElementAt(broadcastElementAt(condition, index) !== 0 ? a : b, index),
    );
  },

  sum: (x, axes) => reduce(x, axes, reducedShape('sum', x.shape, axes), 0, (a, b) => a + b),
  max: (x, axes) => reduce(x, axes, reducedShape('max', x.shape, axes), -Infinity, (a, b) => Math.max(a, b)),

  reshape: (x, shape) => ({ ...cast(x, movedType(x)), shape: reshapedShape(x.shape, shape) }),
  transpose: (x, permutation) => {
    const inverse = axesOf(x.shape).map((axis) => permutation.indexOf(axis));
    return build(movedType(x), transposedShape(x.shape, permutation), (index) =>
      elementAt(
        x,
        inverse.map((axis) => index[axis]),
      ),
    );
  },
  broadcastTo: (x, shape) =>
    build(movedType(x), broadcastToShape(x.shape, shape), (index) => broadcastElementAt(x, index)),
  concat: (xs, axis) => {
    const shape = concatShape(
      xs.map((x) => x.shape),
      axis,
    );
    // Whose elements lie there along the axis, and where in it.
    const origins = xs.flatMap((x) => Array.from({ length: x.shape[axis] }, (_, along) => ({ x, along })));
    return build(xs.every((x) => x.dtype === 'i32') ? 'i32' : 'f64', shape, (index) => {
      const { x, along } = origins[index[axis]];
      return elementAt(x, index.with(axis, along));
    });
  },
  slice: (x, begin, size) =>
    build(movedType(x), sliceShape(x.shape, begin, size), (index) =>
      elementAt(
        x,
        index.map((i, axis) => begin[axis] + i),
      ),
    ),
  pad: (x, begin, shape) =>
    build(movedType(x), padShape(x.shape, begin, shape), (index) => {
      const inner = index.map((i, axis) => i - begin[axis]);
      return isInside(x.shape, inner) ? elementAt(x, inner) : 0;
    }),

  gather: (x, indices) => {
    const rank = indices.shape.length;
    return build(movedType(x), gatherShape(x.shape, indices.shape), (index) =>
      elementAt(x, [elementAt(indices, index.slice(0, rank)), ...index.slice(rank)]),
    );
  },
  scatterAdd: (indices, updates, rows) => {
    const rank = indices.shape.length;
    const shape = scatterAddShape(indices.shape, updates.shape, rows);
    const data = new Float64Array(sizeOf(shape));
    forEachIndex(updates.shape, (index, position) => {
      const row = elementAt(indices, index.slice(0, rank));
      data[positionOf(shape, [row, ...index.slice(rank)])] += updates.data[position];
    });
    return { shape, dtype: 'f64', data };
  },

  patches: (images, window) =>
    build(movedType(images), patchesShape(images.shape, window), (index) => {
      const position = imagePositionOf(images.shape, window, index);
      return position === null ? 0 : images.data[position];
    }),
  unpatches: (columns, window, shape) => {
    const images = unpatchesShape(columns.shape, window, shape);
    const data = new Float64Array(sizeOf(images));
    forEachIndex(columns.shape, (index, from) => {
      const position = imagePositionOf(images, window, index);
      if (position !== null) data[position] += columns.data[from];
    });
    return { shape: images, dtype: 'f64', data };
  },

  ...convolutions,

  stopGradient: (x) => x,
  keep: (_, x) => x,
  site: (_, __, output) => output,
};
