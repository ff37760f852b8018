/**
 * Loss after some numbers of steps, and the seconds until then, on the full MNIST autoencoder: every preset beside Adam.
 *
 * @module
 */
import type { Backend } from '../src/core/backends/backend.ts';
import type { Tensor } from '../src/core/tensor.ts';
import { nodeFileSystem } from '../src/pipelines/files/fileSystem.ts';
import { choiceOf } from '../src/pipelines/problems/choices.ts';
import { mnistAutoencoder } from '../src/pipelines/tasks/mnistAutoencoder.ts';
import { proceed } from '../src/pipelines/trainer/proceed.ts';
import { begin, judgeOn } from '../src/pipelines/trainer/run.ts';
import { optimizerOf } from '../src/solvers/presets/registry.ts';
import { succeed } from './succeed.ts';

/** Steps at which the loss over the training set is taken. */
const marks = [60, 120, 240];

/**
 * Trains with each preset and prints a row; time for judging does not count.
 *
 * @param backend - where to run
 * @param names - presets; `adam@0.003` sets the learning rate
 */
export const benchCurves = async (backend: Backend<Tensor>, names: ReadonlyArray<string>): Promise<void> => {
  const family = mnistAutoencoder.ofSize('full');
  const data = succeed(await family.load(nodeFileSystem)());
  console.log('\nfull MNIST autoencoder, batch 1000, seed 1: loss over the training set (seconds of training)');
  console.log(`preset              ${marks.map((mark) => `${mark} steps`.padStart(18)).join('')}`);
  for (const name of names) {
    const { optimizer: preset, settings } = choiceOf(name);
    const optimizer = succeed(optimizerOf(preset, settings));
    const setting = {
      env: { backend, clock: () => performance.now() / 1000 },
      task: { ...family, data },
      step: family.step(optimizer),
      options: { batch: 1000, seed: 1, listeners: [] },
    };
    const cells: Array<string> = [];
    let run = succeed(begin({ ...setting, options: { ...setting.options, duration: { steps: marks[0] } } }));
    for (const steps of marks) {
      const until = { ...setting, options: { ...setting.options, duration: { steps } } };
      run = succeed(await proceed(until, run)());
      const { loss } = succeed(await judgeOn(until, run, data.train)());
      cells.push(`${loss.toFixed(2)} (${run.seconds.toFixed(0)} s)`.padStart(18));
    }
    console.log(`${name.padEnd(20)}${cells.join('')}`);
  }
};
