/**
 * Kernels for 32-bit floats on the vector unit, four elements at a time, by WebAssembly.
 *
 * Two to four times as fast as plain loops, for functions such as tanh eight times. Short arrays stay with the plain
 * loops: a call through the staging places costs as much as a few hundred elements there.
 *
 * @module
 */
import type { BinaryKind, UnaryKind } from '../../../ops/primitives.ts';
import type { ReadonlyVector } from '../../../tensor.ts';
import type { Vector } from '../kernels/precision.ts';
import type { BinaryKernel, Kernels, ScalarKernel, UnaryKernel, VjpKernel, VjpKind } from '../kernels/kernels.ts';
import { plainKernels } from '../kernels/plain.ts';

import { vjpCode } from './functions.ts';
import type { Pointwise, VectorUnit } from './instance.ts';
import { vectorUnit } from './instance.ts';
import { chunk } from './module.ts';

/** Elements from which the vector unit is worth a call: staging costs as much as some hundred elements. */
const worthACall = 256;

/** Elements `at <= i < at + n` of an array of 32-bit floats, sharing its memory. */
const part = (x: ReadonlyVector, at: number, n: number): ReadonlyVector =>
  at === 0 && n === x.length ? x : new Float32Array(x.buffer, x.byteOffset + 4 * at, n);

