/**
 * Reductions of the axis in the middle of an array `[blocks, rows, columns]`, as plain loops.
 *
 * @module
 */
import type { Kernels } from './kernels.ts';

/** Sums, maxima, and the cotangents of maxima. */
export const middleKernels: Pick<Kernels, 'middleSums' | 'middleMaxima' | 'middleMaximaVjp'> = {
  middleSums: (x, blocks, rows, columns, out) => {
    const totals = new Float64Array(columns);
    for (let b = 0; b < blocks; b += 1) {
      totals.fill(0);
      for (let r = 0; r < rows; r += 1) {
        const row = (b * rows + r) * columns;
        for (let j = 0; j < columns; j += 1) totals[j] += x[row + j];
      }
      out.set(totals, b * columns);
    }
  },
  middleMaxima: (x, blocks, rows, columns, out) => {
    for (let b = 0; b < blocks; b += 1) {
      for (let j = 0; j < columns; j += 1) {
        const first = b * rows * columns + j;
        const end = first + rows * columns;
        let top = x[first];
        for (let i = first + columns; i < end; i += columns) top = Math.max(top, x[i]);
        out[b * columns + j] = top;
      }
    }
  },
  middleMaximaVjp: (x, y, c, blocks, rows, columns, out) => {
    for (let b = 0; b < blocks; b += 1) {
      for (let j = 0; j < columns; j += 1) {
        const at = b * columns + j;
        const first = b * rows * columns + j;
        const end = first + rows * columns;
        let ties = 0;
        for (let i = first; i < end; i += columns) ties += x[i] === y[at] ? 1 : 0;
        for (let i = first; i < end; i += columns) out[i] = ((x[i] === y[at] ? 1 : 0) / ties) * c[at];
      }
    }
  },
};
