/**
 * The compiled module of vector kernels: one per process, made when first asked for.
 *
 * It is only scratch space and pure loops, used within single synchronous calls, so nobody can tell that it is shared.
 * Where WebAssembly is forbidden (a strict content security policy) or does not give the right numbers, there is none,
 * and callers use plain loops.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { PointwiseName } from './module.ts';
import { chunk, moduleBytes, places } from './module.ts';

/** Runs over a chunk of `end` bytes with two numbers. */
export type Pointwise = (end: number, s: number, t: number) => void;

/** The kernels, and the places where their operands and results are. */
export interface VectorUnit {
  readonly pointwise: Readonly<Record<PointwiseName, Pointwise>>;
  readonly sum: (end: number) => number;
  readonly dot: (end: number) => number;
  readonly accumulate: (end: number) => void;
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly out: Float32Array;
  readonly totals: Float64Array;
}

/** The part of the JavaScript interface of WebAssembly that is used here. */
interface WebAssemblyInterface {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
}

type Exports = Omit<VectorUnit, 'pointwise' | 'a' | 'b' | 'out' | 'totals'> &
  VectorUnit['pointwise'] & { readonly memory: { readonly buffer: ArrayBuffer } };

const open = (): VectorUnit | null => {
  const { WebAssembly } = globalThis as { readonly WebAssembly?: WebAssemblyInterface };
  if (WebAssembly === undefined) return null;
  const exports = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes())).exports as Exports;
  const { buffer } = exports.memory;
  return {
    pointwise: exports,
    sum: exports.sum,
    dot: exports.dot,
    accumulate: exports.accumulate,
    a: new Float32Array(buffer, places.a, chunk),
    b: new Float32Array(buffer, places.b, chunk),
    out: new Float32Array(buffer, places.out, chunk),
    totals: new Float64Array(buffer, places.totals, chunk),
  };
};

/** Whether a kernel and a sum give what they should. */
const works = (unit: VectorUnit): boolean => {
  const values = [0.5, -1, 2, -30];
  unit.a.set(values);
  unit.pointwise.tanh(16, 0, 0);
  const close = values.every((x, i) => Math.abs(unit.out[i] - Math.tanh(x)) < 1e-6);
  return close && unit.sum(16) === -28.5;
};

let known: VectorUnit | null | undefined;

/** The vector unit, or `null` where it cannot be used. */
export const vectorUnit = (): VectorUnit | null => {
  if (known !== undefined) return known;
  known = pipe(
    E.tryCatch(open, () => null),
    E.match(
      () => null,
      (unit) => (unit !== null && works(unit) ? unit : null),
    ),
  );
  return known;
};
