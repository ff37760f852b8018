/**
 * Whether this engine multiplies and adds in one instruction.
 *
 * The proposal of relaxed vectors has an instruction for a b + c that may round once or twice. Engines have it or not, and
 * compile it to what the processor has; both are found out by an example.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { Code } from './assembler.ts';
import { assemble, f32x4, i32, v128 } from './assembler.ts';
import type { WithMemory } from './growing.ts';

/** The part of the JavaScript interface of WebAssembly that is used here. */
interface WebAssemblyInterface {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
}

interface Exports extends WithMemory {
  readonly run: () => void;
}

/** (1 + 2⁻¹²)² = 1 + 2⁻¹¹ + 2⁻²⁴, whose last bit 32 bits do not hold. */
const [root, square, lost] = [1 + 2 ** -12, 1 + 2 ** -11, 2 ** -24];

/** The binary of a module that multiplies and adds four numbers of its memory with the four after them and the next four. */
const exampleBytes = (): Uint8Array => {
  const at = (offset: number): Code => v128.load(i32.constant(0), offset);
  const body = v128.store(i32.constant(0), 0, f32x4.multiplyAdd(at(0), at(16), at(32)));
  return assemble(1, [{ name: 'run', parameters: [], results: [], locals: [], body }]);
};

const found = (): boolean => {
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyInterface };
  const { run, memory } = new WebAssembly.Instance(new WebAssembly.Module(exampleBytes())).exports as Exports;
  const numbers = new Float32Array(memory.buffer, 0, 12).fill(root).fill(-square, 8);
  run();
  return numbers[0] === lost;
};

let known: boolean | undefined;

/** Whether `f32x4.multiplyAdd` is there, and rounds once. */
export const isFused = (): boolean =>
  (known ??= pipe(
    E.tryCatch(found, () => false),
    E.toUnion,
  ));
