/**
 * A kernel of gpu.js's WebAssembly mode as what it compiles to: a module that runs over anybody's memory.
 *
 * gpu.js keeps the module and the places of arguments and result in private fields. They are read here and nowhere
 * else, each is checked to be what it should be, and the engine tries a kernel before it trusts them.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { KernelOutput } from './kernelOutput.ts';

/** A compiled kernel, not bound to a memory. */
export interface KernelModule {
  /** A `WebAssembly.Module`. It imports `env.memory` and `env.math_…`, and exports `run_simd(start, end, seed)`. */
  readonly module: object;
  /** Functions of `Math` that the module imports. */
  readonly functions: ReadonlyArray<string>;
  /** Where each argument starts, in elements, and its length. */
  readonly inputs: ReadonlyArray<number>;
  readonly lengths: ReadonlyArray<number>;
  /** Where the result starts, in elements, and its length. */
  readonly output: number;
  readonly length: number;
  /** Threads of the kernel in all. */
  readonly cells: number;
  /** Memory that an instance needs. */
  readonly bytes: number;
}

/** What gpu.js keeps of a built kernel. */
interface Built {
  readonly module?: unknown;
  readonly memory?: { readonly buffer?: { readonly byteLength?: unknown } };
  readonly mathImports?: unknown;
  readonly cells?: unknown;
  readonly runSimd?: unknown;
  readonly layout?: {
    readonly arrays?: Readonly<Record<string, { readonly index: number; readonly offset: number }>>;
    readonly outputOffset?: unknown;
  };
}

/** The part of a kernel of gpu.js that is used here. */
export interface BuildableKernel {
  readonly kernel: {
    readonly build: (...args: ReadonlyArray<object>) => void;
    /** Private: whether the module is for shared memory, which gpu.js decides by the size of the result. */
    _threadable?: unknown; // eslint-disable-line no-restricted-syntax -- replaced, see the module comment
    /** Private: the module and its memory. */
    readonly _active?: Built | null;
  };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isNames = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.every((name) => typeof name === 'string');

/**
 * Builds a kernel without running it.
 *
 * @param raw - created with `asyncMode` when the memory is to be shared
 * @param output - extents; the first is a multiple of 4
 * @param args - arguments as gpu.js takes them; only their sizes count
 * @param lengths - their lengths
 * @param shared - whether the module shall import a shared memory
 * @returns the module, or what gpu.js has that was not expected
 */
export const buildModule = (
  raw: BuildableKernel,
  output: KernelOutput,
  args: ReadonlyArray<object>,
  lengths: ReadonlyArray<number>,
  shared: boolean,
): E.Either<string, KernelModule> => {
  const { kernel } = raw;
  kernel._threadable = () => shared;
  const built = E.tryCatch(() => {
    kernel.build(...args);
    return kernel._active;
  }, String);
  if (E.isLeft(built)) return built;
  const { module, memory, mathImports, cells, runSimd, layout } = built.right ?? {};
  const bytes = memory?.buffer?.byteLength;
  const outputOffset = layout?.outputOffset;
  const inputs = Object.values(layout?.arrays ?? {})
    .sort((x, y) => x.index - y.index)
    .map(({ offset }) => offset / 4);
  const isWhole =
    typeof module === 'object' &&
    module !== null &&
    typeof runSimd === 'function' &&
    isNames(mathImports) &&
    isCount(bytes) &&
    isCount(outputOffset) &&
    inputs.length === args.length &&
    inputs.every(isCount) &&
    cells === output.size.reduce((product, extent) => product * extent, 1) &&
    output.size[0] % 4 === 0;
  return isWhole
    ? E.right({
        module,
        functions: mathImports,
        inputs,
        lengths,
        output: outputOffset / 4,
        length: cells * output.components,
        cells,
        bytes,
      })
    : E.left('gpu.js keeps its WebAssembly modules in another way than version 2.24 does');
};
