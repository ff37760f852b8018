/**
 * Shape rules of the primitives: what comes out of what goes in, or a `ShapeMismatch` that names the operation.
 *
 * One module, used by every interpreter, so that all of them reject the same programs with the same words.
 *
 * @module
 */
import { raise } from '../errors.ts';
import type { Shape } from '../tensor.ts';
import { checkShape, sameShape, showShape, sizeOf } from '../tensor.ts';
import type { Transposes } from './primitives.ts';
import type { Window } from './window.ts';

const mismatch = (where: string, expected: string, ...shapes: ReadonlyArray<Shape>): never =>
  raise({ _tag: 'ShapeMismatch', where, expected, actual: shapes.map(showShape).join(' and ') });

/** All axes of a shape: 0, 1, …. */
export const axesOf = (shape: Shape): ReadonlyArray<number> => shape.map((_, axis) => axis);

/** Shape of a broadcast elementwise operation. */
export const broadcastShape = (where: string, a: Shape, b: Shape): Shape => {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const x = a[axis - rank + a.length] ?? 1;
    const y = b[axis - rank + b.length] ?? 1;
    return x === y || y === 1 ? x : x === 1 ? y : mismatch(where, 'shapes that broadcast together', a, b);
  });
};

/** Axes of `to` along which a value of shape `from` is repeated when it is broadcast. */
export const raisedAxes = (from: Shape, to: Shape): ReadonlyArray<number> =>
  axesOf(to).filter((axis) => {
    const extent = from[axis - to.length + from.length];
    return extent === undefined || (extent === 1 && to[axis] !== 1);
  });

/** Extents of a product after the flagged transposes. `batch` is `null` for matrices. */
export interface ProductExtents {
  readonly batch: number | null;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Extents of `matmul`, from the operands' shapes. */
export const matmulExtents = (a: Shape, b: Shape, transposes: Transposes): ProductExtents => {
  const rank = a.length;
  if (rank !== b.length || (rank !== 2 && rank !== 3) || (rank === 3 && a[0] !== b[0])) {
    return mismatch('matmul', 'two matrices, or two batches of as many matrices', a, b);
  }
  const [rowsA, columnsA] = a.slice(-2);
  const [rowsB, columnsB] = b.slice(-2);
  const [m, k] = transposes.transposeA === true ? [columnsA, rowsA] : [rowsA, columnsA];
  const [inner, n] = transposes.transposeB === true ? [columnsB, rowsB] : [rowsB, columnsB];
  if (k !== inner) {
    const transposed = [
      ...(transposes.transposeA === true ? ['a'] : []),
      ...(transposes.transposeB === true ? ['b'] : []),
    ];
    const flags = transposed.length === 0 ? '' : ` (transposed: ${transposed.join(' and ')})`;
    return mismatch('matmul', `equal inner extents, not ${k} and ${inner}${flags}`, a, b);
  }
  return { batch: rank === 3 ? a[0] : null, m, n, k };
};

/** Shape of `matmul`. */
export const matmulShape = (a: Shape, b: Shape, transposes: Transposes): Shape => {
  const { batch, m, n } = matmulExtents(a, b, transposes);
  return batch === null ? [m, n] : [batch, m, n];
};

/** Shape of `affine`. */
export const affineShape = (x: Shape, weight: Shape, bias: Shape | null): Shape => {
  const fits =
    x.length === 2 &&
    weight.length === 2 &&
    x[1] === weight[1] &&
    (bias === null || (bias.length === 1 && bias[0] === weight[0]));
  return fits
    ? [x[0], weight[0]]
    : mismatch('affine', 'x [n, in], weight [out, in], bias [out]', x, weight, ...(bias === null ? [] : [bias]));
};

/** Shape of `gram`. */
export const gramShape = (x: Shape): Shape => (x.length === 2 ? [x[1], x[1]] : mismatch('gram', 'a matrix', x));

/** Shape of `sum` and `max` over axes. */
export const reducedShape = (where: string, x: Shape, axes: ReadonlyArray<number>): Shape =>
  axes.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < x.length) && new Set(axes).size === axes.length
    ? x.filter((_, axis) => !axes.includes(axis))
    : mismatch(where, `distinct axes of the operand, not [${axes.join(', ')}]`, x);

