/**
 * Programs compiled for fixed shapes: one plan of kernels instead of an operation at a time.
 *
 * A program is polymorphic in its interpreter, so compiling it is running it once on a machine that records. What it
 * can save is the overhead of each operation and the copies between them; what it costs is that parameters and inputs
 * go to the device, and all results come back, in every run.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { TreeProgram } from '../../../autodiff/program.ts';
import type { KfacError } from '../../../errors.ts';
import { attempt, raise } from '../../../errors.ts';
import type { Params } from '../../../params.ts';
import { mapParams } from '../../../params.ts';
import type { DType, ReadonlyVector, Shape, Tensor } from '../../../tensor.ts';
import { sizeOf, tensor } from '../../../tensor.ts';
import { interpreterOn } from '../device/interpreter.ts';
import type { DeviceType } from '../device/operations/machine.ts';
import { findWebgpu } from '../device/webgpuEntry.ts';
import type { RawGpu } from '../gpujs/gpujs.ts';
import { rawGpu } from '../gpujs/gpujs.ts';
import type { GpuMode } from '../../gpuModes.ts';

import type { ProgramArguments, ShapedLike } from './arguments.ts';
import { arraysOf, flatArrays } from './arguments.ts';
import type { PlanHandle, PlanReport, Trace } from './plan.ts';
import { planOn } from './plan.ts';
import type { TracedTensor } from './recorder.ts';
import { asResult, recorder } from './recorder.ts';

/** A compiled program. */
export interface CompiledProgram {
  /**
   * Runs it.
   *
   * @param args - parameters and inputs, in the shapes that it was compiled for
   * @returns what the program gives, up to rounding
   */
  readonly run: (args: ProgramArguments<Tensor>) => TE.TaskEither<KfacError, Params<Tensor>>;
  /** How the plan is run, and why not otherwise. */
  readonly report: () => PlanReport;
  readonly dispose: TE.TaskEither<KfacError, void>;
}

/** Modes whose plans gpu.js fuses. */
export type CompiledMode = Extract<GpuMode, 'webasm' | 'webgpu'>;

/** Settings of {@link compileProgram}. */
export interface CompileOptions {
  /** Where the program runs; `webasm` unless given. */
  readonly mode?: CompiledMode;
  /** Whether WebAssembly uses threads, which pays for large arrays only; it does not unless asked to. */
  readonly threads?: boolean;
}

/** A result of the program: its name and shape, and which of the plan's results it is. */
interface Named {
  readonly path: string;
  readonly shape: Shape;
  readonly dtype: DeviceType;
  readonly at: number | null;
}

/** A program on record: results of the plan with their lengths, and what they are. */
interface Recorded {
  readonly results: ReadonlyArray<readonly [PlanHandle, number]>;
  readonly named: ReadonlyArray<Named>;
}

const deviceType = (dtype: DType | undefined): DeviceType => (dtype === 'i32' ? 'i32' : 'f32');

const failed = (mode: GpuMode, reason: string): KfacError => ({
  _tag: 'DeviceFailed',
  where: `gpu (${mode}), compiled program`,
  reason,
  advice: 'Run the program on a backend, an operation at a time.',
});

const messageOf = (thrown: unknown): string =>
  (thrown instanceof Error ? thrown.message : String(thrown)).replace(/\.+$/, '');

const openRaw = (mode: CompiledMode): E.Either<KfacError, RawGpu> =>
  pipe(
    mode === 'webgpu' ? E.map(() => null)(findWebgpu()) : E.right(null),
    E.flatMap(() => E.tryCatch(() => rawGpu(mode), String)),
    E.mapLeft((reason): KfacError => ({
      _tag: 'BackendUnavailable',
      backend: `gpu (${mode})`,
      reason,
      advice: 'Run the program on a backend, an operation at a time.',
    })),
  );

