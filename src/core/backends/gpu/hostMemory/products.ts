/**
 * Matrix products on flat row-major f32 arrays, through kernels that are compiled by the first product of a shape.
 *
 * Arrays are copied into a kernel and out of it, which takes a few per cent of the time of a product that is large
 * enough for a kernel. Buffers for packed operands are kept between calls, which is safe because gpu.js copies its
 * arguments before a call returns.
 *
 * @module
 */
import { raise } from '../../../errors.ts';
import type { ReadonlyVector } from '../../../tensor.ts';

import type { GpuKernel } from '../gpujs/gpujs.ts';
import type { KernelOutput } from '../gpujs/kernelOutput.ts';
import type { CacheLimits, SizedKernel } from '../gpujs/kernelCache.ts';
import { defaultLimits, kernelCache } from '../gpujs/kernelCache.ts';
import type { MatmulSpec, OperandLayout } from './matmulSource.ts';
import { matmulSource } from './matmulSource.ts';
import { packPanels, packTransposed, unpackSymmetric, unpackTiles } from './panels.ts';
import type { ProductShape } from '../../host/kernels/products.ts';
import type { KernelPlan, ProductPlan, SymmetricPlan } from './plan.ts';
import { planProduct, planSymmetric } from './plan.ts';
import { smallProduct } from '../../portable/products/plain.ts';
import { symmetricSource } from './symmetricSource.ts';
import type { KernelMaker } from './threads/kernels.ts';
import { paddedColumns, threadsOf, tilingOf } from './tiling.ts';

/** What is done to a product besides computing it, and where it goes. */
export interface ProductOptions {
  /** Added to every row, n elements. */
  readonly bias?: ReadonlyVector | null;
  /** Receives the result; a new array unless given. */
  readonly out?: Float32Array;
}

/** Matrix products. Everything is row-major. */
export interface Products {
  /** `op(A) op(B) + bias`, shape [m, n]. */
  readonly matmul: (
    a: ReadonlyVector,
    b: ReadonlyVector,
    shape: ProductShape,
    options?: ProductOptions,
  ) => Float32Array;
  /** `XᵀX`, shape [columns, columns], symmetric bit for bit, for X [rows, columns]. */
  readonly gram: (x: ReadonlyVector, rows: number, columns: number, out?: Float32Array) => Float32Array;
  /** How many kernels there are, and the memory they hold. */
  readonly usage: () => CacheLimits;
  /** Destroys all kernels; later products compile them anew. */
  readonly clear: () => void;
}

/** Bounds of the kernel cache, and plans other than the measured ones. */
export interface ProductSettings {
  readonly limits?: CacheLimits;
  readonly planProduct?: (shape: ProductShape) => ProductPlan;
  readonly planSymmetric?: (d: number, k: number) => SymmetricPlan;
}

const requireLength = (where: string, what: string, values: ReadonlyVector, length: number): void => {
  if (values.length === length) return;
  raise({
    _tag: 'ShapeMismatch',
    where,
    expected: `${length} elements of ${what}`,
    actual: `${values.length} elements`,
  });
};

/** A buffer that grows and is used again; its contents are only good until the next call. */
const scratch = (): ((length: number) => Float32Array) => {
  let buffer = new Float32Array(0);
  return (length) => {
    if (buffer.length < length) buffer = new Float32Array(length);
    return buffer.subarray(0, length);
  };
};

const cellsOf = (output: KernelOutput): number => output.size.reduce((product, extent) => product * extent, 1);

/** Memory of a kernel: its arguments and results unless they have room elsewhere, and a megabyte that gpu.js adds. */
const bytesOf = (oneMemory: boolean, lengths: ReadonlyArray<number>, output: KernelOutput): number => {
  const length = lengths.reduce((sum, n) => sum + n, cellsOf(output) * output.components);
  return (oneMemory ? 0 : 4 * length) + 2 ** 20;
};

/** C with the bias added to every row, in place, for products in plain loops. */
const addBias = (c: Float32Array, n: number, bias: ReadonlyVector): void => {
  for (let i = 0; i < c.length; i += 1) c[i] += bias[i % n];
};

/**
 * Products on an open gpu.js.
 *
 * @param gpu - what makes kernels, gpu.js itself or one that runs them on several threads
 * @param settings - bounds and plans
 */
