/**
 * Kernels for 32-bit floats on the vector unit, four elements at a time, by WebAssembly.
 *
 * Arrays of the unit's memory are worked on in place, at the speed of memory; chunks of others are copied to a place in
 * it and back, which takes several times as long. Short arrays stay with the plain loops, for which a call costs as much
 * as some hundred elements.
 *
 * @module
 */
import type { BinaryKind, UnaryKind } from '../../../ops/primitives.ts';
import type { ReadonlyVector } from '../../../tensor.ts';
import type { Buffer, Vector } from '../kernels/precision.ts';
import type {
  BinaryKernel,
  BlocksKernel,
  CombiningKernel,
  Kernels,
  MiddleKernel,
  PairKernel,
  RowsKernel,
  RowsOf,
  ScalarKernel,
  SumsKernel,
  UnaryKernel,
  VjpKernel,
  VjpKind,
} from '../kernels/kernels.ts';
import { plainKernels } from '../kernels/plain.ts';

import { vjpCode } from './functions.ts';
import type { Pointwise, Rowwise } from './functionTypes.ts';
import type { VectorUnit } from './instance.ts';
import { vectorUnit } from './instance.ts';
import { chunk, places } from './module.ts';
import type { SelectForm } from './select.ts';
import { selectForms } from './select.ts';
import { standardising } from './standardising.ts';
import { tile } from './transpose.ts';

/** Elements from which the vector unit is worth a call. */
const worthACall = 256;

/** Elements from which a copy is. */
const worthACopy = 64;

/** Elements of a row from which it is worth vectors. */
const lanes = 4;

/** Which kernel chooses between operands that vary like these; none where nothing varies. */
const formOf = (...operands: ReadonlyArray<RowsOf>): SelectForm | undefined =>
  selectForms.find((form) => operands.every(({ varies }, i) => varies === (form[i] === 'v')));

/** Elements `at <= i < at + n` of an array of 32-bit floats, sharing its memory. */
const part = (x: ReadonlyVector, at: number, n: number): ReadonlyVector =>
  at === 0 && n === x.length ? x : new Float32Array(x.buffer, x.byteOffset + 4 * at, n);

/** Parts of a matrix whose columns are summed, each on its own, and from how many rows and elements on. */
const parts = 16;
const fewestRows = 32 * parts;
const worthParts = 2 ** 16;

/**
 * Sums of columns in parts of as many rows, whose sums in 64 bits are then added in their order: what comes out depends on nothing
 * but the shape, whoever sums a part.
 *
 * @returns whether there was room for the sums of the parts
 */
const sumsInParts = (
  { memory, middleSumsWide }: VectorUnit,
  a: number,
  rows: number,
  columns: number,
  out: Vector,
): boolean => {
  const width = lanes * Math.ceil(columns / lanes);
  const room = memory.take(2 * width * (parts + 1));
  if (room === null) return false;
  const to = memory.addressOf(room, 0);
  const each = Math.floor(rows / parts);
  const rest = rows - each * parts;
  middleSumsWide(a, to, 4 * columns, each, parts);
  if (rest > 0) {
    middleSumsWide(a + 4 * columns * each * parts, to + 8 * width * parts, 4 * columns, rest, 1);
  }
  const sums = new Float64Array(room.buffer, room.byteOffset, width * (parts + 1));
  for (let c = 0; c < columns; c += 1) {
    let sum = 0;
    for (let part = 0; part < (rest > 0 ? parts + 1 : parts); part += 1) sum += sums[part * width + c];
    out[c] = sum;
  }
  memory.give(room);
  return true;
};

