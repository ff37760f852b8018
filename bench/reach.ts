/**
 * Steps and seconds of training until the loss over the training set is at most 87 nats, on the full MNIST autoencoder, batch 1000, as
 * `bench/peers/autoencoder.py` counts them: the whole set is looked at after every fifth step whose batch is at most one nat above.
 *
 * @module
 */
import type { Backend } from '../src/core/backends/backend.ts';
import type { Tensor } from '../src/core/tensor.ts';
import { nodeFileSystem } from '../src/pipelines/files/fileSystem.ts';
import { choiceOf } from '../src/pipelines/problems/choices.ts';
import { mnistAutoencoder } from '../src/pipelines/tasks/mnistAutoencoder.ts';
import { entries } from '../src/pipelines/trainer/log.ts';
import { proceed } from '../src/pipelines/trainer/proceed.ts';
import { begin, judgeOn } from '../src/pipelines/trainer/run.ts';
import { optimizerOf } from '../src/solvers/presets/registry.ts';
import { succeed } from './succeed.ts';

const aim = 87;
/** Steps between looks, and the most that are taken. */
const every = 5;
const most = 1000;

/**
 * Trains with each preset and prints a row; time for judging does not count.
 *
 * @param backend - where to run
 * @param names - presets; `adam@0.003` sets the learning rate
 */
export const benchReach = async (backend: Backend<Tensor>, names: ReadonlyArray<string>): Promise<void> => {
  const family = mnistAutoencoder.ofSize('full');
  const data = succeed(await family.load(nodeFileSystem)());
  console.log(`\nfull MNIST autoencoder, batch 1000, seed 1: until the loss over the training set is at most ${aim}`);
  for (const name of names) {
    const { optimizer: preset, settings } = choiceOf(name);
    const setting = {
      env: { backend, clock: () => performance.now() / 1000 },
      task: { ...family, data },
      step: family.step(succeed(optimizerOf(preset, settings))),
      options: { batch: 1000, seed: 1, listeners: [] },
    };
    const until = (steps: number) => ({ ...setting, options: { ...setting.options, duration: { steps } } });
    let run = succeed(begin(until(every)));
    let whole = Infinity;
    for (let steps = every; steps <= most && whole > aim; steps += every) {
      run = succeed(await proceed(until(steps), run)());
      const loss = entries(run.steps).at(-1)?.loss ?? Infinity;
      if (loss <= aim + 1) ({ loss: whole } = succeed(await judgeOn(until(steps), run, data.train)()));
      if (whole <= aim) console.log(`${name}: ${steps} steps, ${run.seconds.toFixed(1)} s, loss ${whole.toFixed(2)}`);
    }
    if (whole > aim) console.log(`${name}: not in ${most} steps`);
  }
};
