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

/** Windows over images that lie densely, of which every row is one run. Steps are in elements. */
export interface Windows {
  /** Elements of a window's row, and its rows. */
  readonly run: number;
  readonly rows: number;
  /** Numbers of a place: outputs. */
  readonly outputs: number;
  /** Places of a line, lines of an image, and images. */
  readonly places: number;
  readonly lines: number;
  readonly images: number;
  /** From one row of a window, one window of a line, one line and one image to the next, in what windows see. */
  readonly seen: { readonly row: number; readonly place: number; readonly line: number; readonly image: number };
  /** From one place, line and image to the next, in the outputs. */
  readonly made: { readonly place: number; readonly line: number; readonly image: number };
}

/** Products of what windows see, without patches. Each says whether it was made: it is not where an array lies elsewhere than it has to. */
export interface WindowProducts {
  /** Outputs up to which it is faster than a product of patches. */
  readonly widest: number;
  /** Fewest places of a line. */
  readonly narrowest: number;
  /** Outputs that filters lie together by, and outputs and elements that sums do. */
  readonly together: { readonly filters: number; readonly outputs: number; readonly elements: number };
  /** `y[n, l, p, o] = Σ_r Σ_e x[n, l, p, r, e] w[o, r, e]`, with w `[groups of outputs, rows, run, outputs of a group]`; from elements atX and atY on. */
  readonly convolve: (
    x: ReadonlyVector,
    atX: number,
    w: ReadonlyVector,
    y: Vector,
    atY: number,
    windows: Windows,
  ) => boolean;
  /**
   * `sums[o, r, e] += Σ_n Σ_l Σ_p y[n, l, p, o] x[n, l, p, r, e]`, with sums as
   * `[groups of outputs, rows, groups of elements, outputs of a group, elements of one]`.
   * What is beyond the last output or element is arbitrary.
   */
  readonly correlate: (
    x: ReadonlyVector,
    atX: number,
    y: ReadonlyVector,
    atY: number,
    sums: Vector,
    windows: Windows,
  ) => boolean;
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
  /** Convolutions without patches, if there are any. */
  readonly windows?: WindowProducts;
}
