/**
 * How the tiles of a result, four rows by four columns each, are laid over the threads of a kernel.
 *
 * Threads are x: column in a tile, y: tile along a band of columns, z: tile along the rows, band after band. The four
 * threads along x, which the WebAssembly backend runs at once, then belong to one tile and read neighbouring elements.
 * A band is as wide as its part of the right operand fits into a core's cache, because every four rows read all of it.
 *
 * @module
 */

/** Tiles of a result. */
export interface Tiling {
  /** Tiles along the rows. */
  readonly rows: number;
  /** Tiles along the columns of a band. */
  readonly width: number;
  readonly bands: number;
}

/** Elements of the right operand that a band may read: an eighth of a megabyte. */
const cached = 1 << 15;

/**
 * The tiles of a product.
 *
 * @param m - rows of the result
 * @param n - columns of the result
 * @param k - terms of each sum
 * @param packed - whether the right operand is in panels; if not, there is one band, whose tiles it fills
 */
export const tilingOf = (m: number, n: number, k: number, packed: boolean): Tiling => {
  const across = Math.ceil(n / 4);
  const bands = packed ? Math.ceil(across / Math.max(1, Math.floor(cached / (4 * k)))) : 1;
  return { rows: Math.ceil(m / 4), width: Math.ceil(across / bands), bands };
};

/** Threads along x, y and z. */
export const threadsOf = ({ rows, width, bands }: Tiling): readonly [number, number, number] => [
  4,
  width,
  rows * bands,
];

/** Columns of a result with all bands filled up. */
export const paddedColumns = ({ width, bands }: Tiling): number => 4 * width * bands;

/** Statements that set the integers `i` and `j` to the tile of a thread, along the rows and along the columns. */
export const tileSource = ({ rows, width, bands }: Tiling): string =>
  bands === 1
    ? 'i = this.thread.z; j = this.thread.y;'
    : `j = Math.floor(this.thread.z / ${rows}); i = this.thread.z - j * ${rows}; j = j * ${width} + this.thread.y;`;
