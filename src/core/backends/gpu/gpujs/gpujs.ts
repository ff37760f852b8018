/**
 * gpu.js behind narrow types of our own; nothing else imports it.
 *
 * gpu.js degrades silently: a kernel that its backend cannot run is moved to plain JavaScript with a warning, several
 * times slower. Every kernel is therefore asked, after its first call, where it really ran, and a kernel that moved is
 * an error. Results are taken flat by replacing the private method that nests them, because nesting costs more than
 * many kernels; a self-test decides whether that still works, and nested results are walked when it does not.
 *
 * The import is static: it opens no handles and takes about 60 ms.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { GPU, Input } from 'gpu.js';

import type { BackendUnavailable } from '../../../errors.ts';
import { raise } from '../../../errors.ts';
import type { ReadonlyVector } from '../../../tensor.ts';

import type { GpuMode } from '../../gpuModes.ts';
import type { KernelOutput } from './kernelOutput.ts';
import type { BuildableKernel, KernelModule } from './module.ts';
import { buildModule } from './module.ts';
import type { CompilableKernel } from './vectorLoads.ts';
import { readNeighboursTogether } from './vectorLoads.ts';

/** Modes whose kernels read and write host memory. */
export type MemoryMode = Extract<GpuMode, 'webasm' | 'cpu'>;

/** A compiled kernel. It is compiled by its first call and keeps a copy of its arguments and results until destroyed. */
export interface GpuKernel {
  /**
   * Runs the kernel.
   *
   * @param args - flat arrays, always of the lengths of the first call
   * @returns a new array: the components of thread (x, y, z) start at `components * (x + X (y + Y z))`
   */
  readonly run: (...args: ReadonlyArray<ReadonlyVector>) => Float32Array;
  /**
   * Room for an argument in the kernel's own memory, where it has one that can be had. An argument that was made there
   * is not copied by `run`. The room is good for the next call only.
   */
  readonly place?: (argument: number) => Float32Array;
  /** Frees the kernel's memory. */
  readonly destroy: () => void;
}

/** An open gpu.js. */
export interface Gpu {
  readonly mode: MemoryMode;
  /** Whether results arrive flat; when not, they are walked, which is slow. */
  readonly flatResults: boolean;
  /** Whether kernels read neighbours together (WebAssembly only, see `vectorLoads.ts`); when not, products are slow. */
  readonly vectorLoads: boolean;
  /**
   * A kernel from the text of a function expression.
   *
   * @param source - the text; text, because bundlers and coverage tools rewrite functions
   * @param output - extents of the result
   */
  readonly createKernel: (source: string, output: KernelOutput) => GpuKernel;
  /**
   * A kernel of the WebAssembly mode as a module for anybody's memory.
   *
   * @param source - as for `createKernel`
   * @param output - extents of the result, the first of them a multiple of 4
   * @param lengths - lengths of the arguments
   * @param shared - whether the memory is one that threads share
   * @returns the module, or why there is none
   */
  readonly compileModule: (
    source: string,
    output: KernelOutput,
    lengths: ReadonlyArray<number>,
    shared: boolean,
  ) => E.Either<string, KernelModule>;
  /** Ends workers and frees all kernels. */
  readonly dispose: () => Promise<void>;
}

/** What one thread returned, or an array of such along x, y or z. */
export type Nested = number | ArrayLike<Nested>;

/** The part of gpu.js's kernels that is used here. */
export interface RawKernel extends BuildableKernel {
  (...args: ReadonlyArray<object | number>): Nested;
  readonly kernel: BuildableKernel['kernel'] &
    CompilableKernel & {
      readonly constructor: { readonly mode?: string };
      readonly fallbackReason?: string | null;
      /** Private: shapes the flat result. */
      _shapeOutput?: unknown; // eslint-disable-line no-restricted-syntax -- replaced, see the module comment
    };
  readonly setLoopMaxIterations: (most: number) => RawKernel;
  readonly destroy: () => void;
}

/** The part of gpu.js's `GPU` that is used here. */
export interface RawGpu {
  readonly createKernel: (source: string, settings: object) => RawKernel;
  readonly destroy: () => Promise<void>;
}

const RawGpu = GPU as unknown as new (settings: { readonly mode: string }) => RawGpu;
const RawInput = Input as unknown as new (value: ReadonlyVector, size: ReadonlyArray<number>) => object;

/** gpu.js as it is, for devices that keep arrays; throws where the mode does not exist. */
export const rawGpu = (mode: GpuMode): RawGpu => new RawGpu({ mode });

/** A flat array as an argument of a kernel. */
export const inputOf = (values: ReadonlyVector): object => new RawInput(values, [values.length]);

const unavailable = (mode: MemoryMode, reason: string): BackendUnavailable => ({
  _tag: 'BackendUnavailable',
  backend: `gpu (${mode})`,
  reason,
  advice: 'Use the native or the reference backend.',
});

/**
 * Lays a result out flat.
 *
 * @param nested - arrays of arrays, or an array that is flat already
 * @param length - number of elements
 */
export const flatten = (nested: Nested, length: number): Float32Array => {
  if (ArrayBuffer.isView(nested) && nested instanceof Float32Array && nested.length === length) return nested;
  const flat = new Float32Array(length);
  let next = 0;
  const walk = (part: Nested): void => {
    if (typeof part === 'number') {
      flat[next] = part;
      next += 1;
      return;
    }
    if (part instanceof Float32Array) {
      flat.set(part, next);
      next += part.length;
      return;
    }
    for (let i = 0; i < part.length; i += 1) walk(part[i]);
  };
  walk(nested);
  return flat;
};

const lengthOf = (output: KernelOutput): number =>
  output.size.reduce((size, extent) => size * extent, output.components);

