/**
 * Operations on a machine that move elements.
 *
 * @module
 */
import { raise } from '../../../../errors.ts';
import type { Derived } from '../../../../ops/ops.ts';
import type { Primitives } from '../../../../ops/primitives.ts';
import {
  broadcastToShape,
  concatShape,
  gatherShape,
  padShape,
  patchesShape,
  reshapedShape,
  scatterAddShape,
  sliceShape,
  transposedShape,
  unpatchesShape,
} from '../../../../ops/shapes.ts';
import type { Shape, Tensor } from '../../../../tensor.ts';
import { checkShape, checkTensor, sameShape, showShape, sizeOf } from '../../../../tensor.ts';
import { broadcastStrides, denseStrides } from '../../../host/strides.ts';

import { fillKernel } from '../kernels/elementwise.ts';
import type { Kernel } from '../kernels/kernel.ts';
import { mostArrays } from '../kernels/kernel.ts';
import { addDiagonalKernel, concatKernel, padKernel, stridedKernel, withOnesKernel } from '../kernels/movement.ts';
import { gatherKernel, oneHotKernel, scatterAddKernel } from '../kernels/rows.ts';
import { patchesKernel, unpatchesKernel } from '../kernels/windows.ts';
import type { DeviceType, Machine, MachineArray } from './machine.ts';

/** The operations of this file. */
type Movement<T extends MachineArray> = Pick<
  Primitives<T>,
  | 'constant'
  | 'full'
  | 'reshape'
  | 'transpose'
  | 'broadcastTo'
  | 'concat'
  | 'slice'
  | 'pad'
  | 'gather'
  | 'scatterAdd'
  | 'patches'
  | 'unpatches'
> &
  Pick<Derived<T>, 'transposed' | 'oneHot' | 'withOnes' | 'addDiagonal'>;

/** The largest integer up to which floats hold all of them. */
const exactIntegers = 2 ** 24;

const checkIntegers = ({ data }: Tensor): void => {
  for (let i = 0; i < data.length; i += 1) {
    if (Math.abs(data[i]) > exactIntegers) {
      raise({
        _tag: 'BadData',
        source: 'constant',
        expected: 'integers up to 2^24, all that a float of the device holds exactly',
        actual: String(data[i]),
        advice: 'Use the native or the reference backend.',
      });
    }
  }
};

