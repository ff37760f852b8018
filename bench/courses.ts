/**
 * Twenty steps of the models that people train, on this backend and on another one: how far losses and parameters are from each other.
 *
 * @module
 */
import type { Backend } from '../src/core/backends/backend.ts';
import { chooseBackend } from '../src/core/backends/choice/choose.ts';
import { initialParams } from '../src/core/nn/model.ts';
import { softmaxCrossEntropy } from '../src/core/nn/losses/softmaxCrossEntropy.ts';
import type { Params } from '../src/core/params.ts';
import { takeStep } from '../src/core/pipeline/takeStep.ts';
import { initialState } from '../src/core/pipeline/trainState.ts';
import { placeState, readState } from '../src/core/pipeline/transfer.ts';
import { learn } from '../src/core/pipeline/withObjective.ts';
import { keyOf } from '../src/core/random/key.ts';
import type { ReadonlyVector, Shaped, Tensor } from '../src/core/tensor.ts';
import { optimizerOf } from '../src/solvers/presets/registry.ts';
import type { Workload } from './models.ts';
import { workloads } from './models.ts';
import { numberAfter, textAfter } from './flags.ts';
import { succeed } from './succeed.ts';

/** λ of the mean curvature at least: with less, twenty steps multiply rounding by some thousands. */
const settings = { damping: 1, minDamping: 1 };

interface Course {
  readonly losses: ReadonlyArray<number>;
  readonly params: Params<Tensor>;
  readonly seconds: number;
}

const courseOf = async <T extends Shaped>(
  backend: Backend<T>,
  { model, batch }: Workload,
  name: string,
  steps: number,
): Promise<Course> => {
  const optimizer = succeed(optimizerOf(name, name === 'adam' ? {} : settings));
  const step = learn({ model, loss: softmaxCrossEntropy }, optimizer.step);
  const env = { backend, clock: () => performance.now() / 1000 };
  let state = placeState(backend.ops, initialState(initialParams(model, keyOf(1), 'f32'), keyOf(2)));
  const losses: Array<number> = [];
  const begin = performance.now();
  for (let i = 0; i < steps; i += 1) {
    const stepped = succeed(await takeStep(env, step, state, batch)());
    state = stepped.state;
    losses.push(stepped.metrics['loss']);
  }
  const seconds = (performance.now() - begin) / 1000;
  return { losses, params: succeed(await readState(backend, state)()).params, seconds };
};

/** Largest difference, over 1 and the largest element. */
const distance = (a: ReadonlyVector | ReadonlyArray<number>, b: ReadonlyVector | ReadonlyArray<number>): number => {
  let gap = 0;
  let size = 0;
  for (let i = 0; i < b.length; i += 1) {
    gap = Math.max(gap, Math.abs(a[i] - b[i]));
    size = Math.max(size, Math.abs(b[i]));
  }
  return gap / (1 + size);
};

/**
 * Prints, for each model and optimizer, how far two backends are from each other after twenty steps.
 *
 * @param backend - the one beside another
 * @param flags - names of the models, all unless one is among them; `steps=N`; `with=NAME`, the other backend as `KFAC_BACKEND`
 *   names it, kernels of gpu.js in WebAssembly unless given; `f64`, its precision
 */
export const benchCourses = async <T extends Shaped>(
  backend: Backend<T>,
  flags: ReadonlyArray<string>,
): Promise<void> => {
  const steps = numberAfter(flags, 'steps', 20);
  const other = textAfter(flags, 'with') ?? 'gpu:webasm';
  const opened = succeed(await chooseBackend(flags.includes('f64') ? { dtype: 'f64' } : {}, other)());
  const named = workloads.filter(({ name }) => flags.includes(name));
  for (const workload of named.length === 0 ? workloads : named) {
    for (const name of ['kfac', 'adam']) {
      const ours = await courseOf(backend, workload, name, steps);
      const theirs = await opened((on) => courseOf(on, workload, name, steps));
      const params = Object.entries(theirs.params).map(([path, { data }]) => distance(ours.params[path].data, data));
      console.log(
        [
          `${workload.name}, ${steps} steps of ${name}: loss ${ours.losses[0].toFixed(4)} → ${ours.losses[steps - 1].toFixed(4)}`,
          `${other} has losses apart by ${distance(ours.losses, theirs.losses).toExponential(1)}`,
          `parameters by ${Math.max(...params).toExponential(1)}`,
          `${ours.seconds.toFixed(1)} s and ${theirs.seconds.toFixed(1)} s`,
        ].join(', '),
      );
    }
  }
  await opened((on) => on.dispose());
};
