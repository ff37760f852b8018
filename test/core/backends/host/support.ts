/**
 * A host backend that needs nothing of the machine: products in plain loops, factorisations in portable code.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../../../src/core/backends/backend.ts';
import type { HostSettings } from '../../../../src/core/backends/host/backend.ts';
import { hostBackend } from '../../../../src/core/backends/host/backend.ts';
import type { Kernels } from '../../../../src/core/backends/host/kernels/kernels.ts';
import type { Factorisations } from '../../../../src/core/backends/host/linearAlgebra.ts';
import type { Products, ProductShape, WindowProducts } from '../../../../src/core/backends/host/kernels/products.ts';
import type { KfacError } from '../../../../src/core/errors.ts';
import { cholesky, choleskySolve, inverse } from '../../../../src/core/backends/portable/cholesky.ts';
import { eigh } from '../../../../src/core/backends/portable/eigh.ts';
import { solve } from '../../../../src/core/backends/portable/lu.ts';
import type { ReadonlyVector, Tensor } from '../../../../src/core/tensor.ts';

type Numbers = ReadonlyVector | ReadonlyArray<number>;

const product = (
  a: Numbers,
  b: Numbers,
  { m, n, k, transposeA, transposeB }: ProductShape,
  put: (position: number, value: number) => void,
  first: readonly [a: number, b: number] = [0, 0],
): void => {
  const [left, right] = first;
  for (let i = 0; i < m; i += 1) {
    for (let j = 0; j < n; j += 1) {
      let sum = 0;
      for (let p = 0; p < k; p += 1)
        sum += a[left + (transposeA ? p * m + i : i * k + p)] * b[right + (transposeB ? j * k + p : p * n + j)];
      put(i * n + j, sum);
    }
  }
};

const products: Products = {
  matmul: (a, b, shape, out) => product(a, b, shape, (at, value) => (out[at] = value)),
  batchedMatmul: (batch, a, b, shape, out) => {
    const { m, n, k } = shape;
    for (let i = 0; i < batch; i += 1) {
      product(a, b, shape, (at, value) => (out[i * m * n + at] = value), [i * m * k, i * k * n]);
    }
  },
  affine: (x, weight, bias, m, n, k, out) =>
    product(x, weight, { m, n, k, transposeA: false, transposeB: true }, (at, value) => {
      out[at] = value + bias[at % n];
    }),
  gram: (x, rows, columns, out) =>
    product(x, x, { m: columns, n: columns, k: rows, transposeA: true, transposeB: false }, (at, value) => {
      out[at] = value;
    }),
};

const task = <A, B>(compute: () => E.Either<KfacError, A>, round: (result: A) => B): TE.TaskEither<KfacError, B> =>
  TE.fromIOEither(() => pipe(compute(), E.map(round)));

const factorisations = (dtype: 'f32' | 'f64'): Factorisations => {
  const round = (x: ReadonlyVector): ReadonlyVector => (dtype === 'f32' ? Float32Array.from(x) : x);
  return {
    cholesky: (n, m) => task(() => cholesky(n, m), round),
    choleskySolve: (n, columns, l, b) => task(() => E.right(choleskySolve(n, columns, l, b)), round),
    inverse: (n, m) => task(() => inverse(n, m), round),
    solve: (n, columns, m, b) => task(() => solve(n, columns, m, b), round),
    eigh: (n, m) =>
      task(
        () => eigh(n, m),
        ({ values, vectors }) => ({ values: round(values), vectors: round(vectors) }),
      ),
  };
};

/** A backend on given kernels, and how often it was disposed of. */
export const loopBackend = (
  dtype: 'f32' | 'f64',
  kernels?: Kernels,
  { windows, ...settings }: Pick<HostSettings, 'unit' | 'smallest'> & { readonly windows?: WindowProducts } = {},
): { readonly backend: Backend<Tensor>; readonly disposals: () => number } => {
  let disposals = 0;
  const backend = hostBackend({
    name: 'loops',
    dtype,
    products: windows === undefined ? products : { ...products, windows },
    factorisations: factorisations(dtype),
    report: () => ({ backend: 'loops', library: 'plain loops', threads: 1, factorisations: 'portable', warnings: [] }),
    dispose: TE.fromIO(() => {
      disposals += 1;
    }),
    ...(kernels === undefined ? {} : { kernels }),
    ...settings,
  });
  return { backend, disposals: () => disposals };
};
