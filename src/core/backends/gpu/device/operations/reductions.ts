/**
 * Reductions on a machine.
 *
 * @module
 */
import { raise } from '../../../../errors.ts';
import type { Derived } from '../../../../ops/ops.ts';
import type { Primitives } from '../../../../ops/primitives.ts';
import { axesOf, reducedShape } from '../../../../ops/shapes.ts';
import type { Shape } from '../../../../tensor.ts';
import { sameShape, showShape, sizeOf } from '../../../../tensor.ts';

import { fillKernel } from '../kernels/elementwise.ts';
import { specialNumbers } from '../kernels/functions.ts';
import type { Reducing, Reduction } from '../kernels/reductions.ts';
import { reduceKernel, reducingOf, splitReduction } from '../kernels/reductions.ts';
import type { RowFunction } from '../kernels/softmax.ts';
import { elementKernel, logSumExpKernel, rowKernel } from '../kernels/softmax.ts';
import type { Machine, MachineArray } from './machine.ts';

/** The operations of this file. */
type Reductions<T extends MachineArray> = Pick<Primitives<T>, 'sum' | 'max'> &
  Pick<Derived<T>, 'dot' | 'trace' | 'logSumExp' | 'softmax' | 'logSoftmax'>;

/** What a reduction over nothing gives. */
const neutral: Readonly<Record<Reduction, number>> = { sum: 0, dot: 0, max: -Infinity };

/** Reductions. */
export const reductions = <T extends MachineArray>(machine: Machine<T>): Reductions<T> => {
  const { launch, nothing } = machine;

  const full = (shape: Shape, value: number): T =>
    sizeOf(shape) === 0 ? nothing(shape, 'f32') : launch(fillKernel(sizeOf(shape)), [], [value], shape);

  const through = (reduction: Reduction, reducing: Reducing, xs: ReadonlyArray<T>, shape: Shape): T => {
    const split = splitReduction(reduction, reducing);
    if (split === null) return launch(reduceKernel(reduction, reducing), xs, [], shape);
    const { kernel, parts } = split;
    const partial = launch(kernel, xs, [], [...shape, parts]);
    const rest = reducingOf(partial.shape, [shape.length]);
    return launch(reduceKernel(reduction === 'max' ? 'max' : 'sum', rest), [partial], [], shape);
  };

  const reduce = (reduction: 'sum' | 'max', x: T, axes: ReadonlyArray<number>): T => {
    const shape = reducedShape(reduction, x.shape, axes);
    if (sizeOf(x.shape) === 0 || sizeOf(shape) === 0) return full(shape, neutral[reduction]);
    return through(reduction, reducingOf(x.shape, axes), [x], shape);
  };

  const rowsOf = (where: string, x: T): { readonly shape: Shape; readonly rows: number; readonly columns: number } => {
    const last = x.shape.length - 1;
    const shape = reducedShape(where, x.shape, [last]);
    return { shape, rows: sizeOf(shape), columns: x.shape[last] };
  };

  const logSumExp = (x: T): T => {
    const { shape, rows, columns } = rowsOf('logSumExp', x);
    if (rows * columns === 0) return full(shape, -Infinity);
    return launch(logSumExpKernel(rows, columns), [x], specialNumbers, shape);
  };

  const overRows = (of: RowFunction, x: T): T => {
    const { rows, columns } = rowsOf(of, x);
    if (rows * columns === 0) return nothing(x.shape, 'f32');
    const ofRows = launch(rowKernel(of, rows, columns), [x], of === 'softmax' ? [] : specialNumbers, [rows, 2]);
    return launch(elementKernel(of, rows, columns), [x, ofRows], [], x.shape);
  };

  return {
    sum: (x, axes) => reduce('sum', x, axes),
    max: (x, axes) => reduce('max', x, axes),
    dot: (x, y) => {
      if (!sameShape(x.shape, y.shape)) {
        return raise({
          _tag: 'ShapeMismatch',
          where: 'dot',
          expected: 'two arrays of one shape',
          actual: `${showShape(x.shape)} and ${showShape(y.shape)}`,
        });
      }
      return sizeOf(x.shape) === 0 ? full([], 0) : through('dot', reducingOf(x.shape, axesOf(x.shape)), [x, y], []);
    },
    trace: (m) => {
      const [n] = m.shape;
      if (m.shape.length !== 2 || m.shape[1] !== n) {
        return raise({
          _tag: 'ShapeMismatch',
          where: 'trace',
          expected: 'a square matrix',
          actual: showShape(m.shape),
        });
      }
      const diagonal = { kept: { extents: [1], strides: [1] }, reduced: { extents: [n], strides: [n + 1] } };
      return n === 0 ? full([], 0) : through('sum', diagonal, [m], []);
    },
    logSumExp,
    softmax: (x) => overRows('softmax', x),
    logSoftmax: (x) => overRows('logSoftmax', x),
  };
};