const kernelsOn = (unit: VectorUnit, worthwhile: number): Kernels => {
  const { addressOf } = unit.memory;

  /** Address of elements, those of arrays elsewhere after they were copied to a place. */
  const staged = (x: ReadonlyVector, at: number, n: number, place: Float32Array, address: number): number => {
    const own = addressOf(x, at);
    if (own >= 0) return own;
    place.set(part(x, at, n));
    return address;
  };

  /** `out = f(x, y)` in chunks, of arrays of which some lie elsewhere. */
  const inChunks = (
    f: (a: number, b: number, out: number, bytes: number) => void,
    x: ReadonlyVector,
    atX: number,
    y: ReadonlyVector,
    atY: number,
    out: Vector,
    to: number,
    n: number,
  ): void => {
    for (let start = 0; start < n; start += chunk) {
      const size = Math.min(chunk, n - start);
      const a = staged(x, atX + start, size, unit.a, places.a);
      const b = y === x && atY === atX ? a : staged(y, atY + start, size, unit.b, places.b);
      const result = addressOf(out, to + start);
      f(a, b, result < 0 ? places.out : result, 4 * size);
      if (result < 0) out.set(size === chunk ? unit.out : unit.out.subarray(0, size), to + start);
    }
  };

  /** `out = f(x, y)`; functions of one argument take it twice. */
  const map = (
    f: Pointwise,
    s: number,
    t: number,
    x: ReadonlyVector,
    atX: number,
    y: ReadonlyVector,
    atY: number,
    out: Vector,
    to: number,
    n: number,
  ): void => {
    const result = addressOf(out, to);
    const a = addressOf(x, atX);
    const b = x === y ? a : addressOf(y, atY);
    if (result >= 0 && a >= 0 && b >= 0) f(a, b, result, 4 * n, s, t);
    else inChunks((p, q, r, bytes) => f(p, q, r, bytes, s, t), x, atX, y, atY, out, to, n);
  };

  /** Address of some elements, those of few that lie elsewhere after they were copied to a place; else −1. */
  const placed = (x: ReadonlyVector, at: number, n: number, place: Float32Array, address: number): number => {
    const own = addressOf(x, at);
    if (own >= 0 || n > chunk) return own;
    place.set(part(x, at, n));
    return address;
  };

  const rowsOf =
    (f: Rowwise, plain: RowsKernel, isFixed: boolean): RowsKernel =>
    (x, atX, stepX, y, atY, stepY, out, to, count, n) => {
      const a = count * n < worthwhile ? -1 : placed(x, atX, (count - 1) * stepX + n, unit.a, places.a);
      const b = a < 0 ? -1 : placed(y, atY, (count - 1) * stepY + (isFixed ? 1 : n), unit.b, places.b);
      const result = b < 0 ? -1 : addressOf(out, to);
      if (result >= 0) f(a, b, result, 4 * n, count, 4 * stepX, 4 * stepY);
      else if (b >= 0 && count * n <= chunk) {
        f(a, b, places.out, 4 * n, count, 4 * stepX, 4 * stepY);
        out.set(unit.out.subarray(0, count * n), to);
      } else plain(x, atX, stepX, y, atY, stepY, out, to, count, n);
    };

  const unary = (kind: UnaryKind): UnaryKernel => {
    const f = unit.pointwise[kind];
    const plain = plainKernels.unary[kind];
    return (x, out) => {
      if (out.length < worthwhile) plain(x, out);
      else map(f, 0, 0, x, 0, x, 0, out, 0, out.length);
    };
  };

  const ofTwo =
    (f: Pointwise, plain: UnaryOfTwo): UnaryOfTwo =>
    (x, y, out) => {
      if (out.length < worthwhile) plain(x, y, out);
      else map(f, 0, 0, x, 0, y, 0, out, 0, out.length);
    };

  const combining = (name: 'linearCombination' | 'combineWithSquare' | 'overRoot'): CombiningKernel => {
    const f = unit.pointwise[name];
    const plain = plainKernels[name];
    return (s, x, t, y, out) => {
      if (out.length < worthwhile) plain(s, x, t, y, out);
      else map(f, s, t, x, 0, y, 0, out, 0, out.length);
    };
  };

  const scalar =
    (f: Rowwise, plain: ScalarKernel): ScalarKernel =>
    (x, at, s, out, to, n) => {
      if (n < worthwhile) {
        plain(x, at, s, out, to, n);
        return;
      }
      unit.number[0] = s;
      const result = addressOf(out, to);
      const a = addressOf(x, at);
      if (result >= 0 && a >= 0) f(a, places.number, result, 4 * n, 1, 0, 0);
      else inChunks((p, _, r, bytes) => f(p, places.number, r, bytes, 1, 0, 0), x, at, x, at, out, to, n);
    };

  const pair =
    (f: Rowwise, plain: PairKernel): PairKernel =>
    (x, atX, y, atY, out, to, n) => {
      if (n < worthwhile) {
        plain(x, atX, y, atY, out, to, n);
        return;
      }
      const result = addressOf(out, to);
      const a = addressOf(x, atX);
      const b = addressOf(y, atY);
      if (result >= 0 && a >= 0 && b >= 0) f(a, b, result, 4 * n, 1, 0, 0);
      else inChunks((p, q, r, bytes) => f(p, q, r, bytes, 1, 0, 0), x, atX, y, atY, out, to, n);
    };

  const binary = (kind: BinaryKind): BinaryKernel => {
    const { rowwise } = unit;
    const plain = plainKernels.binary[kind];
    return {
      both: pair(rowwise[kind], plain.both),
      right: scalar(rowwise[`${kind}.right`], plain.right),
      left: scalar(rowwise[`${kind}.left`], plain.left),
      rows: rowsOf(rowwise[kind], plain.rows, false),
      rowsRight: rowsOf(rowwise[`${kind}.right`], plain.rowsRight, true),
      rowsLeft: rowsOf(rowwise[`${kind}.left`], plain.rowsLeft, true),
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

  /** Sums of a matrix that lies in the memory, few of which may go elsewhere; those of others are plain. */
  const sums =
    (f: VectorUnit['rowSums'], plain: SumsKernel): SumsKernel =>
    (x, at, rows, columns, out, to) => {
      const a = rows * columns < worthwhile ? -1 : addressOf(x, at);
      const result = a < 0 ? -1 : addressOf(out, to);
      if (result >= 0) f(a, result, 4 * columns, rows);
      else if (a >= 0 && rows <= chunk) {
        f(a, places.out, 4 * columns, rows);
        out.set(unit.out.subarray(0, rows), to);
      } else plain(x, at, rows, columns, out, to);
    };

  /** Reductions of the axis in the middle; few results may go elsewhere. */
  const middle =
    (f: VectorUnit['middleSums'], plain: MiddleKernel): MiddleKernel =>
    (x, blocks, rows, columns, out) => {
      const n = blocks * columns;
      const a = n * rows < worthwhile ? -1 : addressOf(x, 0);
      const result = a < 0 ? -1 : addressOf(out, 0);
      if (result >= 0) f(a, result, 4 * columns, rows, blocks);
      else if (a >= 0 && n <= chunk) {
        f(a, places.out, 4 * columns, rows, blocks);
        out.set(unit.out.subarray(0, n));
      } else plain(x, blocks, rows, columns, out);
    };

  const blocks =
    <Out extends Buffer>(f: VectorUnit['copyBlocks'], plain: BlocksKernel<Out>): BlocksKernel<Out> =>
    (x, at, stepsX, out, to, stepsOut, counts, n) => {
      const result = addressOf(out, to);
      const a = result < 0 ? -1 : placed(x, at, x.length - at, unit.a, places.a);
      if (a < 0) {
        plain(x, at, stepsX, out, to, stepsOut, counts, n);
        return;
      }
      const [[x0, x1, x2], [o0, o1, o2]] = [stepsX, stepsOut];
      f(a, result, 4 * n, ...counts, 4 * x0, 4 * x1, 4 * x2, 4 * o0, 4 * o1, 4 * o2);
    };

  const shortMiddleSums = middle(unit.middleSums, plainKernels.middleSums);

  /** Goes over indices that are copied to the place of a, some at a time. */
  const forEachChunk = (indices: Int32Array, visit: (at: number, count: number) => void): void => {
    for (let at = 0; at < indices.length; at += chunk) {
      const count = Math.min(chunk, indices.length - at);
      unit.indices.set(indices.subarray(at, at + count));
      visit(at, count);
    }
  };

  const sum: Kernels['sum'] = (x, at, n) => {
    if (n < worthwhile) return plainKernels.sum(x, at, n);
    const own = addressOf(x, at);
    if (own >= 0) return unit.sum(own, 4 * n);
    let total = 0;
    for (let start = 0; start < n; start += chunk) {
      const size = Math.min(chunk, n - start);
      total += unit.sum(staged(x, at + start, size, unit.a, places.a), 4 * size);
    }
    return total;
  };

  const dot: Kernels['dot'] = (x, y) => {
    const n = x.length;
    if (n < worthwhile) return plainKernels.dot(x, y);
    const [a, b] = [addressOf(x, 0), addressOf(y, 0)];
    if (a >= 0 && b >= 0) return unit.dot(a, b, 4 * n);
    let total = 0;
    for (let start = 0; start < n; start += chunk) {
      const size = Math.min(chunk, n - start);
      const left = staged(x, start, size, unit.a, places.a);
      total += unit.dot(left, x === y ? left : staged(y, start, size, unit.b, places.b), 4 * size);
    }
    return total;
  };

  return {
    unary: {
      neg: unary('neg'),
      exp: unary('exp'),
      log: unary('log'),
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
      both: pair(unit.rowwise.expOfDifference, plainKernels.expOfDifference.both),
      right: scalar(unit.rowwise['expOfDifference.right'], plainKernels.expOfDifference.right),
      rowsRight: rowsOf(unit.rowwise['expOfDifference.right'], plainKernels.expOfDifference.rowsRight, true),
    },
    sigmoidMinus: ofTwo(unit.pointwise.sigmoidMinus, plainKernels.sigmoidMinus),
    sigmoidCrossEntropy: ofTwo(unit.pointwise.sigmoidCrossEntropy, plainKernels.sigmoidCrossEntropy),
    linearCombination: combining('linearCombination'),
    combineWithSquare: combining('combineWithSquare'),
    overRoot: combining('overRoot'),
    sum,
    dot,
    rowSums: sums(unit.rowSums, plainKernels.rowSums),
    rowMaxima: sums(unit.rowMaxima, plainKernels.rowMaxima),
    middleSums: (x, blocks, rows, columns, out) => {
      const isLong = blocks === 1 && rows >= fewestRows && rows * columns >= worthParts;
      const a = isLong ? addressOf(x, 0) : -1;
      if (a < 0 || !sumsInParts(unit, a, rows, columns, out)) shortMiddleSums(x, blocks, rows, columns, out);
    },
    middleMaxima: middle(unit.middleMaxima, plainKernels.middleMaxima),
    middleMaximaVjp: (x, y, c, blocks, rows, columns, out) => {
      const result = out.length < worthwhile ? -1 : addressOf(out, 0);
      const [a, top, cotangent] = [x, y, c].map((operand) => (result < 0 ? -1 : addressOf(operand, 0)));
      if (a < 0 || top < 0 || cotangent < 0) plainKernels.middleMaximaVjp(x, y, c, blocks, rows, columns, out);
      else unit.middleMaximaVjp(a, top, cotangent, result, 4 * columns, rows, blocks);
    },
    rowExponentials: (x, tops, columns, out) => {
      const rows = tops.length;
      const a = out.length < worthwhile ? -1 : addressOf(x, 0);
      const result = a < 0 ? -1 : addressOf(out, 0);
      if (result < 0) return plainKernels.rowExponentials(x, tops, columns, out);
      const others = new Float64Array(rows);
      const firsts = new Float64Array(rows);
      const atOnce = chunk / 4; // two numbers in 64 bits for each row
      for (let start = 0; start < rows; start += atOnce) {
        const n = Math.min(atOnce, rows - start);
        const at = 4 * start * columns;
        const b = placed(tops, start, n, unit.b, places.b);
        unit.rowExponentials(a + at, b, result + at, places.out, 4 * columns, n, places.lanes);
        for (let r = 0; r < n; r += 1) {
          const ones = unit.sums[2 * r + 1];
          firsts[start + r] = Number.isFinite(tops[start + r]) ? Math.min(ones, 1) : NaN;
          others[start + r] = unit.sums[2 * r] + Math.max(ones - 1, 0);
        }
      }
      return { others, firsts };
    },
    ...standardising(unit, worthwhile),
    copyRows: (x, at, stepX, out, to, stepOut, rows, n) => {
      const result = rows * n < worthACopy || n < 4 ? -1 : addressOf(out, to);
      const a = result < 0 ? -1 : placed(x, at, (rows - 1) * stepX + n, unit.a, places.a);
      if (a >= 0) unit.copyBlocks(a, result, 4 * n, 1, 1, rows, 0, 0, 4 * stepX, 0, 0, 4 * stepOut);
      else plainKernels.copyRows(x, at, stepX, out, to, stepOut, rows, n);
    },
    spread: (x, at, step, out, to, rows, n) => {
      const result = rows * n < worthwhile ? -1 : addressOf(out, to);
      const a = result < 0 ? -1 : placed(x, at, x.length - at, unit.a, places.a);
      if (a >= 0) unit.rowwise.spread(a, a, result, 4 * n, rows, 0, 4 * step);
      else plainKernels.spread(x, at, step, out, to, rows, n);
    },
    copyBlocks: blocks(unit.copyBlocks, plainKernels.copyBlocks),
    addBlocks: blocks(unit.addBlocks, plainKernels.addBlocks),
    mirrorLower: (n, a, stride) => {
      const own = n * n < worthwhile ? -1 : addressOf(a, 0);
      if (own >= 0) unit.mirrorLower(own, n, 4 * stride);
      else plainKernels.mirrorLower(n, a, stride);
    },
    select: (c, a, b, out, to, rows, n) => {
      const result = rows * n < worthwhile ? -1 : addressOf(out, to);
      // Conditions may be integers, which are not to be taken for floats.
      const form = result < 0 || !(c.data instanceof Float32Array) ? undefined : formOf(c, a, b);
      const own = (x: RowsOf, place: Float32Array, address: number): number =>
        placed(x.data, x.at, (rows - 1) * x.step + (x.varies ? n : 1), place, address);
      const atC = form === undefined ? -1 : own(c, unit.a, places.a);
      const atA = atC < 0 ? -1 : own(a, unit.b, places.b);
      const atB = atA < 0 ? -1 : own(b, unit.out, places.out);
      if (form === undefined || atB < 0) plainKernels.select(c, a, b, out, to, rows, n);
      else unit.select[`select.${form}`](atC, atA, atB, result, 4 * n, rows, 4 * c.step, 4 * a.step, 4 * b.step);
    },
    gatherRows: (x, rows, indices, width, out) => {
      const from = width < lanes || out.length < worthwhile ? -1 : addressOf(x, 0);
      const to = from < 0 ? -1 : addressOf(out, 0);
      if (to < 0 || !(indices instanceof Int32Array)) plainKernels.gatherRows(x, rows, indices, width, out);
      else
        forEachChunk(indices, (at, count) =>
          unit.gatherRows(from, places.a, to + 4 * at * width, 4 * width, count, rows),
        );
    },
    scatterRows: (x, indices, width, out, rows) => {
      const from = width < lanes || x.length < worthwhile ? -1 : addressOf(x, 0);
      const to = from < 0 ? -1 : addressOf(out, 0);
      if (to < 0 || !(indices instanceof Int32Array)) plainKernels.scatterRows(x, indices, width, out, rows);
      else
        forEachChunk(indices, (at, count) =>
          unit.scatterRows(from + 4 * at * width, places.a, to, 4 * width, count, rows),
        );
    },
    fill: (out, s) => {
      const result = out.length < worthACopy ? -1 : addressOf(out, 0);
      if (result >= 0) unit.pointwise.fill(result, result, result, 4 * out.length, s, 0);
      else out.fill(s);
    },
    transpose: (x, at, rows, columns, out, to) => {
      const a = rows < tile || columns < tile ? -1 : addressOf(x, at);
      const result = a < 0 ? -1 : addressOf(out, to);
      if (result >= 0) unit.transpose(a, result, rows, columns, 0, rows);
      else plainKernels.transpose(x, at, rows, columns, out, to);
    },
  };
};

/** A function of two arrays. */
type UnaryOfTwo = Kernels['sigmoidMinus'];

/**
 * Kernels for 32-bit floats: on the vector unit where there is one, else plain.
 *
 * @param worthwhile - elements from which the vector unit is used
 * @param unit - the unit; that of the process unless given
 */
export const singleKernels = (worthwhile: number = worthACall, unit: VectorUnit | null = vectorUnit()): Kernels =>
  unit === null ? plainKernels : kernelsOn(unit, worthwhile);
