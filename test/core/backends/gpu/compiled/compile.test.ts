import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';
import { GPU } from 'gpu.js';

import type { TreeProgram } from '../../../../../src/core/autodiff/program.ts';
import type { ProgramArguments } from '../../../../../src/core/backends/gpu/compiled/arguments.ts';
import type { CompileOptions } from '../../../../../src/core/backends/gpu/compiled/compile.ts';
import { compileProgram } from '../../../../../src/core/backends/gpu/compiled/compile.ts';
import { deviceBackend } from '../../../../../src/core/backends/gpu/device/backend.ts';
import { memoryDevice } from '../../../../../src/core/backends/gpu/device/memoryDevice.ts';
import type { Ops } from '../../../../../src/core/ops/ops.ts';
import type { Params } from '../../../../../src/core/params.ts';
import type { Shaped, Tensor } from '../../../../../src/core/tensor.ts';
import { tensor } from '../../../../../src/core/tensor.ts';
import { arrayOf } from '../../../../support/arbitraries.ts';
import { conformanceCases } from '../../../../support/conformance.ts';
import { inPrecision } from '../../../../support/conformance/trial.ts';
import { orThrow } from '../../../../support/training.ts';
import { webgpuBackend, withWebgpu } from '../../../../support/webgpu.ts';
import { portable } from '../device/support.ts';
import { eagerly, stage, stageArguments } from './support.ts';

/** The same kernels one at a time: those that return one number per thread, as a plan needs them. */
const eager = deviceBackend({ ...memoryDevice('webasm'), readsVectors: false }, { host: portable });
afterAll(async () => {
  orThrow(await eager.dispose());
});

/** Compiles a program for some arguments, runs it on them twice, and disposes of it. */
const compiled = async (
  program: TreeProgram,
  args: ProgramArguments<Tensor>,
  options: CompileOptions = {},
): Promise<Params<Tensor>> => {
  const subject = orThrow(await compileProgram(program, args, options)());
  const first = orThrow(await subject.run(args)());
  expect(orThrow(await subject.run(args)())).toEqual(first);
  orThrow(await subject.dispose());
  return first;
};

const inputsOnly = (...inputs: ReadonlyArray<Tensor>): ProgramArguments<Tensor> => ({ params: {}, inputs });

/** A step of a program on square matrices: takes the last two, adds one. */
type Move = <T extends Shaped>(ops: Ops<T>, x: T, y: T) => T;

const moves: Readonly<Record<string, Move>> = {
  product: (ops, x, y) => ops.matmul(x, y, { transposeB: true }),
  gram: (ops, x) => ops.gram(x),
  sum: (ops, x, y) => ops.linearCombination(0.5, x, -2, y),
  quotient: (ops, x, y) => ops.div(x, ops.add(ops.full([], 3), ops.square(y))),
  tanh: (ops, x) => ops.tanh(x),
  transposed: (ops, x) => ops.transposed(x),
  softmax: (ops, x, y) => ops.mul(y, ops.softmax(x)),
  centred: (ops, x) => ops.sub(x, ops.mean(x, [0])),
  joined: (ops, x, y) => ops.slice(ops.concat([x, y], 1), [0, 1], x.shape),
  same: (_, x) => x,
};

const programOf =
  (names: ReadonlyArray<string>): TreeProgram =>
  (ops, { p }, [x]) => {
    const made = [p, x];
    for (const name of names) made.push(moves[name](ops, made[made.length - 1], made[made.length - 2]));
    return { last: made[made.length - 1], before: made[made.length - 2], trace: ops.trace(made[made.length - 1]) };
  };

