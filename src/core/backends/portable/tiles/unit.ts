/**
 * What multiplies four rows by four rows, and the one in plain JavaScript.
 *
 * @module
 */

/** Products of four rows with four rows of one array, by the addresses of its elements. */
export interface TileUnit {
  readonly data: Float64Array;
  readonly sums: Float64Array;
  /** Four rows from `a` on and four from `b` on, `strideA` and `strideB` apart; `count` is positive. */
  readonly multiply: (a: number, strideA: number, b: number, strideB: number, count: number) => void;
}

/** Products of rows in plain JavaScript. */
export const plainUnit = (length: number): TileUnit => {
  const data = new Float64Array(length);
  const sums = new Float64Array(16);
  return {
    data,
    sums,
    multiply: (a, strideA, b, strideB, count) => plainTile(data, a, strideA, b, strideB, count, sums),
  };
};

/** `sums[4 r + c] = Σ_k x[a + r strideA + k] x[b + c strideB + k]` over k below `count`. */
const plainTile = (
  x: Float64Array,
  a: number,
  strideA: number,
  b: number,
  strideB: number,
  count: number,
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
  const a0 = a;
  const a1 = a0 + strideA;
  const a2 = a1 + strideA;
  const a3 = a2 + strideA;
  const b0 = b;
  const b1 = b0 + strideB;
  const b2 = b1 + strideB;
  const b3 = b2 + strideB;
  for (let k = 0; k < count; k += 1) {
    const y0 = x[b0 + k];
    const y1 = x[b1 + k];
    const y2 = x[b2 + k];
    const y3 = x[b3 + k];
    const x0 = x[a0 + k];
    s00 += x0 * y0;
    s01 += x0 * y1;
    s02 += x0 * y2;
    s03 += x0 * y3;
    const x1 = x[a1 + k];
    s10 += x1 * y0;
    s11 += x1 * y1;
    s12 += x1 * y2;
    s13 += x1 * y3;
    const x2 = x[a2 + k];
    s20 += x2 * y0;
    s21 += x2 * y1;
    s22 += x2 * y2;
    s23 += x2 * y3;
    const x3 = x[a3 + k];
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