/** Checks that `reshape` keeps the number of elements. */
export const reshapedShape = (x: Shape, shape: Shape): Shape =>
  sizeOf(x) === sizeOf(checkShape('reshape', shape)) ? shape : mismatch('reshape', `${sizeOf(x)} elements`, x, shape);

/** Shape of `transpose`. */
export const transposedShape = (x: Shape, permutation: ReadonlyArray<number>): Shape =>
  permutation.length === x.length && axesOf(x).every((axis) => permutation.includes(axis))
    ? permutation.map((axis) => x[axis])
    : mismatch('transpose', `a permutation of the axes, not [${permutation.join(', ')}]`, x);

/** Checks that x broadcasts to a shape. */
export const broadcastToShape = (x: Shape, shape: Shape): Shape =>
  x.length <= shape.length && sameShape(broadcastShape('broadcastTo', x, checkShape('broadcastTo', shape)), shape)
    ? shape
    : mismatch('broadcastTo', 'a shape that the operand broadcasts to', x, shape);

/** Shape of `concat`. */
export const concatShape = (shapes: ReadonlyArray<Shape>, axis: number): Shape => {
  const fits =
    shapes.length > 0 &&
    Number.isInteger(axis) &&
    axis >= 0 &&
    axis < shapes[0].length &&
    shapes.every((s) => s.length === shapes[0].length && s.every((e, i) => i === axis || e === shapes[0][i]));
  return fits
    ? shapes[0].map((extent, i) => (i === axis ? shapes.reduce((sum, s) => sum + s[axis], 0) : extent))
    : mismatch('concat', `arrays that agree except along axis ${axis}`, ...shapes);
};

/** Shape of `slice`. */
export const sliceShape = (x: Shape, begin: ReadonlyArray<number>, size: ReadonlyArray<number>): Shape =>
  begin.length === x.length &&
  size.length === x.length &&
  begin.every(Number.isInteger) &&
  size.every(Number.isInteger) &&
  x.every((e, i) => begin[i] >= 0 && size[i] >= 0 && begin[i] + size[i] <= e)
    ? size
    : mismatch('slice', `a box inside the operand, not [${size.join(', ')}] at [${begin.join(', ')}]`, x);

/** Shape of `pad`. */
export const padShape = (x: Shape, begin: ReadonlyArray<number>, shape: Shape): Shape =>
  begin.length === x.length &&
  checkShape('pad', shape).length === x.length &&
  begin.every(Number.isInteger) &&
  x.every((e, i) => begin[i] >= 0 && begin[i] + e <= shape[i])
    ? shape
    : mismatch('pad', `a shape that holds the operand at [${begin.join(', ')}]`, x, shape);

/** Shape of `gather`. */
export const gatherShape = (x: Shape, indices: Shape): Shape =>
  x.length >= 1 ? [...indices, ...x.slice(1)] : mismatch('gather', 'an operand with rows', x);

/** Shape of `scatterAdd`. */
export const scatterAddShape = (indices: Shape, updates: Shape, rows: number): Shape =>
  updates.length >= indices.length && indices.every((e, i) => e === updates[i])
    ? [...checkShape('scatterAdd', [rows]), ...updates.slice(indices.length)]
    : mismatch('scatterAdd', 'updates whose first axes are those of the indices', indices, updates);

/** Shape of `patches`, or `null` where the images hold no window. */
const columnsShape = (images: Shape, window: Window): Shape | null => {
  const [n, h, w, c] = images;
  const { kernel, stride, dilation, padding } = window;
  const oh = Math.floor((h + padding[0] + padding[1] - dilation[0] * (kernel[0] - 1) - 1) / stride[0]) + 1;
  const ow = Math.floor((w + padding[2] + padding[3] - dilation[1] * (kernel[1] - 1) - 1) / stride[1]) + 1;
  return images.length === 4 && oh >= 1 && ow >= 1 ? [n, oh, ow, kernel[0] * kernel[1] * c] : null;
};

