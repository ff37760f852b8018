/**
 * The reference interpreter against results that were made without it: NumPy's, and a few worked by hand.
 */
import { readFileSync } from 'node:fs';

import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { erf } from '../../../src/core/backends/reference/functions.ts';
import type { KfacError } from '../../../src/core/errors.ts';
import type { Ops } from '../../../src/core/ops/ops.ts';
import type { BinaryKind, UnaryKind } from '../../../src/core/ops/primitives.ts';
import type { Window } from '../../../src/core/ops/window.ts';
import type { DType, Shape, Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { scaledError } from '../../support/closeness.ts';
import { complaint, epsilonOf } from '../../support/conformance/trial.ts';
import { orThrow } from '../../support/training.ts';

const { ops, linearAlgebra } = referenceBackend();

interface StoredArray {
  readonly shape: Shape;
  readonly dtype: DType;
  /** Infinities and NaN are texts. */
  readonly values: ReadonlyArray<number | string>;
}

/** Whatever an operation takes besides arrays. */
interface Attributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly kind: string;
  readonly axes: ReadonlyArray<number>;
  readonly axis: number;
  readonly shape: Shape;
  readonly permutation: ReadonlyArray<number>;
  readonly begin: ReadonlyArray<number>;
  readonly size: ReadonlyArray<number>;
  readonly rows: number;
  readonly classes: number;
  readonly window: Window;
}

interface Stored {
  readonly operation: string;
  readonly attributes: Attributes;
  readonly operands: ReadonlyArray<StoredArray>;
  readonly result: StoredArray;
}

const stored = JSON.parse(readFileSync('test/fixtures/numpy/operations.json', 'utf8')) as {
  readonly cases: ReadonlyArray<Stored>;
};

const restored = ({ values, shape, dtype }: StoredArray): Tensor => tensor(values.map(Number), shape, dtype);

type Recipe = (operands: ReadonlyArray<Tensor>, attributes: Attributes) => Tensor;

const recipes: Readonly<Partial<Record<keyof Ops<Tensor>, Recipe>>> = {
  matmul: ([a, b], flags) => ops.matmul(a, b, flags),
  affine: ([x, w, b]) => ops.affine(x, w, b ?? null),
  gram: ([x]) => ops.gram(x),
  unary: ([x], { kind }) => ops.unary(kind as UnaryKind, x),
  binary: ([a, b], { kind }) => ops.binary(kind as BinaryKind, a, b),
  select: ([c, a, b]) => ops.select(c, a, b),
  sum: ([x], { axes }) => ops.sum(x, axes),
  max: ([x], { axes }) => ops.max(x, axes),
  mean: ([x], { axes }) => ops.mean(x, axes),
  logSumExp: ([x]) => ops.logSumExp(x),
  logSoftmax: ([x]) => ops.logSoftmax(x),
  softmax: ([x]) => ops.softmax(x),
  reshape: ([x], { shape }) => ops.reshape(x, shape),
  transpose: ([x], { permutation }) => ops.transpose(x, permutation),
  slice: ([x], { begin, size }) => ops.slice(x, begin, size),
  pad: ([x], { begin, shape }) => ops.pad(x, begin, shape),
  concat: (xs, { axis }) => ops.concat(xs, axis),
  broadcastTo: ([x], { shape }) => ops.broadcastTo(x, shape),
  gather: ([x, indices]) => ops.gather(x, indices),
  scatterAdd: ([indices, updates], { rows }) => ops.scatterAdd(indices, updates, rows),
  oneHot: ([indices], { classes }) => ops.oneHot(indices, classes),
  patches: ([x], { window }) => ops.patches(x, window),
  unpatches: ([x], { window, shape }) => ops.unpatches(x, window, shape),
};

type Factorisation = (operands: ReadonlyArray<Tensor>) => TE.TaskEither<KfacError, Tensor>;

const factorisations: Readonly<Record<string, Factorisation>> = {
  cholesky: ([m]) => linearAlgebra.cholesky(m),
  choleskySolve: ([l, b]) => linearAlgebra.choleskySolve(l, b),
  inverse: ([m]) => linearAlgebra.inverse(m),
  solve: ([m, b]) => linearAlgebra.solve(m, b),
  eigenvalues: ([m]) =>
    pipe(
      linearAlgebra.eigh(m),
      TE.map(({ values }) => values),
    ),
};

const of = (operation: string): ReadonlyArray<Stored> => stored.cases.filter((c) => c.operation === operation);