/** Operations that move elements. */
export const movement = <T extends MachineArray>(machine: Machine<T>): Movement<T> => {
  const { launch, nothing, view } = machine;

  /** Launches a kernel, unless there is nothing to compute. */
  const compute = (
    shape: Shape,
    kernel: () => Kernel,
    arrays: ReadonlyArray<T>,
    dtype: DeviceType = 'f32',
    numbers: ReadonlyArray<number> = [],
  ): T => (sizeOf(shape) === 0 ? nothing(shape, dtype) : launch(kernel(), arrays, numbers, shape, dtype));

  const full = (shape: Shape, value: number, dtype: DeviceType = 'f32'): T =>
    compute(shape, () => fillKernel(sizeOf(shape)), [], dtype, [value]);

  /** Joins matrices with as many rows, as many at once as a kernel takes. */
  const join = (pieces: ReadonlyArray<T>, rows: number, dtype: DeviceType): T => {
    if (pieces.length === 1) return pieces[0];
    const now = pieces.slice(0, mostArrays);
    const widths = now.map(({ shape }) => sizeOf(shape) / rows);
    const width = widths.reduce((sum, w) => sum + w, 0);
    const joined = launch(concatKernel(rows, widths), now, [], [rows, width], dtype);
    return join([joined, ...pieces.slice(mostArrays)], rows, dtype);
  };

  const transpose = (x: T, permutation: ReadonlyArray<number>): T => {
    const shape = transposedShape(x.shape, permutation);
    const strides = denseStrides(x.shape);
    return compute(
      shape,
      () =>
        stridedKernel(
          shape,
          permutation.map((axis) => strides[axis]),
          sizeOf(shape),
        ),
      [x],
      x.dtype,
    );
  };

  return {
    constant: (value) => {
      checkTensor('constant', value);
      const dtype = value.dtype === 'i32' ? 'i32' : 'f32';
      if (value.data.length === 0) return nothing(value.shape, dtype);
      if (dtype === 'i32') checkIntegers(value);
      return machine.upload(value, dtype);
    },
    full: (shape, value) => full(checkShape('full', shape), value),
    reshape: (x, shape) => view(x, reshapedShape(x.shape, shape)),
    transpose,
    transposed: (m) => transpose(m, [1, 0]),
    broadcastTo: (x, shape) => {
      broadcastToShape(x.shape, shape);
      return sameShape(x.shape, shape)
        ? x
        : compute(shape, () => stridedKernel(shape, broadcastStrides(x.shape, shape), sizeOf(x.shape)), [x], x.dtype);
    },
    concat: (xs, axis) => {
      const shape = concatShape(
        xs.map((x) => x.shape),
        axis,
      );
      const [{ dtype }] = xs;
      const full = xs.filter((x) => sizeOf(x.shape) > 0);
      return full.length === 0 ? nothing(shape, dtype) : view(join(full, sizeOf(shape.slice(0, axis)), dtype), shape);
    },
    slice: (x, begin, size) => {
      const shape = sliceShape(x.shape, begin, size);
      if (sameShape(shape, x.shape)) return x;
      const strides = denseStrides(x.shape);
      const start = strides.reduce((sum, stride, axis) => sum + stride * begin[axis], 0);
      return compute(shape, () => stridedKernel(shape, strides, sizeOf(x.shape), start), [x], x.dtype);
    },
    pad: (x, begin, shape) => {
      padShape(x.shape, begin, shape);
      if (sizeOf(x.shape) === 0) return full(shape, 0, x.dtype);
      return sameShape(shape, x.shape) ? x : compute(shape, () => padKernel(x.shape, begin, shape), [x], x.dtype);
    },
    gather: (x, indices) => {
      const shape = gatherShape(x.shape, indices.shape);
      const width = sizeOf(x.shape.slice(1));
      if (sizeOf(x.shape) === 0) return full(shape, NaN, x.dtype);
      const kernel = (): Kernel => gatherKernel(x.shape[0], width, sizeOf(indices.shape));
      return compute(shape, kernel, [x, indices], x.dtype, [NaN]);
    },
    scatterAdd: (indices, updates, rows) => {
      const shape = scatterAddShape(indices.shape, updates.shape, rows);
      const width = sizeOf(shape.slice(1));
      if (sizeOf(updates.shape) === 0) return full(shape, 0);
      return compute(shape, () => scatterAddKernel(rows, width, sizeOf(indices.shape)), [indices, updates]);
    },
    patches: (images, window) => {
      const shape = patchesShape(images.shape, window);
      return compute(shape, () => patchesKernel(images.shape, shape, window), [images], images.dtype);
    },
    unpatches: (columns, window, shape) => {
      unpatchesShape(columns.shape, window, shape);
      return compute(shape, () => unpatchesKernel(columns.shape, shape, window), [columns]);
    },
    oneHot: (indices, classes) => {
      const shape = [...indices.shape, classes];
      return compute(shape, () => oneHotKernel(classes, sizeOf(indices.shape)), [indices]);
    },
    withOnes: (x) => {
      const [rows, columns] = concatShape([x.shape, [x.shape[0], 1]], 1);
      if (columns === 1) return full([rows, 1], 1);
      return compute([rows, columns], () => withOnesKernel(rows, columns - 1), [x]);
    },
    addDiagonal: (m, c) => {
      const [n] = m.shape;
      if (m.shape.length !== 2 || m.shape[1] !== n) {
        return raise({
          _tag: 'ShapeMismatch',
          where: 'addDiagonal',
          expected: 'a square matrix',
          actual: showShape(m.shape),
        });
      }
      return compute(m.shape, () => addDiagonalKernel(n), [m], 'f32', [c]);
    },
  };
};
