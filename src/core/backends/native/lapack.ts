/**
 * Factorisations, solves and eigendecompositions of row-major matrices, as jobs that leave their input alone.
 *
 * LAPACK is column-major. Nothing is transposed where that can be avoided: a symmetric matrix reads the same either
 * way except that its lower triangle is LAPACK's upper one, the inverse of the transpose is the transpose of the
 * inverse, and a Cholesky solve is two row-major triangular solves of BLAS. Workspaces have their documented size; the
 * size that a query answers in f32 is rounded, and wrong for large orders.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { ReadonlyVector } from '../../tensor.ts';

import type { Job, NativeCall } from './job.ts';
import type { Kernels } from '../host/kernels/kernels.ts';
import { clearUpper, mirrorLower, transposeInto } from '../host/kernels/layout.ts';
import type { Routines } from './signatures.ts';
import { cblas } from './signatures.ts';
import type { Precision, Vector } from '../host/kernels/precision.ts';
import { firstNonFinite, requireMatrix } from '../host/kernels/precision.ts';

/** Eigenvalues in ascending order, and the eigenvectors as the columns of a row-major [n, n] matrix. */
export interface Eigen {
  readonly values: Vector;
  readonly vectors: Vector;
}

/**
 * Factorisations in one precision. Matrices are dense and row-major; of symmetric ones the lower triangle is read. Where a copy of
 * the input becomes the result, the caller may say how it is made, and so where it lies.
 */
export interface Lapack {
  /** Lower triangular L [n, n] with `L Lᵀ = A`, zero above the diagonal; A symmetric positive definite. */
  readonly cholesky: (n: number, a: ReadonlyVector, copy?: Precision['copy']) => Job<Vector>;
  /** `(L Lᵀ)⁻¹ B`, shape [n, columns], from a Cholesky factor. */
  readonly choleskySolve: (n: number, columns: number, l: ReadonlyVector, b: ReadonlyVector) => Job<Vector>;
  /** `(L Lᵀ)⁻¹`, symmetric bit for bit, from a Cholesky factor. */
  readonly choleskyInverse: (n: number, l: ReadonlyVector) => Job<Vector>;
  /** `A⁻¹`, symmetric bit for bit; A symmetric positive definite. */
  readonly inverse: (n: number, a: ReadonlyVector, copy?: Precision['copy']) => Job<Vector>;
  /** `A⁻¹` by LU with pivoting; A square. */
  readonly inverseGeneral: (n: number, a: ReadonlyVector) => Job<Vector>;
  /** `A⁻¹ B`, shape [n, columns], by LU with pivoting; A square. */
  readonly solve: (n: number, columns: number, a: ReadonlyVector, b: ReadonlyVector) => Job<Vector>;
  /** `A = U diag(w) Uᵀ` with U orthogonal; A symmetric. */
  readonly eigh: (n: number, a: ReadonlyVector) => Job<Eigen>;
}

/** LAPACK's upper triangle is the lower one of a row-major matrix. */
const lower = 'U';
/** Width of the block that LAPACK's blocked algorithms ask workspace for, in any of its implementations. */
const block = 64;

const dampingAdvice = 'Look for what made it so in the input, or raise the damping.';

const nonFinite = (where: string, what: string) => ({ _tag: 'NonFinite', where, what, advice: dampingAdvice }) as const;

/** Refuses a result with a NaN or an infinity, which LAPACK hands through without a word. */
const finite =
  (where: string, what: string, values: ReadonlyVector) => (): ReturnType<typeof nonFinite> | undefined => {
    const at = firstNonFinite(values);
    return at < 0 ? undefined : nonFinite(where, `${what} (element ${at})`);
  };

/**
 * The factorisations of a library in one precision.
 *
 * @param routines - routines of the library in that precision
 * @param precision - element type; arrays of another type are refused with a ShapeMismatch, as are short ones
 * @param mirror - copies the lower triangle of a result onto the upper one
 */
