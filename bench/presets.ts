/**
 * What every preset costs: each stage in units of one gradient, the fraction of the machine's matmul rate, memory.
 *
 * Each preset runs in a process of its own, so that the largest resident set is its own. Bytes in the training state are
 * counted exactly beside it, since buffers of a step are reused and hide what a preset saves: averages of statistics, what
 * the solver prepared, and everything else.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';

import type { Backend } from '../src/core/backends/backend.ts';
import { initialParams } from '../src/core/nn/model.ts';
import { sigmoidCrossEntropy } from '../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../src/core/nn/losses/softmaxCrossEntropy.ts';
import { mapParams } from '../src/core/params.ts';
import type { Objective } from '../src/core/pipeline/objective.ts';
import type { Batch } from '../src/core/pipeline/context.ts';
import { countStep } from '../src/core/pipeline/count.ts';
import { readMetrics } from '../src/core/pipeline/metrics.ts';
import type { TrainState } from '../src/core/pipeline/trainState.ts';
import { initialState } from '../src/core/pipeline/trainState.ts';
import { keyOf } from '../src/core/random/key.ts';
import { uniform } from '../src/core/random/uniform.ts';
import type { Shaped, Tensor } from '../src/core/tensor.ts';
import { tensor } from '../src/core/tensor.ts';
import { autoencoder } from '../src/pipelines/tasks/mnistAutoencoder.ts';
import { perceptron } from '../src/pipelines/tasks/mnistClassifier.ts';
import { arraysIn } from '../src/core/pipeline/arraysIn.ts';
import { optimizerNames, optimizerOf } from '../src/solvers/presets/registry.ts';

import { succeed } from './succeed.ts';

/** What a preset is measured on. */
interface Workload {
  readonly name: string;
  readonly objective: Objective;
  readonly batch: Batch<Tensor>;
}

const images = (n: number): Tensor => uniform(keyOf(1), [n, 784], 'f32');

const wide = (): Workload => {
  const inputs = images(1000);
  return {
    name: 'autoencoder',
    objective: { model: autoencoder('full', [784, 1000, 500, 250, 30]), loss: sigmoidCrossEntropy },
    batch: { inputs, targets: inputs },
  };
};

/** For curvature that keeps classes apart. */
const classified = (): Workload => ({
  name: 'classifier',
  objective: { model: perceptron('full', [784, 512, 256, 10]), loss: softmaxCrossEntropy },
  batch: {
    inputs: images(500),
    targets: tensor(
      Array.from({ length: 500 }, (_, i) => i % 10),
      [500],
      'i32',
    ),
  },
});

/** Presets whose solver iterates until a residual is small. */
const iterating: ReadonlyArray<string> = ['kfac-cg', 'class-kfac', 'newton-schulz-kfac'];

/** One preset, measured. */
interface Measured {
  readonly workload: string;
  readonly milliseconds: number;
  /** Of one forward and one backward pass. */
  readonly gradient: number;
  readonly stages: Readonly<Record<string, number>>;
  /** `null` where the number of operations depends on the numbers: a step on shapes takes all iterations. */
  readonly ofSgemm: number | null;
  readonly peakMb: number;
  readonly statisticsMb: number;
  readonly preparedMb: number;
  readonly otherMb: number;
}

const megabytes = (value: unknown): number => {
  const seen = new Set<ArrayBufferLike>();
  const walk = (part: unknown): number => {
    if (typeof part !== 'object' || part === null) return 0;
    if (ArrayBuffer.isView(part)) {
      if (seen.has(part.buffer)) return 0;
      seen.add(part.buffer);
      return part.byteLength;
    }
    return Object.values(part).reduce((sum: number, inner: unknown) => sum + walk(inner), 0);
  };
  return walk(value) / 2 ** 20;
};

/**
 * Measures one preset in this process.
 *
 * @param backend - where to run
 * @param rate - FLOP/s of sgemm
 * @param name - preset
 */
