/**
 * gpu.js's pipelines behind narrow types of our own: functions that are traced once and run as a plan of kernels.
 *
 * gpu.js fuses a plan (one WebAssembly memory, one submission to WebGPU) or, without a word, runs it kernel by kernel;
 * which of the two is asked after the first run, as is whether kernels stayed in their mode.
 *
 * @module
 */
import type { ReadonlyVector } from '../../../tensor.ts';
import { degradation } from '../device/degraded.ts';
import type { Kernel } from '../device/kernels/kernel.ts';
import type { Nested, RawGpu, RawKernel } from '../gpujs/gpujs.ts';
import { flatten, inputOf } from '../gpujs/gpujs.ts';
import type { GpuMode } from '../../gpuModes.ts';

/** What stands for an array while a function is traced. It can be passed to kernels and returned, nothing else. */
export type PlanHandle = object;

/** Calls kernels while a function is traced. */
export interface Trace {
  /** The result of a kernel. */
  readonly call: (kernel: Kernel, arrays: ReadonlyArray<PlanHandle>, numbers: ReadonlyArray<number>) => PlanHandle;
  /** An array that is the same in every run. */
  readonly literal: (values: ReadonlyVector) => PlanHandle;
}

/** How gpu.js runs a plan. */
export interface PlanReport {
  /** Calls of kernels in a run. */
  readonly steps: number;
  /** `fused-sync`, `fused-threaded`, `fused-encoder`, or `generic`: kernel by kernel; `none` before the first run. */
  readonly executor: string;
  /** Why it is not fused, or `null` when it is. */
  readonly reason: string | null;
}

/** A traced function. */
export interface Plan {
  /** Runs it on flat arrays, always of the lengths of the first run. Rejects with an error of gpu.js. */
  readonly run: (arrays: ReadonlyArray<ReadonlyVector>) => Promise<ReadonlyArray<Float32Array>>;
  /** What the first run found out; it must have been made. */
  readonly report: () => PlanReport;
  readonly destroy: () => Promise<void>;
}

/** The part of gpu.js's pipelines that is used here. */
interface RawPipeline {
  (...args: ReadonlyArray<object>): Promise<ReadonlyArray<Nested>>;
  readonly executorKind: string;
  readonly fallbackReason: string | null;
  readonly plan: {
    readonly steps: ReadonlyArray<object>;
    readonly kernels: ReadonlyArray<{ readonly clone: RawKernel }>;
  } | null;
  readonly destroy: () => Promise<void>;
}

interface PipelineGpu extends RawGpu {
  readonly createPipeline: (
    traced: (...handles: ReadonlyArray<PlanHandle>) => ReadonlyArray<PlanHandle>,
    settings: { readonly threads: boolean },
  ) => RawPipeline;
}

/**
 * A plan that is traced by its first run.
 *
 * @param gpu - gpu.js
 * @param mode - its mode
 * @param inputs - how many arrays the function takes
 * @param threads - whether WebAssembly may use threads
 * @param record - the function; gives the results with their lengths
 */
export const planOn = (
  gpu: RawGpu,
  mode: GpuMode,
  inputs: number,
  threads: boolean,
  record: (trace: Trace, handles: ReadonlyArray<PlanHandle>) => ReadonlyArray<readonly [PlanHandle, number]>,
): Plan => {
  const kernels = new Map<string, RawKernel>();
  let lengths: ReadonlyArray<number> = [];

  const kernelFor = (kernel: Kernel): RawKernel => {
    const known = kernels.get(kernel.key);
    if (known !== undefined) return known;
    const raw = gpu
      .createKernel(kernel.source(), {
        output: kernel.threads,
        precision: 'single',
        argumentTypes: [...Array<string>(kernel.arrays).fill('Input'), ...Array<string>(kernel.numbers).fill('Float')],
      })
      .setLoopMaxIterations(2 ** 30);
    kernels.set(kernel.key, raw);
    return raw;
  };

  const trace: Trace = {
    // While gpu.js traces, a kernel answers with a handle.
    call: (kernel, arrays, numbers) => kernelFor(kernel)(...arrays, ...numbers) as unknown as PlanHandle,
    literal: inputOf,
  };

  const traced = (...handles: ReadonlyArray<PlanHandle>): ReadonlyArray<PlanHandle> => {
    const results = record(trace, handles);
    lengths = results.map(([, length]) => length);
    return results.map(([handle]) => handle);
  };
  // gpu.js asks a function how many arguments it takes.
  Object.defineProperty(traced, 'length', { value: inputs });
  const raw = (gpu as PipelineGpu).createPipeline(traced, { threads });

  let report: PlanReport | null = null;
  /** Looks at what the first run has made of the plan, and has later results flat where that is to be had. */
  const inspect = (): PlanReport => {
    const clones = raw.plan?.kernels.map(({ clone }) => clone) ?? [];
    for (const { kernel } of clones) {
      if (typeof kernel._shapeOutput === 'function') Object.assign(kernel, { _shapeOutput: (flat: Nested) => flat });
    }
    const steps = raw.plan?.steps.length ?? 0;
    const moved = clones.map((clone) => degradation(clone, mode)).find((reason) => reason !== undefined);
    return moved === undefined
      ? { steps, executor: raw.executorKind, reason: raw.fallbackReason }
      : { steps, executor: 'generic', reason: moved };
  };

  return {
    run: async (arrays) => {
      const results = await raw(...arrays.map(inputOf));
      report ??= inspect();
      return results.map((result, i) => flatten(result, lengths[i]));
    },
    report: () => report ?? { steps: 0, executor: 'none', reason: 'it has not run' },
    destroy: async () => {
      await raw.destroy();
      kernels.forEach((kernel) => kernel.destroy());
      kernels.clear();
    },
  };
};
