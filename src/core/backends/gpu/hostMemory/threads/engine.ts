/**
 * Kernels of gpu.js's WebAssembly mode over one memory, on one thread or several, synchronously.
 *
 * gpu.js compiles kernels and would also run them: each over a memory of its own, and on threads only by promises. Here
 * its modules run over a single memory, whose beginning every kernel uses for its arguments and result in turn. A
 * hundred kernels then hold as much memory as the largest of them, and workers know them all.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { ReadonlyVector } from '../../../../tensor.ts';
import type { GpuKernel } from '../../gpujs/gpujs.ts';

import type { Crew, CrewOptions } from '../../../threads/crew.ts';
import { startCrew } from '../../../threads/crew.ts';
import type { KernelModule } from '../../gpujs/module.ts';
import { mostPages, pageBytes, webAssembly } from './webAssembly.ts';

/** Kernels over one memory. */
export interface Engine {
  /**
   * A kernel from a module.
   *
   * @param module - where its arguments and result are
   * @param work - multiplications of a call, by which the engine decides on threads
   * @returns the kernel; what it returns is good until any kernel of the engine runs again
   */
  readonly kernelOf: (module: KernelModule, work: number) => GpuKernel;
  /** Threads that a large kernel runs on. */
  readonly threads: () => number;
  /** What did not go as planned so far. */
  readonly warnings: () => ReadonlyArray<string>;
  /** Ends workers. */
  readonly dispose: () => Promise<void>;
}

/** Settings of {@link openEngine}. */
export interface EngineOptions {
  /** Threads, at least 1, the caller's included. */
  readonly threads: number;
  /** Multiplications above which a kernel is shared between threads; measured unless given. */
  readonly worthSharing?: number;
  /** Settings of the crew. */
  readonly crew?: Pick<CrewOptions, 'patience' | 'source'>;
}

/** Multiplications of a kernel that takes some 100 microseconds, a few times as long as a worker takes to join in. */
const measuredWorth = 2 ** 20;

/** Multiplications of the smallest chunk: some microseconds, so that claiming it costs little. */
const chunkWork = 2 ** 16;

/** Chunks for each thread, unless they get too small: the last ones even out who is ahead. */
const chunksPerThread = 16;

/** What a module of gpu.js exports: elements `start <= i < end` of the result, four at a time. */
interface Exports {
  readonly run_simd: (start: number, end: number, seed: number) => void;
}

/** Whether workers may share memory with this thread; browsers allow it on pages that are isolated across origins. */
export const memoryCanBeShared = (): boolean => typeof SharedArrayBuffer === 'function';

/**
 * An engine without kernels. Workers are started by the first kernel that is worth sharing.
 *
 * @param options - threads; modules must be compiled for shared memory when there are several
 */
export const openEngine = (options: EngineOptions): Engine => {
  const { worthSharing = measuredWorth } = options;
  const shared = options.threads > 1;
  let threads = options.threads;
  let memory = new (webAssembly().Memory)({ initial: 16, maximum: mostPages, shared });
  let floats = new Float32Array(memory.buffer);
  let crew: Crew | null = null;
  let instances = new Map<number, Exports>();
  const warnings: Array<string> = [];
  let kernels = 0;

  const makeRoom = (bytes: number): void => {
    if (bytes <= memory.buffer.byteLength) return;
    memory.grow(Math.ceil((bytes - memory.buffer.byteLength) / pageBytes));
    floats = new Float32Array(memory.buffer);
  };

  const alone = (reason: string): void => {
    warnings.push(`Products run on one thread: ${reason}.`);
    threads = 1;
    void crew?.dismissAll();
    crew = null;
  };

  /** A worker that was given up may still write to the memory, so everything moves to another one. */
  const moveOut = (): void => {
    const old = floats;
    memory = new (webAssembly().Memory)({ initial: old.byteLength / pageBytes, maximum: mostPages, shared });
    floats = new Float32Array(memory.buffer);
    floats.set(old);
    instances = new Map();
  };

  const crewFor = (): Crew | null => {
    if (crew !== null || threads === 1) return crew;
    const started = startCrew({ ...options.crew, workers: threads - 1, memory });
    if (E.isLeft(started)) alone(started.left);
    else crew = started.right;
    return crew;
  };

  const instanceOf = (number: number, { module, functions }: KernelModule): Exports => {
    const known = instances.get(number);
    if (known !== undefined) return known;
    const math = functions.map((name) => [`math_${name}`, Reflect.get(Math, name) as unknown] as const);
    const env = { ...Object.fromEntries(math), memory };
    const exports = new (webAssembly().Instance)(module, { env }).exports as Exports;
    instances.set(number, exports);
    return exports;
  };

  const kernelOf = (module: KernelModule, work: number): GpuKernel => {
    kernels += 1;
    const number = kernels;
    const { cells, inputs, lengths, output, length } = module;
    let introduced: Crew | null = null;

    const runAlone = (): void => instanceOf(number, module).run_simd(0, cells, 0);

    const run = (): void => {
      const helpers = work <= worthSharing ? null : crewFor();
      if (helpers === null) {
        runAlone();
        return;
      }
      if (introduced !== helpers)
        helpers.introduce({ kernel: number, module: module.module, functions: module.functions });
      introduced = helpers;
      const even = Math.max(cells / (threads * chunksPerThread), (chunkWork * cells) / work);
      const here = instanceOf(number, module).run_simd;
      const done = helpers.share(number, cells, 4 * Math.ceil(even / 4), (start, end) => here(start, end, 0));
      if (E.isRight(done)) return;
      alone(done.left);
      moveOut();
      runAlone();
    };

    const isThere = (values: ReadonlyVector, at: number): boolean =>
      values.buffer === floats.buffer && values.byteOffset === 4 * at;

    return {
      place: (argument) => {
        makeRoom(module.bytes);
        return floats.subarray(inputs[argument], inputs[argument] + lengths[argument]);
      },
      run: (...args: ReadonlyArray<ReadonlyVector>) => {
        makeRoom(module.bytes);
        args.forEach((values, i) => {
          if (!isThere(values, inputs[i])) floats.set(values, inputs[i]);
        });
        run();
        return floats.subarray(output, output + length);
      },
      destroy: () => {
        instances.delete(number);
        introduced?.dismiss(number);
      },
    };
  };

  return {
    kernelOf,
    threads: () => threads,
    warnings: () => warnings,
    dispose: async () => {
      await crew?.dismissAll();
      crew = null;
      threads = 1;
    },
  };
};
