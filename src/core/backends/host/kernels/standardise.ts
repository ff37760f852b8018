/**
 * Numbers standardised over the axis in the middle of an array `[blocks, rows, columns]`, the derivative of that, and that of
 * softmax, as plain loops. Sums are accumulated in 64 bits.
 *
 * @module
 */
import type { Kernels } from './kernels.ts';

/** Goes over the columns of all blocks: the first element of each, and the end of it. */
const forEachColumn = (
  blocks: number,
  rows: number,
  columns: number,
  visit: (column: number, first: number, end: number) => void,
): void => {
  for (let b = 0; b < blocks; b += 1) {
    for (let j = 0; j < columns; j += 1) {
      const first = b * rows * columns + j;
      visit(b * columns + j, first, first + rows * columns);
    }
  }
};

/** Kernels of what is centred and scaled. */
export const standardiseKernels: Pick<Kernels, 'standardise' | 'standardiseVjp' | 'softmaxVjp'> = {
  standardise: (x, blocks, rows, columns, epsilon, out, means, variances) => {
    forEachColumn(blocks, rows, columns, (column, first, end) => {
      let sum = 0;
      for (let i = first; i < end; i += columns) sum += x[i];
      const rough = sum / rows;
      let [rest, square] = [0, 0];
      for (let i = first; i < end; i += columns) rest += x[i] - rough;
      rest /= rows;
      for (let i = first; i < end; i += columns) square += (x[i] - rough - rest) ** 2;
      const deviation = Math.sqrt(square / rows + epsilon);
      for (let i = first; i < end; i += columns) out[i] = (x[i] - rough - rest) / deviation;
      means[column] = rough + rest;
      variances[column] = square / rows;
    });
  },
  standardiseVjp: (y, variances, c, blocks, rows, columns, epsilon, out) => {
    forEachColumn(blocks, rows, columns, (column, first, end) => {
      let [mean, along] = [0, 0];
      for (let i = first; i < end; i += columns) {
        mean += c[i];
        along += y[i] * c[i];
      }
      mean /= rows;
      along /= rows;
      const deviation = Math.sqrt(variances[column] + epsilon);
      for (let i = first; i < end; i += columns) out[i] = (c[i] - mean - y[i] * along) / deviation;
    });
  },
  softmaxVjp: (y, c, rows, columns, out) => {
    for (let r = 0; r < rows; r += 1) {
      const [first, end] = [r * columns, (r + 1) * columns];
      let along = 0;
      for (let i = first; i < end; i += 1) along += y[i] * c[i];
      for (let i = first; i < end; i += 1) out[i] = y[i] * (c[i] - along);
    }
  },
};
