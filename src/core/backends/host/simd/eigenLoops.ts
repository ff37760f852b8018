/**
 * The loops of the eigendecomposition as a WebAssembly module, two 64-bit floats at a time.
 *
 * A large decomposition has a memory of its own, because it holds whole matrices; small ones share one. That is scratch
 * space within a synchronous call, so nobody can tell.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { EigenLoops } from '../../../linearAlgebra/eigen/loops.ts';
import { panelRows, places } from '../../../linearAlgebra/eigen/loops.ts';

import type { Code, FunctionCode } from './assembler.ts';
import { assemble, f64, f64x2, i32, local, repeatWhile, v128, valueType } from './assembler.ts';

const { get, set } = local;
const { add, sub, mul, splat } = f64x2;
const { i32: integer, f64: float, v128: pair } = valueType;

const advance = (index: number, bytes: number): Code => set(index, i32.add(get(index), i32.constant(bytes)));

/** Elements of a vector at a place, at the offset in a local. */
const load = (at: number, place: number): Code => v128.load(get(at), 8 * place);
const store = (at: number, place: number, value: Code): Code => v128.store(get(at), 8 * place, value);

const reflect = (): FunctionCode => {
  const [row, end, vi, wi, ui, at, sum, a, x, y, z] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  return {
    name: 'reflect',
    parameters: [integer, integer, float, float, float],
    results: [float],
    locals: [integer, pair, pair, pair, pair, pair],
    body: [
      ...set(x, splat(get(vi))),
      ...set(y, splat(get(wi))),
      ...set(z, splat(get(ui))),
      ...repeatWhile(
        [
          ...set(a, sub(sub(load(row, 0), mul(get(x), load(at, places.w))), mul(get(y), load(at, places.v)))),
          ...store(row, 0, get(a)),
          ...store(at, places.p, add(load(at, places.p), mul(get(z), get(a)))),
          ...set(sum, add(get(sum), mul(get(a), load(at, places.u)))),
          ...advance(row, 16),
          ...advance(at, 16),
        ],
        i32.lessThan(get(at), get(end)),
      ),
      ...f64.add(f64x2.lane(get(sum), 0), f64x2.lane(get(sum), 1)),
    ],
  };
};

const accumulate = (): FunctionCode => {
  const [row, end, c, d, at, a, x, y] = [0, 1, 2, 3, 4, 5, 6, 7];
  return {
    name: 'accumulate',
    parameters: [integer, integer, float, float],
    results: [],
    locals: [integer, pair, pair, pair],
    body: [
      ...set(x, splat(get(c))),
      ...set(y, splat(get(d))),
      ...repeatWhile(
        [
          ...set(a, sub(load(row, 0), mul(get(x), load(at, places.v)))),
          ...store(row, 0, get(a)),
          ...store(at, places.w, add(load(at, places.w), mul(get(y), get(a)))),
          ...advance(row, 16),
          ...advance(at, 16),
        ],
        i32.lessThan(get(at), get(end)),
      ),
    ],
  };
};

const rotate = (): FunctionCode => {
  const [column, at, end, c, s, z] = [0, 1, 2, 3, 4, 5];
  const width = 8 * panelRows;
  const carried = Array.from({ length: panelRows / 2 }, (_, q) => ({ local: 6 + q, offset: 16 * q }));
  return {
    name: 'rotate',
    parameters: [integer, integer, integer],
    results: [],
    locals: [pair, pair, pair, ...carried.map(() => pair)],
    body: [
      ...carried.flatMap(({ local: q, offset }) => set(q, v128.load(get(column), width + offset))),
      ...repeatWhile(
        [
          ...set(c, f64x2.loadSplat(get(at), 8 * places.rotations)),
          ...set(s, f64x2.loadSplat(get(at), 8 * places.rotations + 8)),
          ...carried.flatMap(({ local: q, offset }) => [
            ...set(z, v128.load(get(column), offset)),
            ...v128.store(get(column), width + offset, add(mul(get(s), get(z)), mul(get(c), get(q)))),
            ...set(q, sub(mul(get(c), get(z)), mul(get(s), get(q)))),
          ]),
          ...advance(column, -width),
          ...advance(at, 16),
        ],
        i32.lessThan(get(at), get(end)),
      ),
      ...carried.flatMap(({ local: q, offset }) => v128.store(get(column), width + offset, get(q))),
    ],
  };
};

/** The binary of the module. */
export const eigenModuleBytes = (): Uint8Array => assemble(1, [reflect(), accumulate(), rotate()]);

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; readonly grow: (pages: number) => number };
  readonly reflect: (row: number, end: number, vi: number, wi: number, ui: number) => number;
  readonly accumulate: (row: number, end: number, c: number, d: number) => void;
  readonly rotate: (column: number, at: number, end: number) => void;
}

/** The part of the JavaScript interface of WebAssembly that is used here. */
interface WebAssemblyInterface {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
}

const pageBytes = 65_536;

/** Elements up to which a memory is kept for the next decomposition: making one costs more than a small matrix. */
const kept = 1 << 20;

let compiled: object | undefined;
let small: EigenLoops | undefined;

const open = (length: number): EigenLoops => {
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyInterface };
  compiled ??= new WebAssembly.Module(eigenModuleBytes());
  const { memory, ...loops } = new WebAssembly.Instance(compiled).exports as Exports;
  memory.grow(Math.ceil((8 * length) / pageBytes) - 1);
  return {
    data: new Float64Array(memory.buffer),
    reflect: (row, n, vi, wi, ui) => loops.reflect(8 * row, 8 * n, vi, wi, ui),
    accumulate: (row, n, c, d) => loops.accumulate(8 * row, 8 * n, c, d),
    rotate: (panel, top, first, count) => loops.rotate(8 * (panel + panelRows * top), 16 * first, 16 * (first + count)),
  };
};

/**
 * Loops on WebAssembly.
 *
 * @param length - elements of the array, which has arbitrary contents
 * @returns the loops; `null` where there is no WebAssembly, or no memory of that size
 */
export const eigenLoops = (length: number): EigenLoops | null =>
  pipe(
    E.tryCatch(
      () => (length <= kept ? (small ??= open(kept)) : open(length)),
      () => null,
    ),
    E.toUnion,
  );
