/**
 * Kernels in plain JavaScript, for both precisions.
 *
 * Loops shared by two types of arrays are compiled for both and run slower than for one. That costs little here: a
 * program that uses one precision has one type in them, and single precision takes its long loops elsewhere
 * (`simd/kernels.ts`).
 *
 * @module
 */
import { binaryKernels, withRows } from './binary.ts';
import { blockKernels, copyRun } from './blocks.ts';
import type { ReadonlyVector } from '../../../tensor.ts';
import { mirrorLower, transposeInto } from './layout.ts';
import type { Kernels } from './kernels.ts';
import { middleKernels } from './middle.ts';
import { standardiseKernels } from './standardise.ts';
import type { Buffer, Vector } from './precision.ts';
import { unaryKernels, vjpKernels } from './unary.ts';

/** Elements `at <= i < at + n`, sharing memory. */
const runOf = (x: ReadonlyVector, at: number, n: number): ReadonlyVector =>
  n === x.length ? x : (x as Buffer).subarray(at, at + n);

/** `out[to + i] = condition[c + i stepC] is not 0 ? a[l + i stepA] : b[r + i stepB]`, with steps of 0 or 1. */
const selectRun = (
  condition: ReadonlyVector,
  c: number,
  stepC: number,
  a: ReadonlyVector,
  l: number,
  stepA: number,
  b: ReadonlyVector,
  r: number,
  stepB: number,
  out: Vector,
  to: number,
  n: number,
): void => {
  for (let i = 0; i < n; i += 1) {
    out[to + i] = condition[c + i * stepC] !== 0 ? a[l + i * stepA] : b[r + i * stepB];
  }
};

/** Several sums side by side, so that an addition need not wait for the one before it. */
const sum: Kernels['sum'] = (x, at, n) => {
  const end = at + n;
  const whole = end - (n % 4);
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let i = at; i < whole; i += 4) {
    s0 += x[i];
    s1 += x[i + 1];
    s2 += x[i + 2];
    s3 += x[i + 3];
  }
  for (let i = whole; i < end; i += 1) s0 += x[i];
  return s0 + s1 + (s2 + s3);
};

/** Kernels in plain JavaScript. */
export const plainKernels: Kernels = {
  unary: unaryKernels,
  binary: binaryKernels,
  vjp: vjpKernels,
  expOfDifference: withRows({
    both: (a, atA, b, atB, out, to, n) => {
      for (let i = 0; i < n; i += 1) out[to + i] = Math.exp(a[atA + i] - b[atB + i]);
    },
    right: (x, at, s, out, to, n) => {
      for (let i = 0; i < n; i += 1) out[to + i] = Math.exp(x[at + i] - s);
    },
    left: (x, at, s, out, to, n) => {
      for (let i = 0; i < n; i += 1) out[to + i] = Math.exp(s - x[at + i]);
    },
  }),
  // From the smaller of σ(x) and 1 − σ(x), which is e / (1 + e).
  sigmoidMinus: (x, y, out) => {
    for (let i = 0; i < out.length; i += 1) {
      const e = Math.exp(-Math.abs(x[i]));
      const smaller = e / (1 + e);
      out[i] = x[i] > 0 ? 1 - y[i] - smaller : smaller - y[i];
    }
  },
  // softplus(x) is max(x, 0) + log(1 + e): what y x is taken from is x or 0, exactly.
  sigmoidCrossEntropy: (x, y, out) => {
    for (let i = 0; i < out.length; i += 1) {
      const share = (x[i] > 0 ? 1 : 0) - y[i];
      out[i] = (share === 0 ? 0 : share * x[i]) + Math.log1p(Math.exp(-Math.abs(x[i])));
    }
  },
  linearCombination: (a, x, b, y, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = a * x[i] + b * y[i];
  },
  combineWithSquare: (a, x, b, y, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = a * x[i] + b * (y[i] * y[i]);
  },
  overRoot: (a, x, b, y, out) => {
    for (let i = 0; i < out.length; i += 1) out[i] = x[i] / (a * Math.sqrt(y[i]) + b);
  },
  sum,
  dot: (x, y) => {
    const n = x.length;
    const whole = n - (n % 4);
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let i = 0; i < whole; i += 4) {
      s0 += x[i] * y[i];
      s1 += x[i + 1] * y[i + 1];
      s2 += x[i + 2] * y[i + 2];
      s3 += x[i + 3] * y[i + 3];
    }
    for (let i = whole; i < n; i += 1) s0 += x[i] * y[i];
    return s0 + s1 + (s2 + s3);
  },
  rowSums: (x, at, rows, columns, out, to) => {
    for (let r = 0; r < rows; r += 1) out[to + r] = sum(x, at + r * columns, columns);
  },
  ...middleKernels,
  ...standardiseKernels,
  rowMaxima: (x, at, rows, columns, out, to) => {
    for (let r = 0; r < rows; r += 1) {
      let top = x[at + r * columns];
      // Not `x[i] > top`, which holds for no NaN.
      for (let i = at + r * columns; i < at + (r + 1) * columns && top === top; i += 1) if (!(x[i] <= top)) top = x[i];
      out[to + r] = top;
    }
  },
  rowExponentials: (x, tops, columns, out) => {
    const others = new Float64Array(tops.length);
    const firsts = new Float64Array(tops.length);
    for (let r = 0; r < tops.length; r += 1) {
      for (let i = r * columns; i < (r + 1) * columns; i += 1) {
        out[i] = Math.exp(x[i] - tops[r]);
        if (x[i] === tops[r] && firsts[r] === 0) firsts[r] = 1;
        else others[r] += out[i];
      }
      if (!Number.isFinite(tops[r])) firsts[r] = NaN;
    }
    return { others, firsts };
  },
  ...blockKernels,
  mirrorLower,
  select: (c, a, b, out, to, rows, n) => {
    const [stepC, stepA, stepB] = [c, a, b].map(({ varies }) => (varies ? 1 : 0));
    for (let r = 0; r < rows; r += 1) {
      const [atC, atA, atB] = [c.at + r * c.step, a.at + r * a.step, b.at + r * b.step];
      selectRun(c.data, atC, stepC, a.data, atA, stepA, b.data, atB, stepB, out, to + r * n, n);
    }
  },
  gatherRows: (x, rows, indices, width, out) => {
    for (let i = 0; i < indices.length; i += 1) {
      const index = indices[i];
      if (index >= 0 && index < rows) copyRun(x, index * width, out, i * width, width);
      else out.fill(NaN, i * width, (i + 1) * width);
    }
  },
  scatterRows: (x, indices, width, out, rows) => {
    for (let i = 0; i < indices.length; i += 1) {
      const to = indices[i] * width;
      if (indices[i] < 0 || indices[i] >= rows) continue;
      for (let j = 0; j < width; j += 1) out[to + j] += x[i * width + j];
    }
  },
  fill: (out, s) => void out.fill(s),
  transpose: (x, at, rows, columns, out, to) => {
    const size = rows * columns;
    if (out instanceof Int32Array) {
      for (let c = 0; c < columns; c += 1) {
        for (let r = 0; r < rows; r += 1) out[to + c * rows + r] = x[at + r * columns + c];
      }
    } else transposeInto(rows, columns, runOf(x, at, size), out.subarray(to, to + size));
  },
};
