/**
 * Rows that are moved, as plain loops: copied, repeated, or added to others, with steps of their own.
 *
 * @module
 */
import type { ReadonlyVector } from '../../../tensor.ts';
import type { Kernels, Triple } from './kernels.ts';
import type { Buffer } from './precision.ts';

/** Runs shorter than this are copied element by element, which is quicker than making a view. */
const longRun = 48;

/** `out[to + i] = x[at + i]` for `0 <= i < n`, of arrays of one type. */
export const copyRun = (x: ReadonlyVector, at: number, out: Buffer, to: number, n: number): void => {
  if (n < longRun) for (let i = 0; i < n; i += 1) out[to + i] = x[at + i];
  else out.set(n === x.length ? x : (x as Buffer).subarray(at, at + n), to);
};

/** Visits rows of two arrays in three loops: where they begin in one and in the other. */
const forEachRow = (
  at: number,
  [x0, x1, x2]: Triple,
  to: number,
  [o0, o1, o2]: Triple,
  [n0, n1, n2]: Triple,
  visit: (at: number, to: number) => void,
): void => {
  for (let i = 0; i < n0; i += 1) {
    for (let j = 0; j < n1; j += 1) {
      for (let k = 0; k < n2; k += 1) visit(at + i * x0 + j * x1 + k * x2, to + i * o0 + j * o1 + k * o2);
    }
  }
};

/** Copies and sums of rows. */
export const blockKernels: Pick<Kernels, 'copyRows' | 'copyBlocks' | 'addBlocks' | 'spread'> = {
  copyRows: (x, at, stepX, out, to, stepOut, rows, n) => {
    if (n === 1) for (let r = 0; r < rows; r += 1) out[to + r * stepOut] = x[at + r * stepX];
    else for (let r = 0; r < rows; r += 1) copyRun(x, at + r * stepX, out, to + r * stepOut, n);
  },
  copyBlocks: (x, at, stepsX, out, to, stepsOut, counts, n) =>
    forEachRow(at, stepsX, to, stepsOut, counts, (from, position) => copyRun(x, from, out, position, n)),
  addBlocks: (x, at, stepsX, out, to, stepsOut, counts, n) =>
    forEachRow(at, stepsX, to, stepsOut, counts, (from, position) => {
      for (let i = 0; i < n; i += 1) out[position + i] += x[from + i];
    }),
  spread: (x, at, step, out, to, rows, n) => {
    for (let r = 0; r < rows; r += 1) out.fill(x[at + r * step], to + r * n, to + (r + 1) * n);
  },
};