export const productsOn = (gpu: KernelMaker, settings: ProductSettings = {}): Products => {
  const cache = kernelCache<GpuKernel>(settings.limits ?? defaultLimits);
  const plan = settings.planProduct ?? planProduct;
  const planGram = settings.planSymmetric ?? planSymmetric;
  const packedLeft = scratch();
  const packedRight = scratch();
  const paddedBias = scratch();

  const sized = (
    source: string,
    output: KernelOutput,
    lengths: ReadonlyArray<number>,
    work: number,
  ): SizedKernel<GpuKernel> => ({
    kernel: gpu.createKernel(source, output, lengths, work),
    bytes: bytesOf(gpu.oneMemory ?? false, lengths, output),
  });

  /** An operand as a kernel reads it; `across` tells that sums run along the rows of `values`, not down its columns. */
  const operand = (
    values: ReadonlyVector,
    across: boolean,
    layout: OperandLayout,
    width: number,
    k: number,
    room: () => Float32Array,
  ): ReadonlyVector => {
    if (layout !== 'panels') return values;
    const packed = room();
    if (across) packTransposed(values, width, k, packed);
    else packPanels(values, k, width, packed);
    return packed;
  };

  const byKernel = (
    a: ReadonlyVector,
    b: ReadonlyVector,
    shape: ProductShape,
    { swapped, left: layoutLeft, right: layoutRight }: KernelPlan,
    bias: ReadonlyVector | null,
    out: Float32Array,
  ): void => {
    const { k, transposeA, transposeB } = shape;
    const [m, n] = swapped ? [shape.n, shape.m] : [shape.m, shape.n];
    const tiling = tilingOf(m, n, k, layoutRight === 'panels');
    const biasAlong = bias === null ? null : swapped ? 'rows' : 'columns';
    const [first, firstAcross, second, secondAcross] = swapped
      ? [b, transposeB, a, !transposeA]
      : [a, !transposeA, b, transposeB];
    const leftLength = layoutLeft === 'panels' ? 4 * tiling.rows * k : m * k;
    const rightLength = (layoutRight === 'panels' ? paddedColumns(tiling) : n) * k;
    const biasLength = swapped ? 4 * tiling.rows : paddedColumns(tiling);
    const key = `matmul ${m} ${n} ${k} ${layoutLeft} ${layoutRight} ${biasAlong ?? ''}`;
    const kernel = cache.obtain(key, () => {
      const spec: MatmulSpec = { m, n, k, a: layoutLeft, b: layoutRight, bias: biasAlong, tiling };
      const output: KernelOutput = { size: threadsOf(tiling), components: 4 };
      const lengths = [leftLength, rightLength, ...(bias === null ? [] : [biasLength])];
      return sized(matmulSource(spec), output, lengths, m * n * k);
    });
    const { place } = kernel;
    const left = operand(first, firstAcross, layoutLeft, m, k, () => place?.(0) ?? packedLeft(leftLength));
    const right = operand(second, secondAcross, layoutRight, n, k, () => place?.(1) ?? packedRight(rightLength));
    if (bias === null) {
      unpackTiles(kernel.run(left, right), tiling, m, n, swapped, out);
      return;
    }
    const padded = paddedBias(biasLength);
    padded.set(bias);
    unpackTiles(kernel.run(left, right, padded), tiling, m, n, swapped, out);
  };

  return {
    matmul: (a, b, shape, options = {}) => {
      const { m, n, k, transposeA, transposeB } = shape;
      const { bias = null, out = new Float32Array(m * n) } = options;
      requireLength('matmul', 'A', a, m * k);
      requireLength('matmul', 'B', b, k * n);
      requireLength('matmul', 'C', out, m * n);
      if (bias !== null) requireLength('matmul', 'bias', bias, n);
      const chosen: ProductPlan = m * n * k === 0 ? { by: 'loops' } : plan(shape);
      if (chosen.by === 'kernel') {
        byKernel(a, b, shape, chosen, bias, out);
        return out;
      }
      smallProduct(m, n, k, transposeA, transposeB, a, b, out);
      if (bias !== null) addBias(out, n, bias);
      return out;
    },
    gram: (x, rows, columns, out = new Float32Array(columns * columns)) => {
      requireLength('gram', 'X', x, rows * columns);
      requireLength('gram', 'XᵀX', out, columns * columns);
      const chosen: SymmetricPlan = rows * columns === 0 ? { by: 'loops' } : planGram(columns, rows);
      if (chosen.by === 'loops') {
        smallProduct(columns, columns, rows, true, false, x, x, out);
        return out;
      }
      const { layout } = chosen;
      const tiling = tilingOf(columns, columns, rows, layout === 'panels');
      const length = (layout === 'panels' ? paddedColumns(tiling) : columns) * rows;
      const kernel = cache.obtain(`gram ${columns} ${rows} ${layout}`, () =>
        sized(
          symmetricSource({ d: columns, k: rows, layout, tiling }),
          { size: threadsOf(tiling), components: 4 },
          [length],
          (columns * columns * rows) / 2,
        ),
      );
      const packed = operand(x, false, layout, columns, rows, () => kernel.place?.(0) ?? packedLeft(length));
      unpackSymmetric(kernel.run(packed), tiling, columns, out);
      return out;
    },
    usage: cache.usage,
    clear: cache.clear,
  };
};
