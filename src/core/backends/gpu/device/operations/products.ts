/**
 * Matrix products on a machine.
 *
 * @module
 */
import type { Primitives } from '../../../../ops/primitives.ts';
import { affineShape, gramShape, matmulExtents } from '../../../../ops/shapes.ts';
import type { Shape } from '../../../../tensor.ts';
import { sizeOf } from '../../../../tensor.ts';
import { broadcastStrides } from '../../../host/strides.ts';

import { fillKernel } from '../kernels/elementwise.ts';
import { mirrorKernel, stridedKernel } from '../kernels/movement.ts';
import type { ProductSpec } from '../kernels/products.ts';
import { plainProductKernel, wideProductKernel } from '../kernels/products.ts';
import type { Machine, MachineArray } from './machine.ts';

/** Order from which half the work and a kernel more take less time than all of it. */
const worthMirroring = 128;

/** The primitives that multiply matrices. */
export const products = <T extends MachineArray>(
  machine: Machine<T>,
): Pick<Primitives<T>, 'matmul' | 'affine' | 'gram'> => {
  const { launch, nothing, readsVectors } = machine;

  const zeros = (shape: Shape): T =>
    sizeOf(shape) === 0 ? nothing(shape, 'f32') : launch(fillKernel(sizeOf(shape)), [], [0], shape);

  const multiply = (spec: ProductSpec, xs: ReadonlyArray<T>, shape: Shape): T => {
    if (sizeOf(shape) === 0) return nothing(shape, 'f32');
    const kernel = readsVectors && spec.n % 4 === 0 ? wideProductKernel(spec) : plainProductKernel(spec);
    return launch(kernel, xs, [], shape);
  };

  return {
    matmul: (a, b, transposes = {}) => {
      const { batch, m, n, k } = matmulExtents(a.shape, b.shape, transposes);
      const { transposeA = false, transposeB = false } = transposes;
      const shape = batch === null ? [m, n] : [batch, m, n];
      if (k === 0) return zeros(shape);
      return multiply({ batch: batch ?? 1, m, n, k, transposeA, transposeB, bias: false, upper: false }, [a, b], shape);
    },
    affine: (x, weight, bias) => {
      const shape = affineShape(x.shape, weight.shape, bias === null ? null : bias.shape);
      const [m, n] = shape;
      const k = x.shape[1];
      if (k === 0 && bias !== null && m * n > 0) {
        return launch(stridedKernel(shape, broadcastStrides(bias.shape, shape), n), [bias], [], shape);
      }
      if (k === 0) return zeros(shape);
      const spec = { batch: 1, m, n, k, transposeA: false, transposeB: true, bias: bias !== null, upper: false };
      return multiply(spec, bias === null ? [x, weight] : [x, weight, bias], shape);
    },
    gram: (x) => {
      const shape = gramShape(x.shape);
      const [k, n] = x.shape;
      if (k === 0) return zeros(shape);
      const upper = n >= worthMirroring;
      const spec = { batch: 1, m: n, n, k, transposeA: true, transposeB: false, bias: false, upper };
      const product = multiply(spec, [x, x], shape);
      return upper ? launch(mirrorKernel(n), [product], [], shape) : product;
    },
  };
};