/** Runs the program on handles; tells what the results are called. */
const record = (
  program: TreeProgram,
  like: ProgramArguments<ShapedLike>,
  trace: Trace,
  handles: ReadonlyArray<PlanHandle>,
): E.Either<KfacError, Recorded> => {
  const machine = recorder(trace);
  let next = 0;
  const traced = ({ shape, dtype }: ShapedLike): TracedTensor => {
    const type = deviceType(dtype);
    if (sizeOf(shape) === 0) return machine.nothing(shape, type);
    next += 1;
    return { shape, dtype: type, handle: handles[next - 1] };
  };
  const params = mapParams(like.params, traced);
  const inputs = like.inputs.map(traced);
  return pipe(
    attempt(() => program(interpreterOn(machine), params, inputs)),
    E.map((outputs) => {
      const results: Array<readonly [PlanHandle, number]> = [];
      const named = Object.entries(outputs).map(([path, { shape, dtype, handle }]) => {
        if (handle !== null) results.push([asResult(trace, handle, shape), sizeOf(shape)]);
        return { path, shape, dtype, at: handle === null ? null : results.length - 1 };
      });
      // gpu.js refuses a plan without steps, such as that of a program whose results have no elements.
      if (results.length === 0) results.push([asResult(trace, trace.literal(Float32Array.of(0)), [1]), 1]);
      return { results, named };
    }),
  );
};

/**
 * Compiles a program for fixed shapes.
 *
 * Worth it where the overhead of operations is what a program costs: for small arrays in WebAssembly, and on graphics
 * hardware for any that it is done with sooner than it is told of them. For large products in WebAssembly the backend
 * is faster, whose kernels return more than a plan can hand on.
 *
 * @param program - what to compile; it is run once, on arrays without values
 * @param like - shapes of its parameters and inputs, and which of them are integers; tensors will do
 * @param options - mode and threads
 * @returns the compiled program, after a run on zeros; fails where gpu.js does not make one plan of it
 * @example
 * ```ts no-run
 * import { pipe } from 'fp-ts/lib/function.js';
 * import * as TE from 'fp-ts/lib/TaskEither.js';
 * import type { TreeProgram } from 'kfac-ts/core';
 * import { compileProgram, tensor } from 'kfac-ts/core';
 *
 * const layer: TreeProgram = (ops, { weight }, [x]) => ({ y: ops.tanh(ops.affine(x, weight, null)) });
 * const params = { weight: tensor([1, 2, 3, 4], [2, 2], 'f32') };
 * const inputs = [tensor([1, 1], [1, 2], 'f32')];
 * const run = pipe(
 *   compileProgram(layer, { params, inputs }),
 *   TE.chain((compiled) => compiled.run({ params, inputs })),
 * );
 * ```
 */
export const compileProgram = (
  program: TreeProgram,
  like: ProgramArguments<ShapedLike>,
  options: CompileOptions = {},
): TE.TaskEither<KfacError, CompiledProgram> => {
  const { mode = 'webasm', threads = false } = options;
  const sizes = arraysOf(like)
    .map(({ shape }) => sizeOf(shape))
    .filter((size) => size > 0);

  const compileOn = (gpu: RawGpu): TE.TaskEither<KfacError, CompiledProgram> => {
    let named: ReadonlyArray<Named> = [];
    let raised: KfacError | null = null;
    const plan = planOn(gpu, mode, sizes.length, threads, (trace, handles) => {
      const recorded = record(program, like, trace, handles);
      if (E.isLeft(recorded)) {
        raised = recorded.left;
        return raise(recorded.left); // through gpu.js, which rejects with it
      }
      named = recorded.right.named;
      return recorded.right.results;
    });

    const call = (arrays: ReadonlyArray<ReadonlyVector>): TE.TaskEither<KfacError, Params<Tensor>> =>
      pipe(
        TE.tryCatch(
          () => plan.run(arrays),
          (thrown) => raised ?? failed(mode, messageOf(thrown)),
        ),
        TE.map((results) =>
          Object.fromEntries(
            named.map(({ path, shape, dtype, at }) => [path, tensor(at === null ? [] : results[at], shape, dtype)]),
          ),
        ),
      );

    const dispose = TE.tryCatch(
      async () => {
        await plan.destroy();
        await gpu.destroy();
      },
      (thrown) => failed(mode, messageOf(thrown)),
    );

    const compiled: CompiledProgram = {
      run: (args) => pipe(TE.fromEither(flatArrays(like, args)), TE.chain(call)),
      report: plan.report,
      dispose,
    };
    return pipe(
      call(sizes.map((size) => new Float32Array(size))),
      TE.chainEitherK(() => {
        const { executor, reason } = plan.report();
        return executor === 'generic'
          ? E.left(failed(mode, reason ?? 'gpu.js runs it kernel by kernel'))
          : E.right(compiled);
      }),
      TE.orElse((error) =>
        pipe(
          dispose,
          TE.chain(() => TE.left(error)),
        ),
      ),
    );
  };

  return pipe(
    TE.fromIOEither(() => openRaw(mode)),
    TE.chain(compileOn),
  );
};
