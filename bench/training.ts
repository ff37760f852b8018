/**
 * Training steps of the full MNIST autoencoder at batch 1000, as a fraction of the machine's matmul rate.
 *
 * @module
 */
import type { Backend } from '../src/core/backends/backend.ts';
import { initialParams } from '../src/core/nn/model.ts';
import { sigmoidCrossEntropy } from '../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { mapParams } from '../src/core/params.ts';
import { createBackground } from '../src/core/pipeline/background.ts';
import { placeState } from '../src/core/pipeline/transfer.ts';
import { takeStep } from '../src/core/pipeline/takeStep.ts';
import { learn } from '../src/core/pipeline/withObjective.ts';
import type { TrainState } from '../src/core/pipeline/trainState.ts';
import { countStep } from '../src/core/pipeline/count.ts';
import { initialState } from '../src/core/pipeline/trainState.ts';
import { keyOf } from '../src/core/random/key.ts';
import { uniform } from '../src/core/random/uniform.ts';
import type { Shaped, Tensor } from '../src/core/tensor.ts';
import { autoencoder } from '../src/pipelines/tasks/mnistAutoencoder.ts';
import { release } from '../src/pipelines/trainer/run.ts';
import type { Optimizer } from '../src/solvers/presets/optimizer.ts';
import { optimizerOf } from '../src/solvers/presets/registry.ts';
import { succeed } from './succeed.ts';

const objective = {
  model: autoencoder('full', [784, 1000, 500, 250, 30]),
  loss: sigmoidCrossEntropy,
};

/** Random images: the cost of a step does not depend on what is in them. */
const images = (n: number): Tensor => uniform(keyOf(1), [n, 784], 'f32');

/** What some steps cost. */
export interface StepMeasurement {
  /** Mean seconds per step over all steps: refreshes of inverses count with their period. */
  readonly seconds: number;
  /** Mean floating-point operations per step. */
  readonly flops: number;
  readonly stages: Readonly<Record<string, number>>;
  readonly rssMb: ReadonlyArray<number>;
}

/**
 * Runs steps and measures them.
 *
 * @param backend - where to run
 * @param optimizer - what to run
 * @param steps - how many steps count; as many again, at most 5, come before
 * @param batch - examples per step
 */
export const measureSteps = async (
  backend: Backend<Tensor>,
  optimizer: Optimizer,
  steps: number,
  batch: number,
): Promise<StepMeasurement> => {
  const step = optimizer.step;
  const inputs = images(batch);
  const warmUp = Math.min(5, steps);
  const params = initialParams(objective.model, keyOf(1), 'f32');
  let state = placeState(backend.ops, initialState(params, keyOf(2)));
  let counted: TrainState<Shaped> = initialState(
    mapParams(params, ({ shape }) => ({ shape })),
    keyOf(2),
  );
  let seconds = 0;
  let flops = 0;
  const stages: Record<string, number> = {};
  const rssMb: Array<number> = [];
  const env = { backend, clock: () => performance.now() / 1000, background: createBackground(backend) };
  for (let i = 0; i < warmUp + steps; i += 1) {
    const shapes = { inputs: { shape: inputs.shape }, targets: { shape: inputs.shape } };
    const count = succeed(await countStep(step, { state: counted, batch: shapes, objective })());
    counted = count.next;
    const start = performance.now();
    const stepped = succeed(await takeStep(env, learn(objective, step), state, { inputs, targets: inputs })());
    state = stepped.state;
    await new Promise((resolve) => setImmediate(resolve)); // as between two steps of the trainer
    rssMb.push(process.memoryUsage().rss / 2 ** 20);
    if (i < warmUp) continue;
    seconds += (performance.now() - start) / 1000 / steps;
    flops += count.flops / steps;
    for (const [name, value] of Object.entries(stepped.metrics)) {
      if (name.startsWith('seconds.')) stages[name.slice(8)] = (stages[name.slice(8)] ?? 0) + value / steps;
    }
  }
  await release(env, { state })();
  return { seconds, flops, stages, rssMb };
};

/**
 * Prints a table of presets: seconds, fraction of the matmul rate, ratio to Adam, peak memory, seconds per stage.
 *
 * @param backend - where to run
 * @param rate - FLOP/s of sgemm
 * @param names - presets
 */
export const benchTraining = async (
  backend: Backend<Tensor>,
  rate: number,
  names: ReadonlyArray<string>,
): Promise<void> => {
  console.log('\nfull MNIST autoencoder, batch 1000: one step (mean over 20, refreshes included)');
  console.log('preset               ms   GFLOP   of sgemm   × adam   rss MB   stages (ms)');
  const adamSeconds = (await measureSteps(backend, succeed(optimizerOf('adam')), 10, 1000)).seconds;
  for (const name of names) {
    const measured = await measureSteps(backend, succeed(optimizerOf(name)), 20, 1000);
    const stages = Object.entries(measured.stages).map(([stage, s]) => `${stage} ${(1000 * s).toFixed(0)}`);
    console.log(
      [
        name.padEnd(18),
        (1000 * measured.seconds).toFixed(0).padStart(5),
        (measured.flops / 1e9).toFixed(1).padStart(7),
        (measured.flops / measured.seconds / rate).toFixed(2).padStart(10),
        (measured.seconds / adamSeconds).toFixed(2).padStart(8),
        Math.max(...measured.rssMb)
          .toFixed(0)
          .padStart(8),
        `  ${stages.join(', ')}`,
      ].join(' '),
    );
  }
};

/**
 * Prints the resident memory over 300 steps.
 *
 * @param backend - where to run
 */
export const benchMemory = async (backend: Backend<Tensor>): Promise<void> => {
  const { rssMb } = await measureSteps(backend, succeed(optimizerOf('kfac')), 300, 250);
  const at = [20, 50, 100, 200, 300].map((i) => `${i}: ${rssMb[i].toFixed(0)}`);
  console.log(`\nresident memory over 300 steps of kfac, batch 250 (MB at step)  ${at.join('   ')}`);
};
