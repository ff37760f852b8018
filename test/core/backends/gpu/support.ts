/**
 * What the tests of the gpu.js layer share: an open gpu.js, matrices, and the definition of a product with its bound.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import type { Gpu, MemoryMode } from '../../../../src/core/backends/gpu/gpujs/gpujs.ts';
import { openGpu } from '../../../../src/core/backends/gpu/gpujs/gpujs.ts';
import type { ProductShape } from '../../../../src/core/backends/host/kernels/products.ts';
import { describeError } from '../../../../src/core/errors.ts';
import type { ReadonlyVector } from '../../../../src/core/tensor.ts';

/** gpu.js in a mode that every test machine has. */
export const openOrThrow = (mode: MemoryMode): Gpu => {
  const opened = openGpu(mode);
  if (E.isLeft(opened)) throw new Error(describeError(opened.left));
  return opened.right;
};

/** Repeatable entries in [-1, 1]. */
export const entries = (length: number, seed = 1): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed));

/** Extents from 0 to 13 (below, at and beyond the width of tiles), all transposes, and a seed for the entries. */
export const smallShapes: fc.Arbitrary<ProductShape & { readonly seed: number }> = fc.record({
  m: fc.integer({ min: 0, max: 13 }),
  n: fc.integer({ min: 0, max: 13 }),
  k: fc.integer({ min: 0, max: 13 }),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  seed: fc.integer({ min: 0, max: 1000 }),
});

/** A product in f64, and Σ|a||b| + |bias|, to which rounding errors are proportional. */
export const exactProduct = (
  a: ReadonlyVector,
  b: ReadonlyVector,
  shape: ProductShape,
  bias?: ReadonlyVector,
): { readonly value: Float64Array; readonly magnitude: Float64Array } => {
  const { m, n, k, transposeA, transposeB } = shape;
  const value = new Float64Array(m * n);
  const magnitude = new Float64Array(m * n);
  for (let i = 0; i < m; i += 1) {
    for (let j = 0; j < n; j += 1) {
      const at = i * n + j;
      if (bias !== undefined) {
        value[at] = bias[j];
        magnitude[at] = Math.abs(bias[j]);
      }
      for (let p = 0; p < k; p += 1) {
        const term = a[transposeA ? p * m + i : i * k + p] * b[transposeB ? j * k + p : p * n + j];
        value[at] += term;
        magnitude[at] += Math.abs(term);
      }
    }
  }
  return { value, magnitude };
};

/** Half the distance from 1 to the next f32. */
export const unitRoundoff = 2 ** -24;

/** The bound of `terms` additions of rounded products, as a multiple of the sum of magnitudes: t u / (1 - t u). */
export const gamma = (terms: number): number => (terms * unitRoundoff) / (1 - terms * unitRoundoff);

/** The largest |actual - value| / (bound · magnitude + slack); at most 1 when all elements keep the bound. */
export const excess = (
  actual: ReadonlyVector,
  expected: { readonly value: ReadonlyVector; readonly magnitude: ReadonlyVector },
  bound: number,
  slack = 0,
): number => {
  if (actual.length !== expected.value.length) return Infinity;
  let most = 0;
  for (let i = 0; i < actual.length; i += 1) {
    const error = Math.abs(actual[i] - expected.value[i]);
    if (error === 0) continue;
    const ratio = error / (bound * expected.magnitude[i] + slack);
    if (!(ratio <= most)) most = Number.isNaN(ratio) ? Infinity : ratio;
  }
  return most;
};
