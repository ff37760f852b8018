/**
 * Factorisations: residuals against the bounds of backward stability, and agreement with the reference.
 *
 * The bounds are those of the textbook algorithms [Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
 * theorems 10.3, 10.4, 9.3, 8.5] with a factor for the norm. Residuals are formed by the reference.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import type { Backend } from '../../../src/core/backends/backend.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import type { KfacError } from '../../../src/core/errors.ts';
import type { Shaped, Tensor } from '../../../src/core/tensor.ts';
import { generate, tensor } from '../../../src/core/tensor.ts';
import { arrayOf, extent } from '../arbitraries.ts';
import { orThrow } from '../training.ts';
import type { Tolerance } from './trial.ts';
import { inPrecision, readFrom, reference, sameElements } from './trial.ts';

const { linearAlgebra: oracle } = referenceBackend();

const { add, sub, scale, matmul, transposed } = reference;

const identity = (n: number): Tensor => generate([n, n], (i) => (i % (n + 1) === 0 ? 1 : 0));

/** Frobenius norm. */
const norm = (m: Tensor): number => Math.sqrt(reference.dot(m, m).data[0]);

/** An order up to 40. */
const order = fc.oneof({ weight: 6, arbitrary: extent }, { weight: 1, arbitrary: fc.constantFrom(31, 32, 33, 40) });

/** B Bᵀ / n + δ I: eigenvalues from δ to about 4. */
const positive = (dtype: 'f32' | 'f64'): fc.Arbitrary<Tensor> =>
  order.chain((n) =>
    fc.tuple(arrayOf([n, n]), fc.constantFrom(1, 0.1)).map(([b, delta]) => {
      const product = scale(1 / Math.max(1, n), matmul(b, b, { transposeB: true }));
      return inPrecision(add(product, scale(delta, identity(n))), dtype);
    }),
  );

/** Symmetric, and now and then with repeated eigenvalues or of rank one. */
const symmetric = (dtype: 'f32' | 'f64'): fc.Arbitrary<Tensor> =>
  order.chain((n) =>
    fc
      .tuple(arrayOf([n, n]), arrayOf([n, 1]), fc.constantFrom('any', 'rank one', 'diagonal', 'zero'))
      .map(([b, v, kind]) => {
        const of = {
          any: () => scale(0.5, add(b, transposed(b))),
          'rank one': () => matmul(v, v, { transposeB: true }),
          diagonal: () => reference.mul(identity(n), reference.unary('sign', b)),
          zero: () => reference.full([n, n], 0),
        } as const;
        return inPrecision(of[kind](), dtype);
      }),
  );

const isSymmetric = (m: Tensor): boolean => sameElements(m.data, transposed(m).data);

const isLowerTriangular = (l: Tensor): boolean => {
  const n = l.shape[0];
  return Array.from(l.data).every((x, i) => i % n <= Math.floor(i / n) || x === 0);
};

