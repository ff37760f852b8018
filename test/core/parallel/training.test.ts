/**
 * Training on several ranks is training on one: every preset, every number of ranks, whoever keeps the inverses.
 *
 * On the reference interpreter, where all that differs is the order in which numbers are added.
 */
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import type { GradientWorkers } from '../../../src/core/parallel/spread/distributed.ts';
import { distributed } from '../../../src/core/parallel/spread/distributed.ts';
import { simulated } from '../../../src/core/parallel/simulated.ts';
import type { TrainTask } from '../../../src/pipelines/trainer/learning.ts';
import type { Optimizer } from '../../../src/solvers/presets/optimizer.ts';
import { optimizerNames, optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { sineTask, wordsTask } from '../../pipelines/trainer/support.ts';
import { orThrow } from '../../support/training.ts';
import { distance, normedTask, nudged, rough, taskFor, trained } from './support.ts';

const onRanks = (size: number, gradientWorkers: GradientWorkers) =>
  distributed(referenceBackend(), simulated(size), { gradientWorkers });

/** Ranks with more, fewer and no examples of a batch of 7. */
const ways = [
  [1, 'all'],
  [2, 'all'],
  [3, 'one'],
  [4, 'all'],
  [8, 'one'],
] as const;

const expectSame = async (task: TrainTask, optimizer: Optimizer, batch?: number): Promise<void> => {
  const one = await trained(referenceBackend(), task, optimizer, batch);
  for (const [size, gradientWorkers] of ways) {
    expect(distance(await trained(onRanks(size, gradientWorkers), task, optimizer, batch), one)).toBeLessThan(1e-12);
  }
};

describe('law: on any number of ranks, training takes the steps of one process, to rounding', () => {
  for (const name of optimizerNames) {
    it(name, async () => {
      const optimizer = orThrow(optimizerOf(name));
      const one = await trained(referenceBackend(), taskFor(name), optimizer);
      const rounding = rough.includes(name)
        ? distance(await trained(referenceBackend(), nudged(taskFor(name)), optimizer), one)
        : 0;
      for (const [size, gradientWorkers] of ways) {
        const many = await trained(onRanks(size, gradientWorkers), taskFor(name), optimizer);
        expect(distance(many, one)).toBeLessThan(Math.max(1e-12, 100 * rounding));
      }
    });
  }

  it('kfac-cg with few turns, which rounding does not take over', async () => {
    await expectSame(sineTask(), orThrow(optimizerOf('kfac-cg', { maxIterations: 4 })));
  });

  it('with embeddings, normalisation over features, positions and classes', async () => {
    const optimizer = orThrow(optimizerOf('kfac'));
    await expectSame(wordsTask(), optimizer);
  });

  it('with batch normalisation, whose moments are those of the whole batch, and with dropout', async () => {
    await expectSame(normedTask(), orThrow(optimizerOf('kfac')));
  });

  it('with statistics of a sample of each batch', async () => {
    const optimizer = orThrow(optimizerOf('kfac', { statisticsFraction: 0.5, atLeast: 1 }));
    await expectSame(sineTask(), optimizer, 12);
  });
});
