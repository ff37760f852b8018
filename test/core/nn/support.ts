/**
 * Arrays, sums and difference quotients for the laws of layers and losses, on the reference interpreter.
 *
 * @module
 */
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import type { Params } from '../../../src/core/params.ts';
import { mapParams, zipParams } from '../../../src/core/params.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { normal } from '../../../src/core/random/normal.ts';
import { foldIn } from '../../../src/core/random/split.ts';
import type { Shape, Tensor } from '../../../src/core/tensor.ts';
import { generate } from '../../../src/core/tensor.ts';

/** The interpreter of these tests. */
export const { ops } = referenceBackend();

/** Normal draws in f64, a different array for each seed. */
export const gaussian = (seed: number, shape: Shape): Tensor => normal(keyOf(seed), shape, 'f64');

/** Normal draws like each leaf. */
export const gaussianLike = (seed: number, params: Params<Tensor>): Params<Tensor> => {
  const paths = Object.keys(params);
  return mapParams(params, (leaf, path) => normal(foldIn(keyOf(seed), paths.indexOf(path)), leaf.shape, 'f64'));
};

/** The elements as plain numbers. */
export const values = (x: Tensor): ReadonlyArray<number> => Array.from(x.data);

/** Sum of all elements. */
export const total = (x: Tensor): number => values(x).reduce((sum, value) => sum + value, 0);

/** ⟨x, y⟩ over all elements. */
export const inner = (x: Tensor, y: Tensor): number => values(x).reduce((sum, value, i) => sum + value * y.data[i], 0);

/** ⟨x, y⟩ over all leaves. */
export const innerParams = (x: Params<Tensor>, y: Params<Tensor>): number =>
  Object.entries(x).reduce((sum, [path, leaf]) => sum + inner(leaf, y[path]), 0);

/** x + c v. */
export const moved = (x: Tensor, c: number, v: Tensor): Tensor => generate(x.shape, (i) => x.data[i] + c * v.data[i]);

/** x + c v, leaf by leaf. */
export const movedParams = (x: Params<Tensor>, c: number, v: Params<Tensor>): Params<Tensor> =>
  zipParams(x, v, (leaf, direction) => moved(leaf, c, direction));

/** c x, leaf by leaf. */
export const scaledParams = (c: number, x: Params<Tensor>): Params<Tensor> =>
  mapParams(x, (leaf) => generate(leaf.shape, (i) => c * leaf.data[i]));

/**
 * f′(0) from central differences D, as (4 D(h) − D(2h)) / 3. At h = 10⁻³ the error is about 10⁻¹³ times the fifth
 * derivative (truncation, order h⁴) plus 10⁻¹³ times f (rounding, ε / h).
 */
export const derivativeAlong = (f: (c: number) => number): number => {
  const h = 1e-3;
  const central = (step: number): number => (f(step) - f(-step)) / (2 * step);
  return (4 * central(h) - central(2 * h)) / 3;
};

/** The difference of two numbers on the scale of their size. */
export const relativeGap = (actual: number, expected: number): number =>
  Math.abs(actual - expected) / (1 + Math.abs(expected));
