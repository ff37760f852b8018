/**
 * One of the processes that `bench/ranks.ts` starts: takes steps, and says what they took as a line of JSON.
 *
 * `node ranksRun.js autoencoder|resnet8 OPTIMIZER STEPS GRADIENT_WORKERS`, by itself or under mpirun; `node ranksRun.js products` says how
 * many products of two matrices of order 1000 it does in a second.
 *
 * @module
 */
import type { Backend } from '../src/core/backends/backend.ts';
import { nativeBackend } from '../src/core/backends/native/backend.ts';
import { initialParams } from '../src/core/nn/model.ts';
import { sigmoidCrossEntropy } from '../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../src/core/nn/losses/softmaxCrossEntropy.ts';
import { toldNumbers } from '../src/core/parallel/agreement.ts';
import type { Collective } from '../src/core/parallel/collective.ts';
import { launchOf } from '../src/core/parallel/mpi/launch.ts';
import { mpi } from '../src/core/parallel/mpi/mpi.ts';
import { single } from '../src/core/parallel/simulated.ts';
import { distributed } from '../src/core/parallel/spread/distributed.ts';
import { inversesIn } from '../src/core/pipeline/arraysIn.ts';
import type { Batch } from '../src/core/pipeline/context.ts';
import { byStage } from '../src/core/pipeline/metrics.ts';
import type { Objective } from '../src/core/pipeline/objective.ts';
import { takeStep } from '../src/core/pipeline/takeStep.ts';
import { initialState } from '../src/core/pipeline/trainState.ts';
import { placeState } from '../src/core/pipeline/transfer.ts';
import { learn } from '../src/core/pipeline/withObjective.ts';
import { keyOf } from '../src/core/random/key.ts';
import { uniform } from '../src/core/random/uniform.ts';
import type { Shaped, Tensor } from '../src/core/tensor.ts';
import { sizeOf } from '../src/core/tensor.ts';
import { autoencoder } from '../src/pipelines/tasks/mnistAutoencoder.ts';
import { resnet8 } from '../src/pipelines/tasks/imageNetworks.ts';
import { settled } from '../src/pipelines/trainer/counted.ts';
import { optimizerOf } from '../src/solvers/presets/registry.ts';
import { images } from './models.ts';
import { succeed } from './succeed.ts';
import { secondsPerCall } from './timing.ts';

/** A network and a batch: the cost of a step does not depend on what is in it. */
interface Workload {
  readonly objective: Objective;
  readonly batch: Batch<Tensor>;
}

const workloadOf = (name: string): Workload => {
  if (name === 'resnet8') {
    const model = resnet8('resnet8', [28, 28], 10);
    return { objective: { model, loss: softmaxCrossEntropy }, batch: images(256) };
  }
  const inputs = uniform(keyOf(1), [1000, 784], 'f32');
  const model = autoencoder('full', [784, 1000, 500, 250, 30]);
  return { objective: { model, loss: sigmoidCrossEntropy }, batch: { inputs, targets: inputs } };
};

/** What steps took. */
export interface RanksRun {
  /** Of each step. */
  readonly seconds: ReadonlyArray<number>;
  /** Means of each stage. */
  readonly stages: Readonly<Record<string, number>>;
  /** Of each process: seconds in a step that went to messages, bytes that a step brought in, bytes of inverses, most memory in MiB. */
  readonly ranks: ReadonlyArray<readonly [waited: number, carried: number, inverses: number, peakMb: number]>;
  readonly messages: number;
  /** Number of parameters, of elements in the triangles of all that is inverted, and of refreshes in a step. */
  readonly parameters: number;
  readonly triangles: number;
  readonly refreshes: number;
}

const [workload, optimizer, count, workers] = process.argv.slice(2);
const clock = (): number => performance.now() / 1000;

/** Steps before those that count: the first is not like others. */
const warmUp = 5;

const measured = async <T extends Shaped>(backend: Backend<T>, collective: Collective): Promise<RanksRun> => {
  const { objective, batch } = workloadOf(workload);
  const step = learn(objective, succeed(optimizerOf(optimizer)).step);
  const params = initialParams(objective.model, keyOf(1), 'f32');
  const env = { backend, clock };
  const seconds: Array<number> = [];
  const stages: Record<string, number> = {};
  let state = placeState(backend.ops, { ...initialState(params, keyOf(2)), step: settled });
  let refreshes = 0;
  let before = collective.traffic();
  const steps = Number(count);
  for (let i = 0; i < warmUp + steps; i += 1) {
    if (i === warmUp) {
      collective.barrier().wait();
      before = collective.traffic();
    }
    const stepped = succeed(await takeStep(env, step, state, batch)());
    state = stepped.state;
    await new Promise((resolve) => setImmediate(resolve)); // as between two steps of the trainer
    if (i < warmUp) continue;
    seconds.push(stepped.seconds);
    if (stepped.metrics['inverseAge'] === 0) refreshes += 1;
    for (const [name, value] of Object.entries(byStage(stepped.metrics))) {
      stages[name] = (stages[name] ?? 0) + value / steps;
    }
  }
  const { messages, carried, waited } = collective.traffic();
  const inverses = inversesIn(state);
  const orders = inverses.filter(({ shape }) => shape.length === 2 && shape[0] === shape[1]).map(({ shape: [n] }) => n);
  return {
    seconds,
    stages,
    ranks: toldNumbers(collective, [
      (waited - before.waited) / steps,
      (carried - before.carried) / steps,
      backend.bytesHeld?.(inverses) ?? inverses.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0),
      process.resourceUsage().maxRSS / 1024,
    ]).map(([a, b, c, d]) => [a, b, c, d] as const),
    messages: (messages - before.messages) / steps,
    parameters: Object.values(params).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    triangles: orders.reduce((sum, n) => sum + (n * (n + 1)) / 2, 0),
    refreshes: refreshes / steps,
  };
};

const local = succeed(nativeBackend({ dtype: 'f32', threads: 1 }));
if (workload === 'products') {
  const x = local.ops.constant(uniform(keyOf(1), [1000, 1000], 'f32'));
  const multiply = (): void => {
    const { backend, close } = local.scope();
    backend.ops.matmul(x, x);
    close([]);
  };
  console.log(1 / secondsPerCall(multiply, 2));
  process.exit(0);
}
const collective = launchOf(process.env) === null ? single() : succeed(mpi(clock)).collective;
const gradientWorkers = workers === 'one' ? 'one' : 'all';
const found = await (collective.size === 1
  ? measured(local, collective)
  : measured(distributed(local, collective, { gradientWorkers }), collective));
if (collective.ranks[0] === 0) console.log(JSON.stringify(found));
collective.barrier().wait();
collective.end();
