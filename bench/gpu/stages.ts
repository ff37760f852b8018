/**
 * A stage of training (loss, gradient, Kronecker factors) an operation at a time and as one compiled program.
 *
 * Every way ends with all results in memory of the host, and their loss is compared first.
 *
 * @module
 */
import { programOf } from '../../test/support/programOf.ts';
import * as E from 'fp-ts/lib/Either.js';

import type { TreeProgram } from '../../src/core/autodiff/program.ts';
import { vjp } from '../../src/core/autodiff/reverse.ts';
import type { ProgramArguments } from '../../src/core/backends/gpu/compiled/arguments.ts';
import type { CompileOptions } from '../../src/core/backends/gpu/compiled/compile.ts';
import { compileProgram } from '../../src/core/backends/gpu/compiled/compile.ts';
import { gpuBackend } from '../../src/core/backends/gpu/backend.ts';
import { hostKernelBackend } from '../../src/core/backends/gpu/hostMemory/hostKernels.ts';
import type { Backend } from '../../src/core/backends/backend.ts';
import { describeError } from '../../src/core/errors.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import type { Model } from '../../src/core/nn/model.ts';
import { initialParams } from '../../src/core/nn/model.ts';
import { mapParams } from '../../src/core/params.ts';
import { keyOf } from '../../src/core/random/key.ts';
import { uniform } from '../../src/core/random/uniform.ts';
import type { Shaped, Tensor } from '../../src/core/tensor.ts';
import { generate } from '../../src/core/tensor.ts';
import { perceptron } from '../../src/pipelines/tasks/mnistClassifier.ts';
import { succeed } from '../succeed.ts';
import { naiveBackend } from './ours.ts';

/** Runs a stage once; resolves to its loss. */
type Run = () => Promise<number>;

/** A way to run a stage, or why it cannot be had. */
interface Way {
  readonly name: string;
  readonly open: (program: TreeProgram, args: ProgramArguments<Tensor>) => Promise<E.Either<string, Run>>;
}

/** Loss, gradient, and A and G of every site. */
const stageOf =
  (network: Model): TreeProgram =>
  (ops, params, [x, y]) => {
    const share = 1 / x.shape[0];
    const { outputs, sites, pullback } = vjp(ops, programOf(network), params, [x]);
    const { params: gradient, sites: cotangents } = pullback(softmaxCrossEntropy.gradient(ops, outputs, y));
    return {
      loss: ops.mean(softmaxCrossEntropy.value(ops, outputs, y), [0]),
      ...Object.fromEntries(Object.entries(gradient).map(([path, g]) => [`g.${path}`, ops.scale(share, g)])),
      ...Object.fromEntries(
        sites.flatMap(({ site, input }, i) => [
          [`A.${site.path}`, ops.scale(share, ops.gram(ops.withOnes(input)))],
          [`G.${site.path}`, ops.scale(share, ops.gram(cotangents[i]))],
        ]),
      ),
    };
  };

const argumentsFor = (network: Model, batch: number, classes: number): ProgramArguments<Tensor> => ({
  params: initialParams(network, keyOf(1), 'f32'),
  inputs: [
    uniform(keyOf(2), [batch, ...network.inputs['inputs']], 'f32'),
    generate([batch, classes], (i) => (i % classes === Math.floor(i / classes) % classes ? 1 : 0), 'f32'),
  ],
});

/** Parameters and inputs stay with the backend; results are read, as those of a compiled program are. */
const eagerRun = <T extends Shaped>(
  backend: Backend<T>,
  program: TreeProgram,
  { params, inputs }: ProgramArguments<Tensor>,
): Run => {
  const resident = { params: mapParams(params, backend.ops.constant), inputs: inputs.map(backend.ops.constant) };
  return async () => {
    const { backend: scoped, close } = backend.scope();
    const results = program(scoped.ops, resident.params, resident.inputs);
    const read = await Promise.all(Object.values(results).map((result) => scoped.read(result)()));
    close([]);
    return succeed(read[0]).data[0];
  };
};

const eager = (threads?: number): Way => ({
  name: threads === undefined ? 'operations, threads' : 'operations',
  open: (program, args) => {
    const backend = succeed(hostKernelBackend('webasm', threads === undefined ? {} : { threads }));
    return Promise.resolve(E.right(eagerRun(backend, program, args)));
  },
});

const naive: Way = {
  name: 'naive kernels',
  open: (program, args) => Promise.resolve(E.right(eagerRun(naiveBackend(), program, args))),
};

const eagerOnWebgpu: Way = {
  name: 'operations, WebGPU',
  open: async (program, args) => {
    const opened = await gpuBackend({ mode: 'webgpu' })();
    return E.isLeft(opened)
      ? E.left(describeError(opened.left))
      : E.right(opened.right((backend) => eagerRun(backend, program, args)));
  },
};

const compiled = (name: string, options: CompileOptions): Way => ({
  name,
  open: async (program, args) => {
    const opened = await compileProgram(program, args, options)();
    return E.isLeft(opened)
      ? E.left(describeError(opened.left))
      : E.right(async () => succeed(await opened.right.run(args)())['loss'].data[0]);
  },
});

const ways: ReadonlyArray<Way> = [
  eager(1),
  eager(),
  naive,
  compiled('compiled', {}),
  compiled('compiled, threads', { threads: true }),
  eagerOnWebgpu,
  compiled('compiled, WebGPU', { mode: 'webgpu' }),
];

const cases: ReadonlyArray<readonly [batch: number, units: ReadonlyArray<number>]> = [
  [8, [12, 16, 4]],
  [16, [32, 32, 10]],
  [64, [64, 64, 10]],
  [256, [784, 512, 10]],
];

/** The shortest time of each run, in turns, so that whatever else the machine does meets all of them. */
const shortest = async (runs: ReadonlyArray<Run>, seconds: number): Promise<ReadonlyArray<number>> => {
  const best = runs.map(() => Infinity);
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; round < 3 || performance.now() < end; round += 1) {
    for (const [i, run] of runs.entries()) {
      const start = performance.now();
      await run();
      best[i] = Math.min(best[i], (performance.now() - start) / 1000);
    }
  }
  return best;
};

/**
 * Prints milliseconds of each way to run a stage, and how many times as fast as the first it is.
 *
 * @param seconds - how long to measure each case
 */
export const benchStages = async (seconds = 4): Promise<void> => {
  console.log('\nloss, gradient and factors of a perceptron: ms (times as fast as operations on one thread)');
  const missing = new Set<string>();
  for (const [batch, units] of cases) {
    const network = perceptron('bench', units);
    const args = argumentsFor(network, batch, units[units.length - 1]);
    const opened: Array<readonly [string, Run]> = [];
    for (const { name, open } of ways) {
      const run = await open(stageOf(network), args);
      if (E.isRight(run)) opened.push([name, run.right]);
      else missing.add(`${name}: ${run.left}`);
    }
    const losses = await Promise.all(opened.map(([, run]) => run()));
    const times = await shortest(
      opened.map(([, run]) => run),
      seconds,
    );
    console.log(`${units.join('-')}, batch ${batch}`);
    opened.forEach(([name], i) => {
      const isRight = Math.abs(losses[i] - losses[0]) < 1e-5 * losses[0];
      const time = isRight ? (1000 * times[i]).toFixed(3) : 'wrong';
      console.log(`  ${name.padEnd(22)} ${time.padStart(9)}   (${(times[0] / times[i]).toFixed(2)})`);
    });
  }
  missing.forEach((text) => console.log(text));
};
