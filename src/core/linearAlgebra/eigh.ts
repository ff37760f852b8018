/**
 * Symmetric eigendecomposition in f64, by the library ml-matrix (Householder tridiagonalisation, then implicit QL).
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';

import type { NonFinite } from '../errors.ts';
import type { ReadonlyVector } from '../tensor.ts';

/** Eigenvalues in ascending order, and the eigenvectors as the columns of a row-major [n, n] matrix. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/**
 * The eigendecomposition of a symmetric matrix: `M = U diag(values) Uᵀ`, `UᵀU = I`.
 *
 * @param n - order
 * @param m - M, shape [n, n]; its lower triangle is read
 * @returns eigenvalues and eigenvectors, or where M has an entry that is not finite
 */
export const eigh = (n: number, m: ReadonlyVector): E.Either<NonFinite, Eigen> => {
  const rows: Array<Float64Array> = [];
  for (let i = 0; i < n; i += 1) rows.push(new Float64Array(n));
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      const value = m[i * n + j];
      if (!Number.isFinite(value)) {
        const what = `entry (${i}, ${j}) of the matrix`;
        return E.left({ _tag: 'NonFinite', where: 'eigh', what, advice: 'Look for what made it so in the input.' });
      }
      rows[i][j] = value;
      rows[j][i] = value;
    }
  }
  const values = new Float64Array(n);
  const vectors = new Float64Array(n * n);
  if (n > 0) {
    const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(new Matrix(rows), {
      assumeSymmetric: true,
    });
    values.set(realEigenvalues);
    for (let i = 0; i < n; i += 1) vectors.set(eigenvectorMatrix.getRow(i), i * n);
  }
  return E.right({ values, vectors });
};