export const lapackOf = (
  routines: Routines,
  precision: Precision,
  mirror: Kernels['mirrorLower'] = mirrorLower,
): Lapack => {
  const order = (n: number): ReadonlyArray<number> => [Math.max(n, 1)];

  const factorise = (where: string, n: number, a: Vector): NativeCall => {
    const info = new Int32Array(1);
    return {
      routine: routines.potrf,
      args: [lower, [n], a, order(n), info, 1],
      failure: () => {
        // Any NaN of the lower triangle reaches the diagonal; some libraries stop there, others go on.
        const reached = info[0] > 0 ? info[0] : n;
        for (let i = 0; i < reached; i += 1) {
          if (!Number.isFinite(a[i * n + i])) return nonFinite(where, `the Cholesky factor at order ${i + 1}`);
        }
        if (info[0] > 0) return { _tag: 'NotPositiveDefinite', where, order: info[0] };
        return undefined;
      },
    };
  };

  const invertFactor = (where: string, n: number, l: Vector): NativeCall => {
    const info = new Int32Array(1);
    return {
      routine: routines.potri,
      args: [lower, [n], l, order(n), info, 1],
      failure: () => (info[0] > 0 ? { _tag: 'NotPositiveDefinite', where, order: info[0] } : undefined),
    };
  };

  /** P L U of the transpose, which is what a row-major matrix is to LAPACK. */
  const factoriseSquare = (where: string, n: number, a: Vector, pivots: Int32Array): NativeCall => {
    const info = new Int32Array(1);
    return {
      routine: routines.getrf,
      args: [[n], [n], a, order(n), pivots, info],
      failure: () =>
        info[0] > 0 ? nonFinite(where, `the inverse of a singular matrix (pivot ${info[0]})`) : undefined,
    };
  };

  const symmetric = (n: number, a: Vector) => (): Vector => {
    mirror(n, a, n);
    return a;
  };

  return {
    cholesky:
      (n, a, copy = precision.copy) =>
      () => {
        requireMatrix('cholesky', precision, a, n, n);
        const l = copy(a, n * n);
        const result = (): Vector => {
          clearUpper(n, l);
          return l;
        };
        return E.right({ calls: [factorise('cholesky', n, l)], result });
      },
    choleskySolve: (n, columns, l, b) => () => {
      requireMatrix('choleskySolve: L', precision, l, n, n);
      requireMatrix('choleskySolve: B', precision, b, n, columns);
      const factor = precision.copy(l, n * n);
      const x = precision.copy(b, n * columns);
      const substitute = (transposition: number): NativeCall => ({
        routine: routines.trsm,
        // prettier-ignore
        args: [cblas.rowMajor, cblas.left, cblas.lower, transposition, cblas.nonUnit, n, columns, 1, factor, n, x, columns],
      });
      const calls = x.length === 0 ? [] : [substitute(cblas.plain), substitute(cblas.transposed)];
      return E.right({ calls, result: () => x });
    },
    choleskyInverse: (n, l) => () => {
      requireMatrix('choleskyInverse', precision, l, n, n);
      const inverse = precision.copy(l, n * n);
      return E.right({ calls: [invertFactor('choleskyInverse', n, inverse)], result: symmetric(n, inverse) });
    },
    inverse:
      (n, a, copy = precision.copy) =>
      () => {
        requireMatrix('inverse', precision, a, n, n);
        const inverse = copy(a, n * n);
        return E.right({
          calls: [factorise('inverse', n, inverse), invertFactor('inverse', n, inverse)],
          result: symmetric(n, inverse),
        });
      },
    inverseGeneral: (n, a) => () => {
      requireMatrix('inverseGeneral', precision, a, n, n);
      const inverse = precision.copy(a, n * n);
      const pivots = new Int32Array(n);
      const work = precision.zeros(order(n)[0] * block);
      const invert: NativeCall = {
        routine: routines.getri,
        args: [[n], inverse, order(n), pivots, work, [work.length], new Int32Array(1)],
        failure: finite('inverseGeneral', 'the inverse', inverse),
      };
      return E.right({ calls: [factoriseSquare('inverseGeneral', n, inverse, pivots), invert], result: () => inverse });
    },
    solve: (n, columns, a, b) => () => {
      requireMatrix('solve: A', precision, a, n, n);
      requireMatrix('solve: B', precision, b, n, columns);
      const factors = precision.copy(a, n * n);
      const pivots = new Int32Array(n);
      const x = precision.zeros(n * columns);
      transposeInto(n, columns, b, x);
      const substitute: NativeCall = {
        routine: routines.getrs,
        args: ['T', [n], [columns], factors, order(n), pivots, x, order(n), new Int32Array(1), 1],
        failure: finite('solve', 'the solution', x),
      };
      const result = (): Vector => {
        const rows = precision.zeros(n * columns);
        transposeInto(columns, n, x, rows);
        return rows;
      };
      return E.right({ calls: [factoriseSquare('solve', n, factors, pivots), substitute], result });
    },
    eigh: (n, a) => () => {
      requireMatrix('eigh', precision, a, n, n);
      const bad = finite('eigh', 'the matrix', a)(); // the iteration of syevd need not end on a NaN
      if (bad !== undefined) return E.left(bad);
      const rows = precision.copy(a, n * n);
      const values = precision.zeros(n);
      const work = precision.zeros(1 + (6 + block) * n + 2 * n * n);
      const integers = new Int32Array(3 + 5 * n);
      const info = new Int32Array(1);
      const decompose: NativeCall = {
        routine: routines.syevd,
        // prettier-ignore
        args: ['V', lower, [n], rows, order(n), values, work, [work.length], integers, [integers.length], info, 1, 1],
        failure: () =>
          info[0] > 0 ? nonFinite('eigh', `an eigenvector (the iteration gave up, code ${info[0]})`) : undefined,
      };
      const result = (): Eigen => {
        const vectors = precision.zeros(n * n);
        transposeInto(n, n, rows, vectors);
        return { values, vectors };
      };
      return E.right({ calls: [decompose], result });
    },
  };
};
