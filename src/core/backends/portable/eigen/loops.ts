/**
 * The loops of the eigendecomposition that do more than n² work in all, over rows in one array.
 *
 * The array holds a few vectors and one matrix at known places, so that the same steps run on a plain array and on the
 * memory of a WebAssembly module.
 *
 * @module
 */

/** Elements between the places of two vectors: room for the largest order, and not a multiple of 4 KiB. */
const between = 8192 + 144;

/** Largest order. */
export const mostOrder = 8192;

/** Rotations that can wait to be applied. */
export const mostRotations = 16_384;

/** Where things are, in elements. All places and rows start at even ones. */
export const places = {
  v: 0,
  w: between,
  u: 2 * between,
  p: 3 * between,
  rotations: 4 * between,
  matrix: 4 * between + 2 * mostRotations,
} as const;

/** Rows of a panel: they are rotated together. */
export const panelRows = 8;

/** Loops over the array. Addresses and counts are elements; counts of columns are even and positive. */
export interface EigenLoops {
  readonly data: Float64Array;
  /** For all j below n: `a[j] −= vi w[j] + wi v[j]`, then `p[j] += ui a[j]`. Returns `Σ a[j] u[j]`. */
  readonly reflect: (row: number, n: number, vi: number, wi: number, ui: number) => number;
  /** For all j below n: `a[j] −= c v[j]`, then `w[j] += d a[j]`. */
  readonly accumulate: (row: number, n: number, c: number, d: number) => void;
  /**
   * Applies waiting rotations (c, s), from number `first` on, to a panel, whose column j is its elements `8 j` to
   * `8 j + 7`: columns j and j + 1 become `c z_j − s z_{j+1}` and `s z_j + c z_{j+1}`, for j from `top` down.
   */
  readonly rotate: (panel: number, top: number, first: number, count: number) => void;
}

/** Loops in plain JavaScript. Sums are added up as two vectors of two would: even and odd elements apart. */
export const plainLoops = (length: number): EigenLoops => {
  const data = new Float64Array(length);
  const { v, w, u, p, rotations } = places;
  return {
    data,
    reflect: (row, n, vi, wi, ui) => {
      let even = 0;
      let odd = 0;
      for (let j = 0; j < n; j += 2) {
        const a0 = data[row + j] - vi * data[w + j] - wi * data[v + j];
        const a1 = data[row + j + 1] - vi * data[w + j + 1] - wi * data[v + j + 1];
        data[row + j] = a0;
        data[row + j + 1] = a1;
        data[p + j] += ui * a0;
        data[p + j + 1] += ui * a1;
        even += a0 * data[u + j];
        odd += a1 * data[u + j + 1];
      }
      return even + odd;
    },
    accumulate: (row, n, c, d) => {
      for (let j = 0; j < n; j += 1) {
        const a = data[row + j] - c * data[v + j];
        data[row + j] = a;
        data[w + j] += d * a;
      }
    },
    rotate: (panel, top, first, count) => {
      for (let lane = 0; lane < panelRows; lane += 1) {
        let column = panel + panelRows * top + lane;
        let carried = data[column + panelRows];
        for (let k = 0; k < count; k += 1) {
          const c = data[rotations + 2 * (first + k)];
          const s = data[rotations + 2 * (first + k) + 1];
          const z = data[column];
          data[column + panelRows] = s * z + c * carried;
          carried = c * z - s * carried;
          column -= panelRows;
        }
        data[column + panelRows] = carried;
      }
    },
  };
};
