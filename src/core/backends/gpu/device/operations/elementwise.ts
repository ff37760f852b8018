/**
 * Elementwise operations on a machine.
 *
 * @module
 */
import type { Derived, Ops } from '../../../../ops/ops.ts';
import type { Primitives } from '../../../../ops/primitives.ts';
import { unaryDerivative } from '../../../../ops/derived.ts';
import { broadcastShape } from '../../../../ops/shapes.ts';
import type { Shape } from '../../../../tensor.ts';
import { sameShape, sizeOf } from '../../../../tensor.ts';

import {
  binaryKernel,
  combineKernel,
  pairKernel,
  scaleKernel,
  selectKernel,
  unaryKernel,
  vjpKernel,
} from '../kernels/elementwise.ts';
import type { PairKind } from '../kernels/functions.ts';
import { needsSpecials, specialNumbers } from '../kernels/functions.ts';
import type { Kernel } from '../kernels/kernel.ts';
import type { Machine, MachineArray } from './machine.ts';

/** The operations of this file. */
type Elementwise<T extends MachineArray> = Pick<Primitives<T>, 'unary' | 'binary' | 'select'> &
  Pick<Derived<T>, 'scale' | 'linearCombination' | 'unaryVjp' | PairKind>;

/**
 * Elementwise operations.
 *
 * @param machine - runs kernels
 * @param self - the completed interpreter, for cases without a kernel of their own
 */
export const elementwise = <T extends MachineArray>(machine: Machine<T>, self: () => Ops<T>): Elementwise<T> => {
  const { launch, nothing } = machine;

  /** Launches a kernel, unless there is nothing to compute. */
  const compute = (
    shape: Shape,
    kernel: () => Kernel,
    arrays: ReadonlyArray<T>,
    numbers: ReadonlyArray<number> = [],
  ): T => (sizeOf(shape) === 0 ? nothing(shape, 'f32') : launch(kernel(), arrays, numbers, shape));

  const ofTwo =
    (kind: PairKind): Ops<T>[PairKind] =>
    (x, y) => {
      const shape = broadcastShape(kind, x.shape, y.shape);
      return compute(shape, () => pairKernel(kind, x.shape, y.shape, shape), [x, y]);
    };

  return {
    unary: (kind, x) =>
      compute(x.shape, () => unaryKernel(kind, sizeOf(x.shape)), [x], needsSpecials.has(kind) ? specialNumbers : []),
    binary: (kind, a, b) => {
      const shape = broadcastShape(kind, a.shape, b.shape);
      return compute(shape, () => binaryKernel(kind, a.shape, b.shape, shape), [a, b]);
    },
    select: (condition, a, b) => {
      const shape = broadcastShape('select', condition.shape, broadcastShape('select', a.shape, b.shape));
      return compute(shape, () => selectKernel(condition.shape, a.shape, b.shape, shape), [condition, a, b]);
    },
    scale: (c, x) => compute(x.shape, () => scaleKernel(sizeOf(x.shape)), [x], [c]),
    linearCombination: (a, x, b, y) =>
      sameShape(x.shape, y.shape)
        ? compute(x.shape, () => combineKernel(sizeOf(x.shape)), [x, y], [a, b])
        : self().add(self().scale(a, x), self().scale(b, y)),
    unaryVjp: (kind, x, y, cotangent) =>
      sameShape(x.shape, cotangent.shape)
        ? compute(x.shape, () => vjpKernel(kind, sizeOf(x.shape)), [x, y, cotangent])
        : self().mul(cotangent, unaryDerivative(self(), kind, x, y)),
    sigmoidMinus: ofTwo('sigmoidMinus'),
    sigmoidCrossEntropy: ofTwo('sigmoidCrossEntropy'),
  };
};
