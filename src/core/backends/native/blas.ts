/**
 * Matrix products on row-major typed arrays, written into arrays that the caller owns.
 *
 * Arguments are positional and in the order of CBLAS: these calls are made for every layer of every step, and a record
 * of arguments would cost as much as the call. A product with a single row or column goes to gemv once the matrix is
 * large, because OpenBLAS does not spread such a gemm over threads. Others are spread when they are too small for it, and
 * are made as small calls.
 *
 * @module
 */
import type { ReadonlyVector } from '../../tensor.ts';

import type { Kernels } from '../host/kernels/kernels.ts';
import { mirrorLower } from '../host/kernels/layout.ts';
import type { Routines } from './signatures.ts';
import { cblas } from './signatures.ts';
import type { Way } from './threads.ts';
import { asItIs } from './threads.ts';
import type { Precision, Vector } from '../host/kernels/precision.ts';
import { requireMatrix } from '../host/kernels/precision.ts';

/** Matrix products in one precision. Strides (`lda` …) are the distances between the starts of two rows. */
export interface Blas {
  /** `C = alpha op(A) op(B) + beta C`, with op(A) [m, k], op(B) [k, n] and C [m, n]. */
  readonly gemm: (
    transA: boolean,
    transB: boolean,
    m: number,
    n: number,
    k: number,
    alpha: number,
    a: ReadonlyVector,
    lda: number,
    b: ReadonlyVector,
    ldb: number,
    beta: number,
    c: Vector,
    ldc: number,
  ) => void;
  /**
   * `C_i = alpha op(A_i) op(B_i) + beta C_i` for `0 <= i < batch`, dense matrices that start `step` elements apart. A step of 0 for A or
   * B uses one matrix for all.
   */
  readonly gemmBatched: (
    batch: number,
    transA: boolean,
    transB: boolean,
    m: number,
    n: number,
    k: number,
    alpha: number,
    a: ReadonlyVector,
    stepA: number,
    b: ReadonlyVector,
    stepB: number,
    beta: number,
    c: Vector,
  ) => void;
  /**
   * `C = alpha AᵀA + beta C` (transposed, A [k, n]) or `C = alpha AAᵀ + beta C` (A [n, k]), at half the work of gemm.
   * Both triangles of C [n, n] are written and are equal bit for bit; only the lower one is read.
   */
  readonly syrk: (
    transposed: boolean,
    n: number,
    k: number,
    alpha: number,
    a: ReadonlyVector,
    lda: number,
    beta: number,
    c: Vector,
    ldc: number,
  ) => void;
  /** `B = L⁻¹ B`, or `B = L⁻ᵀ B` when transposed, with L [n, n] lower triangular and B [n, columns]. */
  readonly trsm: (transposed: boolean, n: number, columns: number, l: ReadonlyVector, b: Vector) => void;
}

/** Elements from which a product with a vector is one of another kind, and from which that is worth threads. */
const gemvFrom = 1 << 15;
const gemvThreads = 1 << 18;

/**
 * Multiplications from which a product may be spread over threads, and from which that is worth it: a tenth of a millisecond of one
 * thread, in which others hardly wake where the caller does something else between products, as convolutions do.
 */
const gemmSpread = 1 << 17;
const gemmThreads = 1 << 22;

const { rowMajor, plain, transposed: transpose, lower, nonUnit, left } = cblas;

const op = (transposed: boolean): number => (transposed ? transpose : plain);

/** BLAS refuses a leading dimension of 0, also where there is nothing to read. */
const leading = (stride: number): number => (stride > 0 ? stride : 1);

/**
 * The matrix products of a library in one precision.
 *
 * @param routines - routines of the library in that precision
 * @param precision - element type; arrays of another type are refused with a ShapeMismatch, as are short ones
 * @param small - makes a small call
 * @param mirror - copies the lower triangle of a result onto the upper one
 */