/** Groups of a convolution of images with filters `[out, kh * kw * c / groups]`, or `null` where they do not fit. */
const groupsIn = ([, , , c]: Shape, filters: Shape, { kernel }: Window): number | null => {
  const [out, length] = filters;
  const groups = (kernel[0] * kernel[1] * c) / length;
  const fits =
    filters.length === 2 &&
    out >= 1 &&
    Number.isInteger(groups) &&
    groups >= 1 &&
    c % groups === 0 &&
    out % groups === 0;
  return fits ? groups : null;
};

const imagesWithWindow = ({ kernel }: Window): string =>
  `images [n, h, w, c] that hold a window of ${kernel[0]} x ${kernel[1]}`;

/** Shape of `patches`. */
export const patchesShape = (images: Shape, window: Window): Shape =>
  columnsShape(images, window) ?? mismatch('patches', imagesWithWindow(window), images);

/** Groups of a convolution whose operands fit. */
export const groupsOf = (images: Shape, filters: Shape, { kernel }: Window): number =>
  (kernel[0] * kernel[1] * images[3]) / filters[1];

/** What a convolution is made of. */
export interface ConvolutionExtents {
  /** Runs of channels, and of filters. */
  readonly groups: number;
  /** Shape of the result, `[n, oh, ow, out]`. */
  readonly outputs: Shape;
}

/** Extents of a convolution between images, filters and outputs; operands that do not fit are named as they came. */
const extentsBetween = (
  where: string,
  images: Shape,
  filters: Shape,
  window: Window,
  operands: ReadonlyArray<Shape>,
): ConvolutionExtents => {
  const columns = columnsShape(images, window) ?? mismatch(where, imagesWithWindow(window), ...operands);
  const [kh, kw] = window.kernel;
  const groups =
    groupsIn(images, filters, window) ??
    mismatch(where, `filters [out, ${kh} * ${kw} * c / groups], groups that divide c and out`, ...operands);
  return { groups, outputs: [...columns.slice(0, 3), filters[0]] };
};

/** Extents of `convolve`. */
export const convolutionExtents = (images: Shape, filters: Shape, window: Window): ConvolutionExtents =>
  extentsBetween('convolve', images, filters, window, [images, filters]);

/** Extents of `convolveTransposed`: checks that the outputs are those of images of the given shape. */
export const convolveTransposedExtents = (
  outputs: Shape,
  filters: Shape,
  window: Window,
  shape: Shape,
): ConvolutionExtents => {
  const where = 'convolveTransposed';
  const extents = extentsBetween(where, checkShape(where, shape), filters, window, [outputs, filters]);
  return sameShape(extents.outputs, outputs)
    ? extents
    : mismatch(where, `outputs ${showShape(extents.outputs)} for images ${showShape(shape)}`, outputs, filters);
};

/** Shape of `correlate`, that of the filters. */
export const correlateShape = (images: Shape, outputs: Shape, window: Window, groups: number): Shape => {
  const where = 'correlate';
  const [kh, kw] = window.kernel;
  const filters = [outputs[3], (kh * kw * images[3]) / groups];
  const extents = extentsBetween(where, images, filters, window, [images, outputs]);
  return sameShape(extents.outputs, outputs)
    ? filters
    : mismatch(where, `outputs ${showShape(extents.outputs)} for those images`, images, outputs);
};

/** Shape of `unpatches`: checks that the columns are those of images of the given shape. */
export const unpatchesShape = (columns: Shape, window: Window, shape: Shape): Shape => {
  const expected = columnsShape(shape, window) ?? mismatch('unpatches', imagesWithWindow(window), columns, shape);
  return sameShape(expected, columns)
    ? shape
    : mismatch('unpatches', `columns ${showShape(expected)} for those images`, columns, shape);
};