export const measurePreset = async (backend: Backend<Tensor>, rate: number, name: string): Promise<Measured> => {
  const { name: workload, objective, batch } = name === 'class-kfac' ? classified() : wide();
  const step = succeed(optimizerOf(name)).step;
  const params = initialParams(objective.model, keyOf(1), 'f32');
  const shapes = mapParams(params, ({ shape }) => ({ shape }));
  const shapedBatch = mapParams(batch, ({ shape }) => ({ shape }));
  let state: TrainState<Tensor> = initialState(params, keyOf(2));
  let counted: TrainState<Shaped> = initialState(shapes, keyOf(2));
  const [warmUp, steps] = name.includes('cg') ? [1, 2] : name === 'class-kfac' ? [1, 5] : [5, 10];
  let [seconds, flops] = [0, 0];
  const stages: Record<string, number> = {};
  for (let i = 0; i < warmUp + steps; i += 1) {
    const count = succeed(await countStep(step, { state: counted, batch: shapedBatch, objective })());
    counted = count.next;
    const start = performance.now();
    const { backend: scoped, close } = backend.scope();
    const env = { backend: scoped, clock: () => performance.now() / 1000 };
    const result = succeed(await step.run<Tensor>({ state, batch, objective })(env)());
    const metrics = succeed(await readMetrics(scoped, result.metrics)());
    const kept = arraysIn(result.next);
    close([...kept], i === 0 ? [] : [...arraysIn(state)].filter((x) => !kept.has(x)));
    state = result.next;
    if (i < warmUp) continue;
    seconds += (performance.now() - start) / 1000 / steps;
    flops += count.flops / steps;
    for (const [key, value] of Object.entries(metrics)) {
      if (key.startsWith('seconds.')) stages[key.slice(8)] = (stages[key.slice(8)] ?? 0) + value / steps;
    }
  }
  const gradient = (stages['forward'] ?? 0) + (stages['backward'] ?? 0);
  const [statisticsMb, preparedMb] = [megabytes(state.curvature), megabytes(state.solver.prepared)];
  return {
    workload,
    milliseconds: 1000 * seconds,
    gradient,
    stages,
    ofSgemm: iterating.includes(name) ? null : flops / seconds / rate,
    peakMb: process.resourceUsage().maxRSS / 1024,
    statisticsMb,
    preparedMb,
    otherMb: megabytes(state) - statisticsMb - preparedMb,
  };
};

const columns = (m: Measured): ReadonlyArray<string> => {
  const inGradients = Object.entries(m.stages)
    .filter(([stage]) => stage !== 'forward' && stage !== 'backward')
    .map(([stage, s]) => `${stage} ${(s / m.gradient).toFixed(2)}`);
  return [
    m.workload.padEnd(12),
    m.milliseconds.toFixed(0).padStart(7),
    (1000 * m.gradient).toFixed(0).padStart(9),
    (m.milliseconds / 1000 / m.gradient).toFixed(1).padStart(7),
    (m.ofSgemm?.toFixed(2) ?? 'n/a').padStart(9),
    m.peakMb.toFixed(0).padStart(8),
    m.statisticsMb.toFixed(1).padStart(11),
    m.preparedMb.toFixed(1).padStart(9),
    m.otherMb.toFixed(1).padStart(7),
    `  ${inGradients.join(', ')}`,
  ];
};

/**
 * Prints the table, one child process per preset.
 *
 * @param program - the compiled benchmark
 * @param names - presets, all unless given
 */
export const benchPresets = (program: string, names: ReadonlyArray<string>): void => {
  console.log('\none step, mean over steps with refreshes included; stages in units of one forward and backward pass');
  console.log(
    'preset              workload          ms  gradient   × grad  of sgemm  peak MB  statistics  prepared   other   stages',
  );
  for (const name of names.length === 0 ? optimizerNames : names) {
    const child = spawnSync(process.execPath, [program, 'preset', name], { encoding: 'utf8' });
    const line = child.stdout.trim().split('\n').pop() ?? '';
    const told =
      child.status === 0 ? columns(JSON.parse(line) as Measured).join(' ') : `failed: ${child.stderr.trim()}`;
    console.log(`${name.padEnd(19)} ${told}`);
  }
};