export const blasOf = (
  routines: Routines,
  precision: Precision,
  small: Way = asItIs,
  mirror: Kernels['mirrorLower'] = mirrorLower,
): Blas => {
  const { gemm, gemv, syrk, trsm } = routines;

  /** Makes a call as its work demands. */
  const made = (call: () => void, work: number, spread: number, worthThreads: number): void => {
    if (work >= spread && work < worthThreads) small(call);
    else call();
  };

  const product: Blas['gemm'] = (transA, transB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc) => {
    requireMatrix('gemm: A', precision, a, transA ? k : m, transA ? m : k, lda);
    requireMatrix('gemm: B', precision, b, transB ? n : k, transB ? k : n, ldb);
    requireMatrix('gemm: C', precision, c, m, n, ldc);
    if (n === 1 && m * k >= gemvFrom) {
      const [rows, columns] = transA ? [k, m] : [m, k];
      const call = (): void =>
        void gemv(rowMajor, op(transA), rows, columns, alpha, a, lda, b, transB ? 1 : ldb, beta, c, ldc);
      made(call, m * k, gemvFrom, gemvThreads);
    } else if (m === 1 && n * k >= gemvFrom) {
      const [rows, columns] = transB ? [n, k] : [k, n];
      const call = (): void =>
        void gemv(rowMajor, op(!transB), rows, columns, alpha, b, ldb, a, transA ? lda : 1, beta, c, 1);
      made(call, n * k, gemvFrom, gemvThreads);
    } else if (m > 0 && n > 0) {
      const call = (): void =>
        // prettier-ignore
        void gemm(rowMajor, op(transA), op(transB), m, n, k, alpha, a, leading(lda), b, leading(ldb), beta, c, ldc);
      made(call, m * n * k, gemmSpread, gemmThreads);
    }
  };

  return {
    gemm: product,
    gemmBatched: (batch, transA, transB, m, n, k, alpha, a, stepA, b, stepB, beta, c) => {
      const lda = transA ? m : k;
      const ldb = transB ? k : n;
      if (stepB === 0 && stepA === m * k && !transA) {
        product(false, transB, batch * m, n, k, alpha, a, lda, b, ldb, beta, c, n);
        return;
      }
      requireMatrix('gemmBatched: A', precision, a, 1, batch > 0 ? (batch - 1) * stepA + m * k : 0);
      requireMatrix('gemmBatched: B', precision, b, 1, batch > 0 ? (batch - 1) * stepB + k * n : 0);
      requireMatrix('gemmBatched: C', precision, c, 1, batch * m * n);
      if (m === 0 || n === 0) return;
      const all = (): void => {
        for (let i = 0; i < batch; i += 1) {
          const ai = precision.part(a, i * stepA, m * k);
          const bi = precision.part(b, i * stepB, k * n);
          const ci = precision.part(c, i * m * n, m * n);
          // prettier-ignore
          gemm(rowMajor, op(transA), op(transB), m, n, k, alpha, ai, leading(lda), bi, leading(ldb), beta, ci, n);
        }
      };
      made(all, m * n * k, gemmSpread, gemmThreads);
    },
    syrk: (transposed, n, k, alpha, a, lda, beta, c, ldc) => {
      requireMatrix('syrk: A', precision, a, transposed ? k : n, transposed ? n : k, lda);
      requireMatrix('syrk: C', precision, c, n, n, ldc);
      if (n === 0) return;
      syrk(rowMajor, lower, op(transposed), n, k, alpha, a, leading(lda), beta, c, ldc);
      mirror(n, c, ldc);
    },
    trsm: (transposed, n, columns, l, b) => {
      requireMatrix('trsm: L', precision, l, n, n);
      requireMatrix('trsm: B', precision, b, n, columns);
      if (n === 0 || columns === 0) return;
      trsm(rowMajor, left, lower, op(transposed), nonUnit, n, columns, 1, l, n, b, columns);
    },
  };
};
