/**
 * What the host interpreter asks of matrix products: whole products of arrays that lie densely.
 *
 * @module
 */
import type { ReadonlyVector } from '../../../tensor.ts';
import type { Vector } from './precision.ts';

/** Extents of C = op(A) op(B), with op(A) [m, k] and op(B) [k, n]. None of them is 0. */
export interface ProductShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Whether A is stored as [k, m]. */
  readonly transposeA: boolean;
  /** Whether B is stored as [n, k]. */
  readonly transposeB: boolean;
}

/** Matrix products on dense row-major arrays. What `out` held before is overwritten. */
export interface Products {
  /** `out = op(A) op(B)`. */
  readonly matmul: (a: ReadonlyVector, b: ReadonlyVector, shape: ProductShape, out: Vector) => void;
  /** `out_i = op(A_i) op(B_i)` for `batch` matrices that lie one after another. */
  readonly batchedMatmul: (
    batch: number,
    a: ReadonlyVector,
    b: ReadonlyVector,
    shape: ProductShape,
    out: Vector,
  ) => void;
  /** `out = x Wᵀ + b`, with x [m, k], W [n, k] and b [n]. */
  readonly affine: (
    x: ReadonlyVector,
    weight: ReadonlyVector,
    bias: ReadonlyVector,
    m: number,
    n: number,
    k: number,
    out: Vector,
  ) => void;
  /** `out = xᵀx`, symmetric bit for bit, with x [rows, columns]. */
  readonly gram: (x: ReadonlyVector, rows: number, columns: number, out: Vector) => void;
}
