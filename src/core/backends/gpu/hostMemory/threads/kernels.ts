/**
 * Kernels on an engine where that works, and as gpu.js runs them where it does not.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { BackendUnavailable } from '../../../../errors.ts';
import { raise } from '../../../../errors.ts';
import type { Gpu, GpuKernel } from '../../gpujs/gpujs.ts';
import type { KernelOutput } from '../../gpujs/kernelOutput.ts';

import type { Engine, EngineOptions } from './engine.ts';
import { memoryCanBeShared, openEngine } from './engine.ts';
import { mostPages, pageBytes } from './webAssembly.ts';
import { processorCount } from '../../../threads/worker.ts';

/** Makes kernels for products. */
export interface KernelMaker {
  /**
   * A kernel from the text of a function expression.
   *
   * @param source - the text
   * @param output - extents of the result
   * @param lengths - lengths of the arguments
   * @param work - multiplications of a call
   * @returns the kernel; what it returns may be overwritten by the next kernel of this maker
   */
  readonly createKernel: (
    source: string,
    output: KernelOutput,
    lengths: ReadonlyArray<number>,
    work: number,
  ) => GpuKernel;
  /** Whether kernels use one memory in turn; each has its own unless said. */
  readonly oneMemory?: boolean;
}

/** A maker and what it holds. */
export interface KernelThreads extends KernelMaker {
  /** Threads that a large kernel runs on. */
  readonly threads: () => number;
  /** What did not go as planned so far. */
  readonly warnings: () => ReadonlyArray<string>;
  /** Ends workers. */
  readonly dispose: () => Promise<void>;
}

/** Settings of {@link kernelThreads}. */
export interface KernelThreadsOptions extends Omit<EngineOptions, 'threads'> {
  /** Threads, at least 1; as many as the machine runs at once unless given. */
  readonly threads?: number;
}

const unavailable = (reason: string): BackendUnavailable => ({
  _tag: 'BackendUnavailable',
  backend: 'gpu (webasm)',
  reason,
  advice: 'Use the native or the reference backend.',
});

/** Compiles a kernel; one that needs more memory than the engine can have is left to gpu.js. */
const compile = (
  gpu: Gpu,
  engine: Engine,
  shared: boolean,
  source: string,
  output: KernelOutput,
  lengths: ReadonlyArray<number>,
  work: number,
): GpuKernel => {
  const module = gpu.compileModule(source, output, lengths, shared);
  if (E.isLeft(module)) return raise(unavailable(module.left));
  const fits = module.right.bytes <= mostPages * pageBytes;
  return fits ? engine.kernelOf(module.right, work) : gpu.createKernel(source, output);
};

/** Runs a kernel on the calling thread; what is wrong with its result, if anything is. */
const selfTest = (gpu: Gpu, engine: Engine, shared: boolean): string | null => {
  const source =
    'function(a, b) { const v = a[this.thread.x] * b[this.thread.y]; return [v, Math.exp(v), this.thread.x, this.thread.y]; }';
  const output: KernelOutput = { size: [4, 3], components: 4 };
  const args = [Float32Array.of(1, 2, 3, 4), Float32Array.of(0.5, -1, 0)];
  const expected = gpu.createKernel(source, output);
  const results = E.tryCatch(() => {
    const kernel = compile(gpu, engine, shared, source, output, [4, 3], 0);
    const pair = [kernel.run(...args), expected.run(...args)];
    kernel.destroy();
    return pair;
  }, String);
  expected.destroy();
  if (E.isLeft(results)) return results.left;
  const [actual, wanted] = results.right;
  return actual.length === wanted.length && wanted.every((v, i) => v === actual[i])
    ? null
    : 'a test kernel gave other numbers than gpu.js does';
};

/**
 * Kernels of the WebAssembly mode on several threads.
 *
 * @param gpu - gpu.js in its WebAssembly mode, which compiles the kernels
 * @param options - how many threads, and from which size
 * @returns the maker; where threads or modules cannot be had it says so in its warnings and does without
 */
export const kernelThreads = (gpu: Gpu, options: KernelThreadsOptions = {}): KernelThreads => {
  const wanted = options.threads ?? processorCount();
  const isolated = memoryCanBeShared();
  const threads = isolated ? wanted : 1;
  const shared = threads > 1;
  const missing =
    isolated || wanted === 1
      ? []
      : ['Products run on one thread: this page is not isolated across origins, so threads cannot share memory.'];
  const engine = openEngine({ ...options, threads });
  const reason = selfTest(gpu, engine, shared);
  if (reason !== null) {
    return {
      createKernel: gpu.createKernel,
      threads: () => 1,
      warnings: () => [`Products run on one thread, as gpu.js runs them: ${reason}.`],
      dispose: engine.dispose,
    };
  }
  return {
    createKernel: (source, output, lengths, work) => compile(gpu, engine, shared, source, output, lengths, work),
    oneMemory: true,
    threads: engine.threads,
    warnings: () => [...missing, ...engine.warnings()],
    dispose: engine.dispose,
  };
};