/** The laws of the factorisations. */
export const linearAlgebraLaws = <T extends Shaped>(
  subject: () => Backend<T>,
  dtype: 'f32' | 'f64',
  { epsilon }: Tolerance,
): void => {
  /** Runs a factorisation on constants and reads its result as f64; operands must stay as they were. */
  const computed = async <A>(
    operands: ReadonlyArray<Tensor>,
    run: (backend: Backend<T>, xs: ReadonlyArray<T>) => Promise<E.Either<KfacError, A>>,
    arraysOf: (result: A) => ReadonlyArray<T>,
  ): Promise<ReadonlyArray<Tensor>> => {
    const scope = subject().scope();
    const xs = operands.map(scope.backend.ops.constant);
    const arrays = arraysOf(orThrow(await run(scope.backend, xs)));
    const results: Array<Tensor> = [];
    for (const array of arrays) results.push(await readFrom(scope.backend, array));
    for (const [i, x] of xs.entries()) {
      expect(sameElements((await readFrom(scope.backend, x)).data, operands[i].data)).toBe(true);
    }
    scope.close([]);
    expect(results.map((result) => result.dtype)).toEqual(results.map(() => dtype));
    return results.map(reference.constant);
  };
  const one = (x: T): ReadonlyArray<T> => [x];

  it('law: Cholesky. ‖L Lᵀ − M‖ ≤ c n ε ‖M‖ with L lower triangular and its diagonal positive', () =>
    fc.assert(
      fc.asyncProperty(positive(dtype), async (m) => {
        const n = m.shape[0];
        const [l] = await computed([m], (b, [x]) => b.linearAlgebra.cholesky(x)(), one);
        expect(l.shape).toEqual([n, n]);
        expect(isLowerTriangular(l)).toBe(true);
        expect(Array.from(l.data).filter((x, i) => i % (n + 1) === 0 && !(x > 0))).toEqual([]);
        const residual = norm(sub(matmul(l, l, { transposeB: true }), m));
        expect(residual).toBeLessThanOrEqual((n + 1) * epsilon * reference.trace(m).data[0]);
      }),
    ));

  it('law: Cholesky solve. ‖L Lᵀ X − B‖ ≤ c n ε ‖L‖² ‖X‖', () =>
    fc.assert(
      fc.asyncProperty(
        positive(dtype).chain((m) =>
          fc.tuple(
            fc.constant(m),
            extent.chain((k) => arrayOf([m.shape[0], k])),
          ),
        ),
        async ([m, b]) => {
          const rounded = inPrecision(b, dtype);
          const [l] = await computed([m], (on, [x]) => on.linearAlgebra.cholesky(x)(), one);
          const factor = inPrecision(l, dtype);
          const [x] = await computed([factor, rounded], (on, [f, y]) => on.linearAlgebra.choleskySolve(f, y)(), one);
          expect(x.shape).toEqual(b.shape);
          const residual = norm(sub(matmul(l, matmul(l, x, { transposeA: true })), rounded));
          expect(residual).toBeLessThanOrEqual(4 * (m.shape[0] + 1) * epsilon * norm(l) ** 2 * norm(x));
        },
      ),
    ));

  it('law: inverse. M⁻¹ is exactly symmetric and ‖M M⁻¹ − I‖ ≤ c n ε ‖M‖ ‖M⁻¹‖', () =>
    fc.assert(
      fc.asyncProperty(positive(dtype), async (m) => {
        const n = m.shape[0];
        const [inverse] = await computed([m], (b, [x]) => b.linearAlgebra.inverse(x)(), one);
        expect(inverse.shape).toEqual([n, n]);
        expect(isSymmetric(inverse)).toBe(true);
        const residual = norm(sub(matmul(m, inverse), identity(n)));
        expect(residual).toBeLessThanOrEqual(4 * (n + 1) * epsilon * norm(m) * norm(inverse));
      }),
    ));

  it('law: solve. ‖M X − B‖ ≤ c n ε ‖M‖ ‖X‖ for a general M', () =>
    fc.assert(
      fc.asyncProperty(
        order.chain((n) =>
          fc.tuple(
            arrayOf([n, n]),
            extent.chain((k) => arrayOf([n, k])),
          ),
        ),
        async ([a, b]) => {
          const n = a.shape[0];
          // Diagonally dominant up to a rotation of the rows, so that pivots must be looked for.
          const rotated = generate([n, n], (i) => ((Math.floor(i / n) + 1) % n === i % n ? 3 * n : 0));
          const [m, rhs] = [inPrecision(add(a, rotated), dtype), inPrecision(b, dtype)];
          const [x] = await computed([m, rhs], (on, [y, z]) => on.linearAlgebra.solve(y, z)(), one);
          expect(x.shape).toEqual(b.shape);
          const residual = norm(sub(matmul(m, x), rhs));
          expect(residual).toBeLessThanOrEqual(4 * (n + 1) * epsilon * norm(m) * norm(x));
        },
      ),
    ));

  it('law: eigendecomposition. ‖M U − U Λ‖ ≤ c n ε ‖M‖, ‖Uᵀ U − I‖ ≤ c n ε, Λ ascending and that of the reference', () =>
    fc.assert(
      fc.asyncProperty(symmetric(dtype), async (m) => {
        const n = m.shape[0];
        const [values, vectors] = await computed(
          [m],
          (b, [x]) => b.linearAlgebra.eigh(x)(),
          (eigen) => [eigen.values, eigen.vectors],
        );
        expect([values.shape, vectors.shape]).toEqual([[n], [n, n]]);
        expect(Array.from(values.data)).toEqual(Array.from(values.data).sort((a, b) => a - b));
        const bound = 8 * (n + 1) * epsilon;
        expect(norm(sub(matmul(vectors, vectors, { transposeA: true }), identity(n)))).toBeLessThanOrEqual(bound);
        expect(norm(sub(matmul(m, vectors), reference.mul(vectors, values)))).toBeLessThanOrEqual(bound * norm(m));
        // ‖U Λ Uᵀ − M‖ bounds the error of every eigenvalue (Weyl): the reference has its own.
        const inReference = orThrow(await oracle.eigh(reference.constant(m))());
        expect(norm(sub(values, inReference.values))).toBeLessThanOrEqual(bound * norm(m));
      }),
    ));

  it('worked example: [[4, 2], [2, 3]] has L = [[2, 0], [1, √2]] and det 8', async () => {
    const m = inPrecision(tensor([4, 2, 2, 3], [2, 2]), dtype);
    const [l] = await computed([m], (b, [x]) => b.linearAlgebra.cholesky(x)(), one);
    const [inverse] = await computed([m], (b, [x]) => b.linearAlgebra.inverse(x)(), one);
    const expected = [2, 0, 1, Math.SQRT2, 3 / 8, -2 / 8, -2 / 8, 4 / 8];
    [...l.data, ...inverse.data].forEach((x, i) => {
      expect(Math.abs(x - expected[i])).toBeLessThanOrEqual(4 * epsilon);
    });
  });

  const refusals = [
    ['cholesky', 'NotPositiveDefinite', 'an indefinite matrix', tensor([1, 2, 2, 1], [2, 2])],
    ['inverse', 'NotPositiveDefinite', 'an indefinite matrix', tensor([1, 2, 2, 1], [2, 2])],
    ['inverse', 'NotPositiveDefinite', 'a zero matrix', tensor([0, 0, 0, 0], [2, 2])],
    ['cholesky', 'NonFinite', 'NaN', tensor([1, 0, 0, NaN], [2, 2])],
    ['inverse', 'NonFinite', 'NaN', tensor([1, 0, 0, NaN], [2, 2])],
    ['eigh', 'NonFinite', 'NaN', tensor([1, 0, 0, NaN], [2, 2])],
    ['cholesky', 'ShapeMismatch', 'a matrix that is not square', tensor([1, 0, 0, 1, 0, 0], [3, 2])],
    ['inverse', 'ShapeMismatch', 'a matrix that is not square', tensor([1, 0, 0, 1, 0, 0], [3, 2])],
    ['eigh', 'ShapeMismatch', 'a matrix that is not square', tensor([1, 0, 0, 1, 0, 0], [3, 2])],
  ] as const;
  it.each(refusals)('%s answers with %s to %s', async (operation, tag, _, m) => {
    const backend = subject();
    const x = backend.ops.constant(m);
    const result: E.Either<KfacError, unknown> = await backend.linearAlgebra[operation](x)();
    expect(result).toMatchObject(E.left({ _tag: tag, where: operation }));
  });

  it('names the order of the leading minor that is not positive', async () => {
    const backend = subject();
    const m = tensor([1, 0, 0, 0, 1, 2, 0, 2, 1], [3, 3]);
    const result = await backend.linearAlgebra.cholesky(backend.ops.constant(m))();
    expect(result).toMatchObject(E.left({ _tag: 'NotPositiveDefinite', order: 3 }));
  });

  it('refuses to solve with a singular matrix, and with right-hand sides that do not fit', async () => {
    const backend = subject();
    const singular = backend.ops.constant(tensor([1, 2, 2, 4], [2, 2]));
    const rhs = backend.ops.full([2, 1], 1);
    expect(await backend.linearAlgebra.solve(singular, rhs)()).toMatchObject(E.left({ _tag: 'NonFinite' }));
    const unit = backend.ops.constant(identity(2));
    for (const operation of ['solve', 'choleskySolve'] as const) {
      const result = await backend.linearAlgebra[operation](unit, backend.ops.full([3, 1], 1))();
      expect(result).toMatchObject(E.left({ _tag: 'ShapeMismatch', where: operation }));
    }
  });
};
