/**
 * What it saves to make inverses beside the steps, on worker threads of the BLAS, instead of waiting for them.
 *
 * Whether it does depends on what the processors would do otherwise: products of the steps take one thread while
 * factorisations run beside them, so what is gained is the time that the program's own loops leave a processor idle.
 *
 * @module
 */
import type { Backend } from '../src/core/backends/backend.ts';
import type { Tensor } from '../src/core/tensor.ts';
import { optimizerOf } from '../src/solvers/presets/registry.ts';
import { succeed } from './succeed.ts';
import { medianOf } from './timing.ts';
import { measureSteps } from './training.ts';

/** Periods of the inverses, and how many steps late they may be. */
const periods = [5, 2];
const stalenesses = [0, 1, 2];
/** Rounds of all settings, so that what else the machine does meets all of them; the median counts. */
const rounds = 3;
const steps = 10; // two refreshes, or five

/**
 * Prints seconds per step by period and staleness, and the ratio to waiting.
 *
 * @param backend - where to run
 */
export const benchOverlap = async (backend: Backend<Tensor>): Promise<void> => {
  console.log('\nkfac, full MNIST autoencoder, batch 1000: inverses made beside the steps');
  console.log('inverses every   steps late   ms per step   of waiting');
  for (const inverseEvery of periods) {
    const seconds = stalenesses.map((): Array<number> => []);
    for (let round = 0; round < rounds; round += 1) {
      for (const [i, inverseStaleness] of stalenesses.entries()) {
        const optimizer = succeed(optimizerOf('kfac', { inverseEvery, inverseStaleness }));
        seconds[i].push((await measureSteps(backend, optimizer, steps, 1000)).seconds);
      }
    }
    const waiting = medianOf(seconds[0]);
    stalenesses.forEach((staleness, i) => {
      const found = medianOf(seconds[i]);
      console.log(
        [
          String(inverseEvery).padStart(14),
          String(staleness).padStart(12),
          (1000 * found).toFixed(0).padStart(13),
          (found / waiting).toFixed(2).padStart(12),
        ].join(' '),
      );
    });
  }
};
