/**
 * The one inner loop of Cholesky factors, triangular solves and inverses: the products of four rows with four rows.
 *
 * All are written as sums of row-times-row products, so that both operands are read from front to back, and 16 running
 * sums serve for 8 numbers read. The matrices of an operation lie in one array, which is the memory of a WebAssembly
 * module where there is one.
 *
 * @module
 */
import { vectorTiles } from './simd.ts';
import type { TileUnit } from './unit.ts';
import { plainUnit } from './unit.ts';

/** A dense matrix whose extents are multiples of four: element (i, j) at `i stride + j`. */
export interface Blocked {
  readonly rows: number;
  readonly columns: number;
  readonly stride: number;
  /** Where the matrix starts in the array that it shares with others. */
  readonly start: number;
  readonly data: Float64Array;
}

/** The next multiple of four. */
const padded = (extent: number): number => 4 * Math.ceil(extent / 4);

/** A stride that does not put all rows into the same few cache sets, as multiples of 4 KiB do. */
const strideOf = (columns: number): number => (columns % 512 === 0 ? columns + 8 : columns);

/** Products of rows, over matrices in one array. */
export interface Tiles {
  /** A zero matrix with room for the given extents; it must be among those that were announced. */
  readonly blocked: (rows: number, columns: number) => Blocked;
  /** `sums[4 r + c] = Σ_k A[i + r, k] B[j + c, k]` over `from <= k < to`, both multiples of four. */
  readonly multiply: (a: Blocked, i: number, b: Blocked, j: number, from: number, to: number) => void;
  readonly sums: Float64Array;
}

/** Tiles on a unit. */
export const tilesOn = ({ data, sums, multiply }: TileUnit): Tiles => {
  let used = 0;
  return {
    blocked: (rows, columns) => {
      const stride = strideOf(padded(columns));
      const start = used;
      used += padded(rows) * stride;
      return { rows: padded(rows), columns: padded(columns), stride, start, data: data.subarray(start, used).fill(0) };
    },
    multiply: (a, i, b, j, from, to) => {
      if (from >= to) sums.fill(0);
      else multiply(a.start + i * a.stride + from, a.stride, b.start + j * b.stride + from, b.stride, to - from);
    },
    sums,
  };
};

/** Elements of a matrix with the given extents. */
const lengthOf = ([rows, columns]: readonly [number, number]): number => padded(rows) * strideOf(padded(columns));

/**
 * Tiles with room for some matrices, on vectors of two where there is WebAssembly.
 *
 * @param extents - of all matrices that will be asked for
 */
export const tilesFor = (...extents: ReadonlyArray<readonly [number, number]>): Tiles => {
  const length = extents.reduce((sum, extent) => sum + lengthOf(extent), 0);
  return tilesOn(vectorTiles(length) ?? plainUnit(length));
};