describe('the reference interpreter and NumPy', () => {
  it('have all stored operations in common', () => {
    const known = new Set([...Object.keys(recipes), ...Object.keys(factorisations)]);
    expect(new Set(stored.cases.map(({ operation }) => operation))).toEqual(known);
  });

  it.each(Object.entries(recipes))('agree on %s', (operation, recipe) => {
    for (const { operands, attributes, result } of of(operation)) {
      const actual = recipe(operands.map(restored), attributes);
      const expected = restored(result);
      // Both are within a few units in the last place of the truth, and elementwise functions relative to each value.
      const isElementwise = operation === 'unary' || operation === 'binary';
      const scale = isElementwise ? 0 : 1 + Math.max(0, ...Array.from(expected.data, Math.abs).filter(Number.isFinite));
      const bound = (i: number): number => 8 * epsilonOf.f64 * (scale + Math.abs(expected.data[i]));
      expect(complaint(actual, expected, bound)).toBe('');
      expect(actual.dtype).toBe(expected.dtype);
    }
  });

  it.each(Object.entries(factorisations))('agree on %s', async (operation, factorise) => {
    for (const { operands, result } of of(operation)) {
      const actual = orThrow(await factorise(operands.map(restored))());
      // Condition numbers are below 1000.
      expect(scaledError(actual.data, restored(result).data)).toBeLessThan(1000 * 8 * epsilonOf.f64);
    }
  });
});

describe('the reference interpreter, worked by hand', () => {
  const m = tensor([1, 2, 3, 4], [2, 2]);

  it.each([
    ['A B', {}, [5, 14, 11, 32]],
    ['Aᵀ B', { transposeA: true }, [7, 19, 10, 28]],
    ['A Bᵀ', { transposeB: true }, [9, 12, 19, 26]],
    ['Aᵀ Bᵀ', { transposeA: true, transposeB: true }, [13, 17, 18, 24]],
  ])('%s for A = [[1, 2], [3, 4]] and B = [[1, 4], [2, 5]]', (_, flags, expected) => {
    expect(Array.from(ops.matmul(m, tensor([1, 4, 2, 5], [2, 2]), flags).data)).toEqual(expected);
  });

  it('x Wᵀ + b: [1, 2] with W = [[1, 2], [3, 4]] and b = [10, 20] is [15, 31]', () => {
    expect(Array.from(ops.affine(tensor([1, 2], [1, 2]), m, tensor([10, 20], [2])).data)).toEqual([15, 31]);
  });

  it('windows of 2 x 2 over [[1, 2, 3], [4, 5, 6]], and back', () => {
    const window: Window = { kernel: [2, 2], stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] };
    const columns = ops.patches(tensor([1, 2, 3, 4, 5, 6], [1, 2, 3, 1]), window);
    expect(columns).toEqual(tensor([1, 2, 4, 5, 2, 3, 5, 6], [1, 1, 2, 4]));
    // Those of the middle column are in both windows.
    expect(ops.unpatches(columns, window, [1, 2, 3, 1])).toEqual(tensor([1, 4, 3, 4, 10, 6], [1, 2, 3, 1]));
  });

  it('repeated indices add up: rows 0, 2, 0 with updates 1, 2, 4', () => {
    const indices = tensor([0, 2, 0], [3], 'i32');
    expect(ops.scatterAdd(indices, tensor([1, 2, 4], [3, 1]), 3)).toEqual(tensor([5, 0, 2], [3, 1]));
  });

  it('an index outside the rows gathers NaN and scatters to nowhere', () => {
    const indices = tensor([-1, 2], [2], 'i32');
    expect(Array.from(ops.gather(m, indices).data)).toEqual([NaN, NaN, NaN, NaN]);
    expect(Array.from(ops.scatterAdd(indices, m, 2).data)).toEqual([0, 0, 0, 0]);
  });

  it('eigenvalues of [[2, 1], [1, 2]] are 1 and 3, with eigenvectors (1, ∓1) / √2', async () => {
    const { values, vectors } = orThrow(await linearAlgebra.eigh(tensor([2, 1, 1, 2], [2, 2]))());
    expect(scaledError(values.data, [1, 3])).toBeLessThan(1e-15);
    expect(
      scaledError(
        Array.from(vectors.data, Math.abs),
        [0, 0, 0, 0].map(() => Math.SQRT1_2),
      ),
    ).toBeLessThan(1e-15);
    expect(vectors.data[0] * vectors.data[2]).toBeLessThan(0);
    expect(vectors.data[1] * vectors.data[3]).toBeGreaterThan(0);
  });

  // From tables in 20 digits.
  it.each([
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [1.99, 0.995111413199617],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [-1e-10, -1.1283791670955126e-10],
  ])('erf(%d) = %d', (x, expected) => {
    expect(Math.abs(erf(x) - expected)).toBeLessThanOrEqual(2 * epsilonOf.f64 * Math.abs(expected));
  });

  it('integers stay integers where they move, and become floats in arithmetic', () => {
    const i = tensor([1, 2], [2], 'i32');
    expect(ops.reshape(i, [2, 1]).dtype).toBe('i32');
    expect(ops.add(i, i)).toEqual(tensor([2, 4], [2]));
    expect(ops.concat([i, tensor([0.5], [1])], 0)).toEqual(tensor([1, 2, 0.5], [3]));
  });

  it('reads a copy, needs no scope, and says what it is', async () => {
    const backend = referenceBackend();
    const read = orThrow(await backend.read(m)());
    expect(read).toEqual(m);
    expect(read.data).not.toBe(m.data);
    expect(backend.report()).toMatchObject({ backend: 'reference', threads: 1, warnings: [] });
    expect(await backend.dispose()).toEqual(E.right(undefined));
  });
});
