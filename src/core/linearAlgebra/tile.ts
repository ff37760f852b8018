/**
 * The one inner loop of this folder: the products of four rows with four rows.
 *
 * Cholesky factors, triangular solves and inverses are all written as sums of row-times-row products, so that both
 * operands are read from front to back, and 16 running sums stay in registers for 8 numbers read.
 *
 * @module
 */

/** A dense matrix whose extents are multiples of four: element (i, j) at `i stride + j`. */
export interface Blocked {
  readonly rows: number;
  readonly columns: number;
  readonly stride: number;
  readonly data: Float64Array;
}

/** The next multiple of four. */
export const padded = (extent: number): number => 4 * Math.ceil(extent / 4);

/** A stride that does not put all rows into the same few cache sets, as multiples of 4 KiB do. */
const strideOf = (columns: number): number => (columns % 512 === 0 ? columns + 8 : columns);

/** A zero matrix with room for the given extents. */
export const blocked = (rows: number, columns: number): Blocked => {
  const stride = strideOf(padded(columns));
  return { rows: padded(rows), columns: padded(columns), stride, data: new Float64Array(padded(rows) * stride) };
};

/**
 * `sums[4 r + c] = Σ_k A[i + r, k] B[j + c, k]` over `from <= k < to`.
 *
 * @param a - A
 * @param i - first row of A
 * @param strideA - distance between rows of A
 * @param b - B
 * @param j - first row of B
 * @param strideB - distance between rows of B
 * @param from - first column
 * @param to - end of the columns
 * @param sums - receives 16 numbers
 */
export const tile = (
  a: Float64Array,
  i: number,
  strideA: number,
  b: Float64Array,
  j: number,
  strideB: number,
  from: number,
  to: number,
  sums: Float64Array,
): void => {
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  let s20 = 0;
  let s21 = 0;
  let s22 = 0;
  let s23 = 0;
  let s30 = 0;
  let s31 = 0;
  let s32 = 0;
  let s33 = 0;
  const a0 = i * strideA;
  const a1 = a0 + strideA;
  const a2 = a1 + strideA;
  const a3 = a2 + strideA;
  const b0 = j * strideB;
  const b1 = b0 + strideB;
  const b2 = b1 + strideB;
  const b3 = b2 + strideB;
  for (let k = from; k < to; k += 1) {
    const y0 = b[b0 + k];
    const y1 = b[b1 + k];
    const y2 = b[b2 + k];
    const y3 = b[b3 + k];
    const x0 = a[a0 + k];
    s00 += x0 * y0;
    s01 += x0 * y1;
    s02 += x0 * y2;
    s03 += x0 * y3;
    const x1 = a[a1 + k];
    s10 += x1 * y0;
    s11 += x1 * y1;
    s12 += x1 * y2;
    s13 += x1 * y3;
    const x2 = a[a2 + k];
    s20 += x2 * y0;
    s21 += x2 * y1;
    s22 += x2 * y2;
    s23 += x2 * y3;
    const x3 = a[a3 + k];
    s30 += x3 * y0;
    s31 += x3 * y1;
    s32 += x3 * y2;
    s33 += x3 * y3;
  }
  sums[0] = s00;
  sums[1] = s01;
  sums[2] = s02;
  sums[3] = s03;
  sums[4] = s10;
  sums[5] = s11;
  sums[6] = s12;
  sums[7] = s13;
  sums[8] = s20;
  sums[9] = s21;
  sums[10] = s22;
  sums[11] = s23;
  sums[12] = s30;
  sums[13] = s31;
  sums[14] = s32;
  sums[15] = s33;
};
