/**
 * Models that people train: seconds of a forward and a backward pass (in the median), and of whole steps (on average), after others
 * that are not counted. `bench/peers/models.py` does the same passes with PyTorch. Memory is the most that the process has taken
 * after the passes, and before them: with one name, that of one network.
 *
 * @module
 */
import type { Backend } from '../src/core/backends/backend.ts';
import { initialParams } from '../src/core/nn/model.ts';
import type { Model } from '../src/core/nn/model.ts';
import { model } from '../src/core/nn/model.ts';
import { learnedPositions } from '../src/core/nn/layers/attention/positions.ts';
import { transformerBlock } from '../src/core/nn/layers/attention/transformerBlock.ts';
import { dense } from '../src/core/nn/layers/dense.ts';
import { embedding } from '../src/core/nn/layers/embedding.ts';
import { layerNorm } from '../src/core/nn/layers/layerNorm.ts';
import { sequential } from '../src/core/nn/layers/sequential.ts';
import { softmaxCrossEntropy } from '../src/core/nn/losses/softmaxCrossEntropy.ts';
import { mapParams } from '../src/core/params.ts';
import { backward, forward } from '../src/core/pipeline/forward.ts';
import type { Batch } from '../src/core/pipeline/context.ts';
import { pipeline } from '../src/core/pipeline/stage.ts';
import { takeStep } from '../src/core/pipeline/takeStep.ts';
import type { TrainState } from '../src/core/pipeline/trainState.ts';
import { initialState } from '../src/core/pipeline/trainState.ts';
import { placeState } from '../src/core/pipeline/transfer.ts';
import { learn } from '../src/core/pipeline/withObjective.ts';
import { keyOf } from '../src/core/random/key.ts';
import { uniform } from '../src/core/random/uniform.ts';
import type { Shaped, Tensor } from '../src/core/tensor.ts';
import { generate, tensor } from '../src/core/tensor.ts';
import { lenet, resnet8 } from '../src/pipelines/tasks/imageNetworks.ts';
import { optimizerOf } from '../src/solvers/presets/registry.ts';
import { succeed } from './succeed.ts';
import { meanOf, medianOf } from './timing.ts';

/** A network and a batch for it. */
export interface Workload {
  readonly name: string;
  readonly model: Model;
  readonly batch: Batch<Tensor>;
}

const images = (n: number): Batch<Tensor> => ({
  inputs: uniform(keyOf(1), [n, 784], 'f32'),
  targets: tensor(
    Array.from({ length: n }, (_, i) => i % 10),
    [n],
    'i32',
  ),
});

const [vocabulary, context, width] = [65, 128, 128];

/** A GPT of 4 blocks on 128 characters. */
const gpt = model(
  'gpt',
  [context],
  sequential({
    words: embedding({ vocabulary, out: width }),
    positions: learnedPositions({ length: context, features: width }),
    ...Object.fromEntries(
      Array.from({ length: 4 }, (_, i) => [`block${i}`, transformerBlock({ features: width, heads: 4, causal: true })]),
    ),
    norm: layerNorm({ features: width }),
    head: dense({ in: width, out: vocabulary }),
  }),
);

const texts = (n: number): Batch<Tensor> => {
  const text = (shift: number): Tensor => generate([n, context], (i) => (7 * i + shift) % vocabulary, 'i32');
  return { inputs: text(0), targets: text(7) };
};

/** LeNet and a residual network on 128 images, a GPT on 32 texts. */
export const workloads: ReadonlyArray<Workload> = [
  { name: 'lenet', model: lenet('lenet', [28, 28], 10), batch: images(128) },
  { name: 'resnet8', model: resnet8('resnet8', [28, 28], 10), batch: images(128) },
  { name: 'gpt', model: gpt, batch: texts(32) },
];

/** Seconds of some runs after some that are not counted. */
const timed = async (run: () => Promise<void>, warmUp: number, repeats: number): Promise<ReadonlyArray<number>> => {
  const seconds: Array<number> = [];
  for (let i = 0; i < warmUp + repeats; i += 1) {
    const begin = performance.now();
    await run();
    if (i >= warmUp) seconds.push((performance.now() - begin) / 1000);
  }
  return seconds;
};

/** Passes that are alike, of which some are slow because the machine does something else. */
const passes = { warmUp: 5, repeats: 15 };

/**
 * Steps that are not alike: what has a period is dear in one of so many. Periods have grown to what they are by then, and whole ones
 * are counted.
 */
const steps = { warmUp: 50, repeats: 20 };

const start = <T extends Shaped>(backend: Backend<T>, model: Model): TrainState<T> =>
  placeState(backend.ops, initialState(initialParams(model, keyOf(1), 'f32'), keyOf(2)));

/** A forward and a backward pass, whose arrays go back. */
const measurePasses = async <T extends Shaped>(backend: Backend<T>, { model, batch }: Workload): Promise<number> => {
  const objective = { model, loss: softmaxCrossEntropy };
  const step = pipeline(forward, backward);
  const state = start(backend, model);
  const placed = mapParams(batch, backend.ops.constant);
  const seconds = await timed(
    async () => {
      const scope = backend.scope();
      const context = succeed(
        await step.run({ state, batch: placed, objective })({
          backend: scope.backend,
          clock: () => performance.now() / 1000,
        })(),
      );
      const [first] = Object.values(context.gradient);
      succeed(await scope.backend.read(first)());
      scope.close([]);
    },
    passes.warmUp,
    passes.repeats,
  );
  return medianOf(seconds);
};

const measureSteps = async <T extends Shaped>(
  backend: Backend<T>,
  { model, batch }: Workload,
  name: string,
): Promise<number> => {
  const optimizer = succeed(optimizerOf(name, {}));
  const step = learn({ model, loss: softmaxCrossEntropy }, optimizer.step);
  let state = start(backend, model);
  const env = { backend, clock: () => performance.now() / 1000 };
  const seconds = await timed(
    async () => {
      state = succeed(await takeStep(env, step, state, batch)()).state;
    },
    steps.warmUp,
    steps.repeats,
  );
  return meanOf(seconds);
};

/** The most resident memory so far, in megabytes. */
const peak = (): number => process.resourceUsage().maxRSS / 1024;

/** Prints seconds of passes and of steps, and memory, of the networks that are named, or of all. */
export const benchModels = async <T extends Shaped>(
  backend: Backend<T>,
  names: ReadonlyArray<string>,
): Promise<void> => {
  const named = workloads.filter(({ name }) => names.includes(name));
  for (const workload of named.length === 0 ? workloads : named) {
    const before = peak();
    const once = await measurePasses(backend, workload);
    const memory = `memory ${peak().toFixed(0)} MB (${before.toFixed(0)} before)`;
    const taken: Array<readonly [string, number]> = [];
    for (const name of ['adam', 'kfac']) taken.push([name, await measureSteps(backend, workload, name)] as const);
    const ms = (seconds: number): string => `${(1000 * seconds).toFixed(1)} ms`;
    console.log(
      `${workload.name}: forward + backward ${ms(once)}, ${memory}, ${taken.map(([name, s]) => `${name} ${ms(s)}`).join(', ')}`,
    );
  }
};
