/**
 * One of the processes that `bench/ranks.ts` starts: takes steps, and says what they took as a line of JSON.
 *
 * `node ranksRun.js TASK BATCH OPTIMIZER STEPS GRADIENT_WORKERS`, by itself or under mpirun; `node ranksRun.js products` says how
 * many products of two matrices of order 1000 it does in a second.
 *
 * @module
 */
import type { Backend } from '../src/core/backends/backend.ts';
import { nativeBackend } from '../src/core/backends/native/backend.ts';
import { toldNumbers } from '../src/core/parallel/agreement.ts';
import type { Collective } from '../src/core/parallel/collective.ts';
import { launchOf } from '../src/core/parallel/mpi/launch.ts';
import { mpi } from '../src/core/parallel/mpi/mpi.ts';
import { single } from '../src/core/parallel/simulated.ts';
import { distributed } from '../src/core/parallel/spread/distributed.ts';
import { inversesIn } from '../src/core/pipeline/arraysIn.ts';
import type { Batch } from '../src/core/pipeline/context.ts';
import { byStage } from '../src/core/pipeline/metrics.ts';
import { takeStep } from '../src/core/pipeline/takeStep.ts';
import { placeState } from '../src/core/pipeline/transfer.ts';
import { keyOf } from '../src/core/random/key.ts';
import { uniform } from '../src/core/random/uniform.ts';
import type { Shaped, Tensor } from '../src/core/tensor.ts';
import { sizeOf } from '../src/core/tensor.ts';
import { tasks } from '../src/pipelines/catalogue/tasks.ts';
import { planOf } from '../src/pipelines/config/plan.ts';
import { range } from '../src/pipelines/data/batches.ts';
import { settledForecast } from '../src/pipelines/trainer/counted.ts';
import { nodeWorld } from '../src/pipelines/world.ts';
import { succeed } from './succeed.ts';
import { secondsPerCall } from './timing.ts';

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

const [task, batch, optimizer, count, workers] = process.argv.slice(2);
const clock = (): number => performance.now() / 1000;

/** Steps before those that count: the first is not like others. */
const warmUp = 5;

const measured = async <T extends Shaped>(backend: Backend<T>, collective: Collective): Promise<RanksRun> => {
  const plan = succeed(planOf(task, [optimizer], {}, tasks));
  const { task: found, train } = succeed(await plan.task.load(nodeWorld.files, plan.data)());
  const size = Number(batch);
  const batchAt = (i: number): Batch<Tensor> => train.batch(range((i * size) % (train.size - size), size));
  const { step, state: start } = succeed(settledForecast(found, plan.optimizers[0], batchAt(0), 1));
  const env = { backend, clock };
  const seconds: Array<number> = [];
  const stages: Record<string, number> = {};
  let state = placeState(backend.ops, start);
  let refreshes = 0;
  let before = collective.traffic();
  const steps = Number(count);
  for (let i = 0; i < warmUp + steps; i += 1) {
    if (i === warmUp) {
      collective.barrier().wait();
      before = collective.traffic();
    }
    const stepped = succeed(await takeStep(env, step, state, batchAt(i))());
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
    parameters: Object.values(start.params).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    triangles: orders.reduce((sum, n) => sum + (n * (n + 1)) / 2, 0),
    refreshes: refreshes / steps,
  };
};

const local = succeed(nativeBackend({ dtype: 'f32', threads: 1 }));
if (task === 'products') {
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