const compile = (gpu: RawGpu, source: string, output: KernelOutput, asyncMode = false): RawKernel =>
  gpu
    .createKernel(source, { output: output.size, precision: 'single', asyncMode })
    // The default of 1000 cuts off, without a word, every loop whose bounds are not literals.
    .setLoopMaxIterations(2 ** 30);

const takeFlat = (raw: RawKernel): void => {
  raw.kernel._shapeOutput = (flat: Nested) => flat;
};

/** Why a kernel did not run where it should, or `undefined` when it did. */
const degraded = (raw: RawKernel, mode: MemoryMode): string | undefined => {
  const actual = raw.kernel.constructor.mode;
  if (actual === mode && (raw.kernel.fallbackReason ?? null) === null) return undefined;
  return `a kernel was moved to ${actual ?? 'an unknown mode'}: ${raw.kernel.fallbackReason ?? 'no reason given'}`;
};

/** Neighbours along x, neighbours that all threads share, several components. */
const probe = {
  source: [
    'function(a) {',
    'let p = this.output.x; p++; p = this.thread.y * 4;',
    'const v = a[p + 1 + this.thread.x];',
    'return [v * a[p], v * a[p + 1], v * a[p + 2], v * a[p + 3]];',
    '}',
  ].join('\n'),
  output: { size: [4, 2], components: 4 } as const,
  values: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9),
};

/** What the probe returns. */
const expected = [0, 1].flatMap((y) =>
  [0, 1, 2, 3].flatMap((x) => [0, 1, 2, 3].map((c) => probe.values[4 * y + 1 + x] * probe.values[4 * y + c])),
);

/** What can be had of gpu.js's private parts. */
type Extras = Pick<Gpu, 'flatResults' | 'vectorLoads'>;

/** Runs a kernel nested and flat. Right: what can be had. Left: why the mode cannot be used. */
const selfTest = (gpu: RawGpu, mode: MemoryMode, tryVectors: boolean): E.Either<string, Extras> => {
  const isExpected = (result: ArrayLike<Nested>): boolean =>
    result.length === expected.length && expected.every((v, i) => v === result[i]);
  const raw = compile(gpu, probe.source, probe.output);
  const taught = tryVectors ? readNeighboursTogether(raw.kernel) : () => false;
  const input = inputOf(probe.values);
  const nested = flatten(raw(input), expected.length);
  const reason = degraded(raw, mode) ?? (isExpected(nested) ? undefined : `a test kernel returned ${nested.join(' ')}`);
  if (reason !== undefined) return E.left(reason);
  const overridable = typeof raw.kernel._shapeOutput === 'function';
  takeFlat(raw);
  const flat = overridable ? raw(input) : 0;
  raw.destroy();
  return E.right({ flatResults: typeof flat !== 'number' && isExpected(flat), vectorLoads: taught() });
};

const kernelOf = (
  gpu: RawGpu,
  mode: MemoryMode,
  { flatResults, vectorLoads }: Extras,
  source: string,
  output: KernelOutput,
): GpuKernel => {
  const length = lengthOf(output);
  const raw = compile(gpu, source, output);
  if (flatResults) takeFlat(raw);
  if (vectorLoads) readNeighboursTogether(raw.kernel);
  const call = (args: ReadonlyArray<ReadonlyVector>): Float32Array => flatten(raw(...args.map(inputOf)), length);
  let checked = false;
  const firstCall = (args: ReadonlyArray<ReadonlyVector>): Float32Array => {
    const result = E.tryCatch(() => call(args), String); // the compiler's errors, and memory that cannot be had
    const reason = E.isLeft(result) ? result.left : degraded(raw, mode);
    if (E.isLeft(result) || reason !== undefined) return raise(unavailable(mode, reason ?? ''));
    checked = true;
    return result.right;
  };
  return { run: (...args) => (checked ? call(args) : firstCall(args)), destroy: () => raw.destroy() };
};

const moduleOf = (
  gpu: RawGpu,
  { vectorLoads }: Extras,
  source: string,
  output: KernelOutput,
  lengths: ReadonlyArray<number>,
  shared: boolean,
): E.Either<string, KernelModule> => {
  const raw = compile(gpu, source, output, shared);
  if (vectorLoads) readNeighboursTogether(raw.kernel);
  const args = lengths.map((length) => new RawInput(new Float32Array(length), [length]));
  const module = buildModule(raw, output, args, lengths, shared);
  raw.destroy(); // with the memory that gpu.js made for it
  return module;
};

/**
 * Opens gpu.js in one mode and tries a kernel.
 *
 * @param mode - where kernels shall run; gpu.js's own choice is never used, it prefers software rasterisers
 * @returns gpu.js, or why the mode cannot be had
 */
export const openGpu = (mode: MemoryMode): E.Either<BackendUnavailable, Gpu> =>
  pipe(
    E.tryCatch(() => {
      const raw = new RawGpu({ mode });
      const taught = E.flatten(E.tryCatch(() => selfTest(raw, mode, true), String));
      return { raw, tested: E.isRight(taught) ? taught : selfTest(raw, mode, false) };
    }, String),
    E.flatMap(({ raw, tested }) =>
      pipe(
        tested,
        E.map((extras) => ({ raw, extras })),
      ),
    ),
    E.bimap(
      (reason) => unavailable(mode, reason),
      ({ raw, extras }) => ({
        mode,
        ...extras,
        createKernel: (source, output) => kernelOf(raw, mode, extras, source, output),
        compileModule: (source, output, lengths, shared) =>
          mode === 'webasm' ? moduleOf(raw, extras, source, output, lengths, shared) : E.left(`${mode} has no modules`),
        dispose: () => raw.destroy(),
      }),
    ),
  );
