/**
 * What the tests of the differentiating interpreters share: arrays, inner products, counting.
 *
 * @module
 */
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import type { Program } from '../../../src/core/autodiff/program.ts';
import type { Ops } from '../../../src/core/ops/ops.ts';
import { completeOps } from '../../../src/core/ops/complete.ts';
import type { Params } from '../../../src/core/params.ts';
import { mapParams, zipParams } from '../../../src/core/params.ts';
import { foldIn } from '../../../src/core/random/split.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { normal } from '../../../src/core/random/normal.ts';
import type { Shape, Shaped, Tensor } from '../../../src/core/tensor.ts';
import { generate, sizeOf } from '../../../src/core/tensor.ts';

/** The interpreter below the ones under test. */
export const ops: Ops<Tensor> = referenceBackend().ops;

/** Normal draws of a shape; equal seeds give equal draws. */
export const noise = (seed: number, shape: Shape): Tensor => normal(keyOf(seed), shape, 'f64');

/** Normal draws in the shapes of a tree. */
export const noiseLike = (seed: number, tree: Params<Shaped>): Params<Tensor> => {
  const paths = Object.keys(tree);
  return mapParams(tree, (leaf, path) => normal(foldIn(keyOf(seed), paths.indexOf(path)), leaf.shape, 'f64'));
};

/** a + c b, leaf by leaf. */
export const moved = (a: Params<Tensor>, c: number, b: Params<Tensor>): Params<Tensor> =>
  zipParams(a, b, (x, y) => generate(x.shape, (i) => x.data[i] + c * y.data[i]));

/** The same direction with no element above 1, so that a finite difference stays near the point. */
export const atMostOne = (u: Params<Tensor>): Params<Tensor> => {
  const largest = Math.max(1, ...flat(u).map(Math.abs));
  return mapParams(u, (leaf) => generate(leaf.shape, (i) => leaf.data[i] / largest));
};

/** An inner product with its scale: the sum of the magnitudes of its terms, which bounds the rounding error. */
export interface Product {
  readonly value: number;
  readonly scale: number;
}

const products = (pairs: ReadonlyArray<readonly [Tensor, Tensor]>): Product => {
  const terms = pairs.flatMap(([x, y]) => Array.from(x.data, (value, i) => value * y.data[i]));
  return {
    value: terms.reduce((sum, term) => sum + term, 0),
    scale: terms.reduce((sum, term) => sum + Math.abs(term), 0),
  };
};

/** ⟨x, y⟩ of arrays. */
export const inner = (x: Tensor, y: Tensor): Product => products([[x, y]]);

/** ⟨x, y⟩ of trees with the same paths. */
export const innerTree = (x: Params<Tensor>, y: Params<Tensor>): Product => {
  const [paths, others] = [x, y].map((tree) => Object.keys(tree));
  if (paths.join('\n') !== others.join('\n')) expect(paths).toEqual(others);
  return products(Object.entries(x).map(([path, leaf]) => [leaf, y[path]]));
};

/** Expects two inner products to agree up to a relative error on their scale. */
export const expectAgree = (left: Product, right: Product, tolerance: number): void => {
  const error = Math.abs(left.value - right.value) / (1 + left.scale + right.scale);
  // An `expect` takes longer than many a law on small arrays: it is asked for its words only.
  if (!(error <= tolerance)) expect(error).toBeLessThanOrEqual(tolerance);
};

/** All elements of a tree, leaf after leaf. */
export const flat = (tree: Params<Tensor>): ReadonlyArray<number> =>
  Object.values(tree).flatMap((leaf) => Array.from(leaf.data));

/** The tree of the given shapes that is 1 at one position of {@link flat} and 0 elsewhere. */
export const unitVector = (shapes: Params<Shaped>, position: number): Params<Tensor> => {
  const paths = Object.keys(shapes);
  return mapParams(shapes, ({ shape }, path) => {
    const before = paths.slice(0, paths.indexOf(path)).reduce((n, other) => n + sizeOf(shapes[other].shape), 0);
    return generate(shape, (i) => (before + i === position ? 1 : 0));
  });
};

/**
 * The derivative of f at 0 by central differences, extrapolated once: error O(h⁴).
 *
 * @param f - function of the step
 */
export const centralDifference = (f: (step: number) => ReadonlyArray<number>): ReadonlyArray<number> => {
  const difference = (h: number): ReadonlyArray<number> => {
    const below = f(-h);
    return f(h).map((above, i) => (above - below[i]) / (2 * h));
  };
  const wide = difference(1e-3);
  return difference(5e-4).map((narrow, i) => (4 * narrow - wide[i]) / 3);
};

/** ½ ‖f(θ)‖²: a scalar program with a curvature from any program. */
export const halfSquareOf =
  (program: Program): Program =>
  (on, params, inputs) => {
    const y = program(on, params, inputs);
    return on.scale(0.5, on.dot(y, y));
  };

/** The values of arrays, copied, to be compared bit by bit later. */
export const snapshot = (arrays: ReadonlyArray<Tensor>): ReadonlyArray<ReadonlyArray<number>> =>
  arrays.map(({ data }) => Array.from(data));

/** An interpreter that counts its products of matrices. */
export const countingProducts = (): { readonly ops: Ops<Tensor>; readonly count: () => number } => {
  let made = 0;
  const counted = completeOps<Tensor>({
    ...ops,
    matmul: (a, b, transposes) => {
      made += 1;
      return ops.matmul(a, b, transposes);
    },
    affine: (x, weight, bias) => {
      made += 1;
      return ops.affine(x, weight, bias);
    },
    gram: (x) => {
      made += 1;
      return ops.gram(x);
    },
  });
  return { ops: counted, count: () => made };
};