const kernelsOn = (unit: VectorUnit, worthwhile: number): Kernels => {
  const { a, b, out: result, totals } = unit;

  /** Bytes of n elements, up to a whole vector of four; what the last vector holds beyond them is never read. */
  const endOf = (n: number): number => (4 * n + 15) & ~15;

  /** `out = f(x, y)`, with y left out for functions of one argument. */
  const map = (
    f: Pointwise,
    s: number,
    t: number,
    x: ReadonlyVector,
    atX: number,
    y: ReadonlyVector | null,
    atY: number,
    out: Vector,
    to: number,
    n: number,
  ): void => {
    for (let start = 0; start < n; start += chunk) {
      const size = Math.min(chunk, n - start);
      a.set(part(x, atX + start, size));
      if (y !== null) b.set(part(y, atY + start, size));
      f(endOf(size), s, t);
      out.set(size === chunk ? result : result.subarray(0, size), to + start);
    }
  };

  /** Adds up `f` over chunks; the places are filled up with zeros, which add nothing. */
  const fold = (
    f: (end: number) => number,
    x: ReadonlyVector,
    atX: number,
    y: ReadonlyVector | null,
    n: number,
  ): number => {
    let total = 0;
    for (let start = 0; start < n; start += chunk) {
      const size = Math.min(chunk, n - start);
      a.set(part(x, atX + start, size));
      if (y !== null) b.set(part(y, start, size));
      if (size % 4 > 0) {
        a.fill(0, size, endOf(size) / 4);
        b.fill(0, size, endOf(size) / 4);
      }
      total += f(endOf(size));
    }
    return total;
  };

  const unary = (kind: Exclude<UnaryKind, 'log'>): UnaryKernel => {
    const f = unit.pointwise[kind];
    const plain = plainKernels.unary[kind];
    return (x, out) => {
      if (out.length < worthwhile) plain(x, out);
      else map(f, 0, 0, x, 0, null, 0, out, 0, out.length);
    };
  };

  const scalar =
    (f: Pointwise, plain: ScalarKernel): ScalarKernel =>
    (x, at, s, out, to, n) => {
      if (n < worthwhile) plain(x, at, s, out, to, n);
      else map(f, s, 0, x, at, null, 0, out, to, n);
    };

  const binary = (kind: BinaryKind): BinaryKernel => {
    const f = unit.pointwise[kind];
    const plain = plainKernels.binary[kind];
    return {
      both: (x, atX, y, atY, out, to, n) => {
        if (n < worthwhile) plain.both(x, atX, y, atY, out, to, n);
        else map(f, 0, 0, x, atX, y, atY, out, to, n);
      },
      right: scalar(unit.pointwise[`${kind}.right`], plain.right),
      left: scalar(unit.pointwise[`${kind}.left`], plain.left),
    };
  };

  const vjp = (kind: VjpKind): VjpKernel => {
    const f = unit.pointwise[`vjp.${kind}`];
    const plain = plainKernels.vjp[kind];
    const fromArgument = vjpCode[kind].from === 'argument';
    return (x, y, cotangent, out) => {
      if (out.length < worthwhile) plain(x, y, cotangent, out);
      else map(f, 0, 0, fromArgument ? x : y, 0, cotangent, 0, out, 0, out.length);
    };
  };

  return {
    unary: {
      neg: unary('neg'),
      exp: unary('exp'),
      log: plainKernels.unary.log,
      sqrt: unary('sqrt'),
      square: unary('square'),
      abs: unary('abs'),
      sign: unary('sign'),
      step: unary('step'),
      tanh: unary('tanh'),
      sigmoid: unary('sigmoid'),
      softplus: unary('softplus'),
      relu: unary('relu'),
      erf: unary('erf'),
      normalCdf: unary('normalCdf'),
      gelu: unary('gelu'),
    },
    binary: {
      add: binary('add'),
      sub: binary('sub'),
      mul: binary('mul'),
      div: binary('div'),
      max: binary('max'),
      min: binary('min'),
      greater: binary('greater'),
      equal: binary('equal'),
    },
    vjp: {
      exp: vjp('exp'),
      square: vjp('square'),
      tanh: vjp('tanh'),
      sigmoid: vjp('sigmoid'),
      relu: vjp('relu'),
      softplus: vjp('softplus'),
      normalCdf: vjp('normalCdf'),
      gelu: vjp('gelu'),
    },
    expOfDifference: {
      both: (x, atX, y, atY, out, to, n) => {
        if (n < worthwhile) plainKernels.expOfDifference.both(x, atX, y, atY, out, to, n);
        else map(unit.pointwise.expOfDifference, 0, 0, x, atX, y, atY, out, to, n);
      },
      right: scalar(unit.pointwise['expOfDifference.right'], plainKernels.expOfDifference.right),
    },
    sigmoidMinus: (x, y, out) => {
      if (out.length < worthwhile) plainKernels.sigmoidMinus(x, y, out);
      else map(unit.pointwise.sigmoidMinus, 0, 0, x, 0, y, 0, out, 0, out.length);
    },
    sigmoidCrossEntropy: (x, y, out) => {
      if (out.length < worthwhile) plainKernels.sigmoidCrossEntropy(x, y, out);
      else map(unit.pointwise.sigmoidCrossEntropy, 0, 0, x, 0, y, 0, out, 0, out.length);
    },
    linearCombination: (s, x, t, y, out) => {
      if (out.length < worthwhile) plainKernels.linearCombination(s, x, t, y, out);
      else map(unit.pointwise.linearCombination, s, t, x, 0, y, 0, out, 0, out.length);
    },
    sum: (x, at, n) => (n < worthwhile ? plainKernels.sum(x, at, n) : fold(unit.sum, x, at, null, n)),
    dot: (x, y) => (x.length < worthwhile ? plainKernels.dot(x, y) : fold(unit.dot, x, 0, y, x.length)),
    addRows: (x, at, rows, sums) => {
      const columns = sums.length;
      if (columns < worthwhile) {
        plainKernels.addRows(x, at, rows, sums);
        return;
      }
      for (let start = 0; start < columns; start += chunk) {
        const size = Math.min(chunk, columns - start);
        totals.set(sums.subarray(start, start + size));
        for (let r = 0; r < rows; r += 1) {
          a.set(part(x, at + r * columns + start, size));
          unit.accumulate(endOf(size));
        }
        sums.set(totals.subarray(0, size), start);
      }
    },
  };
};

/**
 * Kernels for 32-bit floats: on the vector unit where there is one, else plain.
 *
 * @param worthwhile - elements from which the vector unit is used
 */
export const singleKernels = (worthwhile: number = worthACall): Kernels => {
  const unit = vectorUnit();
  return unit === null ? plainKernels : kernelsOn(unit, worthwhile);
};
