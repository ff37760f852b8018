/**
 * Plain loops for functions of two arguments.
 *
 * @module
 */
import type { BinaryKernel, Kernels } from './kernels.ts';

/** Loops over single rows. */
type Runs = Pick<BinaryKernel, 'both' | 'right' | 'left'>;

/** The same, and loops over rows that are made of them. */
export const withRows = (runs: Runs): BinaryKernel => ({
  ...runs,
  rows: (x, atX, stepX, y, atY, stepY, out, to, rows, n) => {
    for (let r = 0; r < rows; r += 1) runs.both(x, atX + r * stepX, y, atY + r * stepY, out, to + r * n, n);
  },
  rowsRight: (x, atX, stepX, y, atY, stepY, out, to, rows, n) => {
    for (let r = 0; r < rows; r += 1) runs.right(x, atX + r * stepX, y[atY + r * stepY], out, to + r * n, n);
  },
  rowsLeft: (x, atX, stepX, y, atY, stepY, out, to, rows, n) => {
    for (let r = 0; r < rows; r += 1) runs.left(x, atX + r * stepX, y[atY + r * stepY], out, to + r * n, n);
  },
});

const add: BinaryKernel['right'] = (x, at, s, out, to, n) => {
  for (let i = 0; i < n; i += 1) out[to + i] = x[at + i] + s;
};

const mul: BinaryKernel['right'] = (x, at, s, out, to, n) => {
  for (let i = 0; i < n; i += 1) out[to + i] = x[at + i] * s;
};

const max: BinaryKernel['right'] = (x, at, s, out, to, n) => {
  for (let i = 0; i < n; i += 1) out[to + i] = Math.max(x[at + i], s);
};

const min: BinaryKernel['right'] = (x, at, s, out, to, n) => {
  for (let i = 0; i < n; i += 1) out[to + i] = Math.min(x[at + i], s);
};

const equal: BinaryKernel['right'] = (x, at, s, out, to, n) => {
  for (let i = 0; i < n; i += 1) out[to + i] = x[at + i] === s ? 1 : 0;
};

/** Loops over elements of either float type; the inputs may be integers as well. */
export const binaryKernels: Kernels['binary'] = {
  add: withRows({
    both: (a, atA, b, atB, out, to, n) => {
      for (let i = 0; i < n; i += 1) out[to + i] = a[atA + i] + b[atB + i];
    },
    right: add,
    left: add,
  }),
  sub: withRows({
    both: (a, atA, b, atB, out, to, n) => {
      for (let i = 0; i < n; i += 1) out[to + i] = a[atA + i] - b[atB + i];
    },
    right: (x, at, s, out, to, n) => {
      for (let i = 0; i < n; i += 1) out[to + i] = x[at + i] - s;
    },
    left: (x, at, s, out, to, n) => {
      for (let i = 0; i < n; i += 1) out[to + i] = s - x[at + i];
    },
  }),
  mul: withRows({
    both: (a, atA, b, atB, out, to, n) => {
      for (let i = 0; i < n; i += 1) out[to + i] = a[atA + i] * b[atB + i];
    },
    right: mul,
    left: mul,
  }),
  div: withRows({
    both: (a, atA, b, atB, out, to, n) => {
      for (let i = 0; i < n; i += 1) out[to + i] = a[atA + i] / b[atB + i];
    },
    right: (x, at, s, out, to, n) => {
      for (let i = 0; i < n; i += 1) out[to + i] = x[at + i] / s;
    },
    left: (x, at, s, out, to, n) => {
      for (let i = 0; i < n; i += 1) out[to + i] = s / x[at + i];
    },
  }),
  max: withRows({
    both: (a, atA, b, atB, out, to, n) => {
      for (let i = 0; i < n; i += 1) out[to + i] = Math.max(a[atA + i], b[atB + i]);
    },
    right: max,
    left: max,
  }),
  min: withRows({
    both: (a, atA, b, atB, out, to, n) => {
      for (let i = 0; i < n; i += 1) out[to + i] = Math.min(a[atA + i], b[atB + i]);
    },
    right: min,
    left: min,
  }),
  greater: withRows({
    both: (a, atA, b, atB, out, to, n) => {
      for (let i = 0; i < n; i += 1) out[to + i] = a[atA + i] > b[atB + i] ? 1 : 0;
    },
    right: (x, at, s, out, to, n) => {
      for (let i = 0; i < n; i += 1) out[to + i] = x[at + i] > s ? 1 : 0;
    },
    left: (x, at, s, out, to, n) => {
      for (let i = 0; i < n; i += 1) out[to + i] = s > x[at + i] ? 1 : 0;
    },
  }),
  equal: withRows({
    both: (a, atA, b, atB, out, to, n) => {
      for (let i = 0; i < n; i += 1) out[to + i] = a[atA + i] === b[atB + i] ? 1 : 0;
    },
    right: equal,
    left: equal,
  }),
};