describe('compiled programs', () => {
  it('worked example: [1 2; 3 4] [1; 1] + 1 = [4; 8]', async () => {
    const program: TreeProgram = (ops, { w }, [x]) => ({ y: ops.add(ops.matmul(w, x), ops.full([], 1)) });
    const args = { params: { w: tensor([1, 2, 3, 4], [2, 2], 'f32') }, inputs: [tensor([1, 1], [2, 1], 'f32')] };
    expect(await compiled(program, args)).toEqual({ y: tensor([4, 8], [2, 1], 'f32') });
  });

  it('law: compile. compile(p)(x) = p(x) bit for bit, for every operation', async () => {
    for (const { trials } of conformanceCases) {
      const [{ operands, run }] = fc.sample(trials, { numRuns: 1, seed: 1 });
      const args = inputsOnly(...operands.map((x) => inPrecision(x, 'f32')));
      const program: TreeProgram = (ops, _, inputs) => ({ result: run(ops, inputs) });
      expect(await compiled(program, args)).toEqual(await eagerly(eager, program, args));
    }
  });

  it('law: compile. compile(p)(x) = p(x) bit for bit, for programs of several steps', async () => {
    const names = fc.array(fc.constantFrom(...Object.keys(moves)), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(names, arrayOf([3, 3]), arrayOf([3, 3]), async (steps, p, x) => {
        const args = { params: { p: inPrecision(p, 'f32') }, inputs: [inPrecision(x, 'f32')] };
        expect(await compiled(programOf(steps), args)).toEqual(await eagerly(eager, programOf(steps), args));
      }),
      { numRuns: 20 },
    );
  });

  it.each([false, true])('law: compile. a stage: loss, gradient and factors (threads: %p)', async (threads) => {
    const args = stageArguments(1, 11);
    expect(await compiled(stage, args, { threads })).toEqual(await eagerly(eager, stage, args));
  });

  it('computes on what it is given, not on what it was compiled for', async () => {
    const subject = orThrow(await compileProgram(stage, stageArguments(1, 5))());
    expect(subject.report()).toMatchObject({ executor: 'fused-sync', reason: null });
    for (const seed of [2, 3]) {
      const args = stageArguments(seed, 5);
      expect(orThrow(await subject.run(args)())).toEqual(await eagerly(eager, stage, args));
    }
    orThrow(await subject.dispose());
  });

  it('leaves its arguments bit for bit as they were, and gives every run new results', async () => {
    const program: TreeProgram = (_, __, [x]) => ({ x, again: x });
    const x = tensor([1, 2, 3], [3], 'f32');
    const subject = orThrow(await compileProgram(program, inputsOnly(x))());
    const first = orThrow(await subject.run(inputsOnly(x))());
    orThrow(await subject.run(inputsOnly(tensor([4, 5, 6], [3], 'f32')))());
    expect(first).toEqual({ x, again: x });
    expect(x).toEqual(tensor([1, 2, 3], [3], 'f32'));
    orThrow(await subject.dispose());
  });

  it('refuses arguments of other shapes, and what does not fit inside the program', async () => {
    const program: TreeProgram = (ops, { w }, [x]) => ({ y: ops.matmul(w, x) });
    const [w, x] = [tensor([1, 2], [1, 2], 'f32'), tensor([1, 2], [2, 1], 'f32')];
    const subject = orThrow(await compileProgram(program, { params: { w }, inputs: [x] })());
    expect(await subject.run({ params: { w }, inputs: [w] })()).toEqual(
      E.left({ _tag: 'ShapeMismatch', where: 'compiled program, input 0', expected: '[2, 1]', actual: '[1, 2]' }),
    );
    expect(await subject.run({ params: {}, inputs: [x] })()).toMatchObject(
      E.left({ where: 'compiled program, w', actual: 'nothing' }),
    );
    orThrow(await subject.dispose());
    expect(await compileProgram(program, { params: { w }, inputs: [w] })()).toMatchObject(
      E.left({ _tag: 'ShapeMismatch', where: 'matmul' }),
    );
  });

  it('is an error where gpu.js does not make one plan of it', async () => {
    const createPipeline = Reflect.get(GPU.prototype, 'createPipeline') as (...args: Array<unknown>) => object;
    const spy = jest.spyOn(GPU.prototype, 'createPipeline' as never).mockImplementation(function (
      this: object,
      ...args: Array<unknown>
    ) {
      const pipeline = createPipeline.apply(this, args);
      Object.assign(Reflect.get(pipeline, 'pipeline') as object, { _fusionDisabled: true });
      return pipeline;
    } as never);
    const program: TreeProgram = (_, __, [x]) => ({ x });
    const refused = await compileProgram(program, inputsOnly(tensor([1], [1], 'f32')))();
    spy.mockRestore();
    expect(refused).toMatchObject(E.left({ _tag: 'DeviceFailed', reason: 'gpu.js runs it kernel by kernel' }));
  });

  it('says that it was disposed of', async () => {
    const args = stageArguments(1, 3);
    const subject = orThrow(await compileProgram(stage, args)());
    orThrow(await subject.dispose());
    expect(await subject.run(args)()).toMatchObject(E.left({ _tag: 'DeviceFailed' }));
  });

  it('takes no more memory after a thousand runs', async () => {
    const args = stageArguments(1, 3);
    const subject = orThrow(await compileProgram(stage, args)());
    const wasm = (): number => process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 100; i += 1) orThrow(await subject.run(args)());
    const before = wasm();
    for (let i = 0; i < 1000; i += 1) orThrow(await subject.run(args)());
    expect(wasm() - before).toBeLessThan(2 ** 23); // what the collector has not come to yet
    orThrow(await subject.dispose());
  });
});

withWebgpu(() => {
  it('WebGPU, law: compile. a stage in one submission', async () => {
    const args = stageArguments(1, 6);
    const backend = orThrow(await webgpuBackend()());
    const subject = orThrow(await compileProgram(stage, args, { mode: 'webgpu' })());
    expect(subject.report()).toMatchObject({ executor: 'fused-encoder', reason: null });
    expect(orThrow(await subject.run(args)())).toEqual(await eagerly(backend, stage, args));
    orThrow(await subject.dispose());
    orThrow(await backend.dispose());
  });
});
