/**
 * The compiled module of vector kernels with the memories that it works on: one module and one first memory per process, made when
 * first asked for, and an instance for each memory.
 *
 * Its places are scratch space within single synchronous calls, so nobody can tell that they are shared. Where WebAssembly
 * is forbidden (a strict content security policy) or does not give the right numbers, there is none, and callers use plain
 * loops on memory of their own.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { BadConfig } from '../../../errors.ts';
import { addressablePages } from '../../webAssembly/assembler.ts';
import { isFused } from '../../webAssembly/fused.ts';
import type { Memories, MemoriesOptions } from '../memory/memories.ts';
import { openMemories } from '../memory/memories.ts';
import type { VectorMemory } from '../memory/memory.ts';

import { acrossMemories } from './across.ts';
import type { VectorFunctions } from './functionTypes.ts';
import { chunk, moduleBytes, places, reserved } from './module.ts';
import { laneMask } from './softmax.ts';

/** The kernels on one memory: an instance of the module. */
export interface VectorInstance extends VectorFunctions {
  /** What was compiled, and what it imports: other threads make functions of them that work on the same memory. */
  readonly module: object;
  readonly imported: object;
}

/** The kernels, and their memories with the places for what does not lie in them. */
export interface VectorUnit extends VectorFunctions {
  readonly memory: Memories;
  /** The same with other functions in place of those on each memory. */
  readonly each: (change: (instance: VectorInstance) => VectorInstance) => VectorUnit;
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly out: Float32Array;
  /** Sums in 64 bits, in the place of results. */
  readonly sums: Float64Array;
  /** Indices, in the place of a. */
  readonly indices: Int32Array;
  /** A number that takes the part of an operand. */
  readonly number: Float32Array;
}

/** The part of the JavaScript interface of WebAssembly that is used here. */
interface WebAssemblyInterface {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: Readonly<Record<string, unknown>> },
  ) => { readonly exports: object };
}

/** Pages in a MiB, and MiB in the largest memory. */
const pagesPerMiB = 16;
const mostOfMemory = addressablePages / pagesPerMiB;

/** Makes something for each memory once. */
const oncePer = <A>(make: (memory: VectorMemory) => A): ((memory: VectorMemory) => A) => {
  const made = new Map<VectorMemory, A>();
  return (memory) => {
    const found = made.get(memory) ?? make(memory);
    made.set(memory, found);
    return found;
  };
};

/** What a module exports: all functions side by side. */
type Exports = VectorFunctions & VectorFunctions['pointwise'] & VectorFunctions['rowwise'] & VectorFunctions['select'];

/** Settings of {@link openUnit}. */
export type UnitOptions = Omit<MemoriesOptions, 'reserve'>;

/**
 * A unit over memories of its own.
 *
 * @param options - what the memories are to be like
 * @returns the unit, or `null` where there is no memory
 */
export const openUnit = (options: UnitOptions = {}): VectorUnit | null => {
  const { WebAssembly } = globalThis as { readonly WebAssembly?: WebAssemblyInterface };
  const memory = WebAssembly === undefined ? null : openMemories({ reserve: reserved, ...options });
  if (WebAssembly === undefined || memory === null) return null;
  const module = new WebAssembly.Module(moduleBytes(memory.shared, isFused()));

  const instanceOn = oncePer((one: VectorMemory): VectorInstance => {
    const exports = new WebAssembly.Instance(module, { env: { memory: one.memory } }).exports as Exports;
    new Int32Array(one.reserved, places.lanes, laneMask.length).set(laneMask);
    return { ...exports, pointwise: exports, rowwise: exports, select: exports, module, imported: one.memory };
  });

  const unitOf = (functionsOn: (memory: VectorMemory) => VectorInstance): VectorUnit => ({
    ...acrossMemories(memory, functionsOn),
    memory,
    each: (change) => unitOf(oncePer((one) => change(functionsOn(one)))),
    a: new Float32Array(memory.reserved, places.a, chunk),
    b: new Float32Array(memory.reserved, places.b, chunk),
    out: new Float32Array(memory.reserved, places.out, chunk),
    sums: new Float64Array(memory.reserved, places.out, chunk / 2),
    indices: new Int32Array(memory.reserved, places.a, chunk),
    number: new Float32Array(memory.reserved, places.number, 1),
  });

  return unitOf(instanceOn);
};

/** Whether a kernel and a sum give what they should. */
const works = (unit: VectorUnit): boolean => {
  const values = [0.5, -1, 2, -30, 1];
  unit.a.set(values);
  unit.pointwise.tanh(places.a, places.a, places.out, 20, 0, 0);
  const close = values.every((x, i) => Math.abs(unit.out[i] - Math.tanh(x)) < 1e-6);
  return close && unit.sum(places.a, 20) === -27.5;
};

const opened = (options: UnitOptions): VectorUnit | null =>
  pipe(
    E.tryCatch(
      () => openUnit(options),
      () => null,
    ),
    E.match(
      () => null,
      (unit) => (unit !== null && works(unit) ? unit : null),
    ),
  );

/** What is wrong with a limit of the size of a memory, in MiB; `null` if nothing is. */
export const refusedLimit = (limit: number = mostOfMemory): BadConfig | null =>
  Number.isInteger(limit) && limit >= 1 && limit <= mostOfMemory
    ? null
    : {
        _tag: 'BadConfig',
        path: 'memoryLimit',
        expected: `a whole number of MiB from 1 to ${mostOfMemory}`,
        actual: String(limit),
      };

let known: VectorUnit | null | undefined;

/**
 * The vector unit of the process; where the size of a memory has a limit, one of its own.
 *
 * @param limit - MiB that one memory may have
 * @returns the unit, or `null` where it cannot be used
 */
export const vectorUnit = (limit?: number): VectorUnit | null => {
  if (limit !== undefined) return opened({ pages: pagesPerMiB * limit });
  if (known === undefined) known = opened({});
  return known;
};
