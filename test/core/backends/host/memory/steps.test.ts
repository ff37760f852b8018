/**
 * Training in the memory of the vector unit: it stays as large as it is, whoever else uses it.
 */
import { initialParams, model } from '../../../../../src/core/nn/model.ts';
import { sequential } from '../../../../../src/core/nn/layers/sequential.ts';
import { dense } from '../../../../../src/core/nn/layers/dense.ts';
import { activation } from '../../../../../src/core/nn/layers/activation.ts';
import { squaredError } from '../../../../../src/core/nn/losses/squaredError.ts';
import { takeStep } from '../../../../../src/core/pipeline/takeStep.ts';
import { placeState } from '../../../../../src/core/pipeline/transfer.ts';
import type { TrainState } from '../../../../../src/core/pipeline/trainState.ts';
import { initialState } from '../../../../../src/core/pipeline/trainState.ts';
import { learn } from '../../../../../src/core/pipeline/withObjective.ts';
import { apart } from '../../../../../src/core/backends/host/memory/memories.ts';
import { openUnit } from '../../../../../src/core/backends/host/simd/instance.ts';
import type { VectorUnit } from '../../../../../src/core/backends/host/simd/instance.ts';
import { singleKernels } from '../../../../../src/core/backends/host/simd/kernels.ts';
import { keyOf } from '../../../../../src/core/random/key.ts';
import { normal } from '../../../../../src/core/random/normal.ts';
import type { Tensor } from '../../../../../src/core/tensor.ts';
import { adam } from '../../../../../src/solvers/presets/adam.ts';
import { kfac } from '../../../../../src/solvers/presets/kfac.ts';
import { orThrow } from '../../../../support/training.ts';
import { loopBackend } from '../support.ts';
import { inTurns } from './inTurns.ts';

const unitOf = (): VectorUnit => {
  const unit = openUnit();
  if (unit === null) throw new Error('there is no WebAssembly here');
  return unit;
};

const task = { model: model('net', [20], sequential([dense({ in: 20, out: 30 }), activation('tanh'), dense({ in: 30, out: 10 })])), loss: squaredError }; // prettier-ignore
const batch = { inputs: normal(keyOf(1), [16, 20], 'f32'), targets: normal(keyOf(2), [16, 10], 'f32') };

/** A run of a preset, a step at a time. */
const runOf = (unit: VectorUnit | null, preset: typeof adam | typeof kfac) => {
  const { backend } = loopBackend('f32', singleKernels(undefined, unit), { unit });
  const env = { backend, clock: () => 0 };
  const step = learn(task, preset({}).step);
  let state: TrainState<Tensor> = placeState(
    backend.ops,
    initialState(initialParams(task.model, keyOf(3), 'f32'), keyOf(4)),
  );
  return async (): Promise<number> => {
    const stepped = orThrow(await takeStep(env, step, state, batch)());
    ({ state } = stepped);
    return stepped.metrics['loss'];
  };
};

describe('training in the memory of the vector unit', () => {
  it('law: flat. A thousand steps take the memory of fifty', async () => {
    const unit = unitOf();
    const step = runOf(unit, adam);
    for (let i = 0; i < 50; i += 1) await step();
    const { taken, size } = unit.memory.usage();
    for (let i = 50; i < 1000; i += 1) await step();
    expect(unit.memory.usage()).toEqual({ ...unit.memory.usage(), taken, size, refused: 0 });
  });

  it('law: flat in two memories too, in each of which arrays go back', async () => {
    const unit = inTurns(openUnit({ pages: 400, memories: 2 }));
    const step = runOf(unit, adam);
    const usages = (): ReadonlyArray<number> => [0, 1].map((i) => unit.memory.of(i * apart).usage().taken);
    for (let i = 0; i < 50; i += 1) await step();
    const [before, { size, memories }] = [usages(), unit.memory.usage()];
    for (let i = 50; i < 1000; i += 1) await step();
    expect(unit.memory.usage()).toMatchObject({ size, memories, refused: 0 });
    expect(before.every((taken) => taken > 0)).toBe(true);
    // Which of the two has an array changes with the turns; no more arrays lie in either than in both.
    for (const taken of usages()) expect(taken).toBeLessThanOrEqual(before[0] + before[1]);
  });

  it.each([
    ['adam', adam],
    ['kfac', kfac],
  ] as const)('law: bit for bit. Spread over three memories, %s comes to the losses of one', async (_, preset) => {
    const spread = [
      inTurns(openUnit({ pages: 400, memories: 3 }), 3),
      inTurns(openUnit({ pages: 400, memories: 3, shared: false }), 3),
      openUnit({ pages: 1 }),
    ];
    const [one, ...runs] = [unitOf(), ...spread].map((unit) => runOf(unit, preset));
    for (let i = 0; i < 20; i += 1) {
      const loss = await one();
      for (const run of runs) expect(await run()).toBe(loss);
    }
    for (const unit of spread) expect(unit?.memory.usage()).toMatchObject({ refused: 0 });
    expect(spread.map((unit) => (unit?.memory.usage().memories ?? 0) >= 3)).toEqual([true, true, true]);
  });

  it('law: nobody can tell. Two runs that take turns in one memory give what each gives alone', async () => {
    const losses = async (
      steps: ReadonlyArray<() => Promise<number>>,
    ): Promise<ReadonlyArray<ReadonlyArray<number>>> => {
      const found = steps.map((): Array<number> => []);
      for (let i = 0; i < 30; i += 1) for (const [run, step] of steps.entries()) found[run].push(await step());
      return found;
    };
    const unit = unitOf();
    const together = await losses([runOf(unit, adam), runOf(unit, kfac)]);
    const alone = [await losses([runOf(unitOf(), adam)]), await losses([runOf(unitOf(), kfac)])].flat();
    expect(together).toEqual(alone);
    expect(together[1][29]).toBeLessThan(together[1][0]);
  });

  it('law: nobody can tell. In a memory that is soon full the loss differs by rounding at most', async () => {
    const [roomy, full] = [runOf(unitOf(), kfac), runOf(openUnit({ pages: 1, memories: 1 }), kfac)];
    for (let i = 0; i < 30; i += 1) {
      const [a, b] = [await roomy(), await full()];
      expect(Math.abs(a - b)).toBeLessThan(1e-3 * a);
    }
  });
});
