/**
 * Training on several ranks is training on one: every preset, every number of ranks, whoever keeps the inverses.
 *
 * On the reference interpreter, where all that differs is the order in which numbers are added.
 */
import * as E from 'fp-ts/lib/Either.js';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { attempt } from '../../../src/core/errors.ts';
import { distributed } from '../../../src/core/parallel/spread/distributed.ts';
import type { GradientWorkers } from '../../../src/core/parallel/spread/rows.ts';
import { ranksInColumn, ranksInRow, rowOf, rowsFor, workersFor } from '../../../src/core/parallel/spread/rows.ts';
import { simulated } from '../../../src/core/parallel/simulated.ts';
import { mapParams } from '../../../src/core/params.ts';
import { workByBlock } from '../../../src/curvature/dearness.ts';
import { kfac as kfacCurvature } from '../../../src/curvature/kfac.ts';
import type { TrainTask } from '../../../src/pipelines/trainer/learning.ts';
import { kroneckerInverseWithin } from '../../../src/solvers/inverses/kroneckerInverseWithin.ts';
import { kfacDescent, kfacSettings } from '../../../src/solvers/presets/kfac.ts';
import { preset } from '../../../src/solvers/presets/preset.ts';
import { preconditioned } from '../../../src/solvers/solver/preconditioned.ts';
import type { Optimizer } from '../../../src/solvers/presets/optimizer.ts';
import { optimizerNames, optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { sineTask, wordsTask } from '../../pipelines/trainer/support.ts';
import { poisoningBackend } from '../../pipelines/trainer/poisoningBackend.ts';
import { orThrow } from '../../support/training.ts';
import { deepTask, distance, late, normedTask, nudged, rough, taskFor, trained } from './support.ts';

const onRanks = (size: number, gradientWorkers: GradientWorkers, small?: number) =>
  distributed(referenceBackend(), simulated(size), { gradientWorkers, ...(small === undefined ? {} : { small }) });

/** Ranks with more, fewer and no examples of a batch of 7; where all sums are large, ranks have runs of them, of one or several rows. */
const ways = [
  [1, 'all'],
  [2, 'all'],
  [3, 'all', 0],
  [3, 'one'],
  [4, 0.5],
  [8, 'one'],
] as const;

const expectSame = async (task: TrainTask, optimizer: Optimizer, batch?: number): Promise<void> => {
  const one = await trained(referenceBackend(), task, optimizer, batch);
  for (const [size, gradientWorkers, small] of ways) {
    expect(distance(await trained(onRanks(size, gradientWorkers, small), task, optimizer, batch), one)).toBeLessThan(
      1e-12,
    );
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
      for (const [size, gradientWorkers, small] of ways) {
        const many = await trained(onRanks(size, gradientWorkers, small), taskFor(name), optimizer);
        expect(distance(many, one)).toBeLessThan(Math.max(1e-12, 100 * rounding));
      }
    });
  }

  it.each(['kfac', 'ekfac'])('%s, whatever share of the ranks keeps an inverse', async (name) => {
    const optimizer = orThrow(optimizerOf(name));
    const one = await trained(referenceBackend(), sineTask(), optimizer);
    for (const size of [2, 4, 6, 8]) {
      for (const workers of workersFor(size)) {
        const many = await trained(onRanks(size, workers / size), sineTask(), optimizer);
        expect([size, workers, distance(many, one) < 1e-12]).toEqual([size, workers, true]);
      }
    }
  });

  it.each(['adam', 'sgd', 'kfac', 'kfac-adaptive', 'kfac-cg'])(
    '%s, whose messages are under way until they are waited for, in memory that is spoilt once it has gone back',
    async (name) => {
      const optimizer = orThrow(optimizerOf(name, name === 'kfac-cg' ? { maxIterations: 4 } : {}));
      // Before batch normalisation a bias has a gradient of nothing but rounding, of which Adam makes steps of full length.
      for (const task of name === 'adam' ? [sineTask()] : [sineTask(), normedTask()]) {
        const one = await trained(referenceBackend(), task, optimizer);
        for (const gradientWorkers of ['all', 'one'] as const) {
          const backend = distributed(poisoningBackend().backend, late(3), { gradientWorkers, small: 0 });
          expect(distance(await trained(backend, task, optimizer), one)).toBeLessThan(1e-12);
        }
      }
    },
  );

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

  it('with factors of low rank, where inverses would cost more than steps may', async () => {
    const inverse = kroneckerInverseWithin(({ blocks, gradient }) => ({
      operations: mapParams(workByBlock(blocks, gradient), (work) => work / 2),
      every: 1,
    }));
    const cheap = preset('cheap', kfacSettings, (settings) =>
      kfacDescent(settings, kfacCurvature(settings), preconditioned(inverse)),
    );
    await expectSame(deepTask(30, 2), cheap());
  });

  it('with statistics of a sample of each batch', async () => {
    const optimizer = orThrow(optimizerOf('kfac', { statisticsFraction: 0.5, atLeast: 1 }));
    await expectSame(sineTask(), optimizer, 12);
  });
});

describe('who keeps inverses', () => {
  /** Bytes that the rank with most of them keeps after a step. */
  const keptBy = async (name: string, size: number, workers: number): Promise<number> => {
    const optimizer = orThrow(optimizerOf(name));
    const result = await trained(onRanks(size, workers / size), deepTask(), optimizer);
    return result.inverseBytes ?? NaN;
  };

  it.each(['kfac', 'ekfac'])('law: %s, memory of a rank falls with their share', async (name) => {
    const [eight, four, two, one] = [
      await keptBy(name, 8, 8),
      await keptBy(name, 8, 4),
      await keptBy(name, 8, 2),
      await keptBy(name, 8, 1),
    ];
    expect(four).toBeLessThan(eight);
    expect(two).toBeLessThan(four);
    expect(one).toBeLessThan(two);
    // The second moments of EKFAC are sums over examples, of which every rank has its own.
    expect(one).toBeLessThan(name === 'ekfac' ? 0.7 * eight : eight / 4);
  });

  it('worked example: six ranks in rows of two', () => {
    const rows = rowsFor(6, 1 / 3);
    expect(rows).toEqual({ workers: 2, count: 3 });
    expect(rowOf(rows, 3)).toBe(1);
    expect([ranksInRow(rows, 1), ranksInColumn(rows, 1)]).toEqual([
      [2, 3],
      [1, 3, 5],
    ]);
  });

  it('a share that does not divide the ranks is refused, with those that do', () => {
    expect(attempt(() => rowsFor(6, 0.25))).toEqual(
      E.left({
        _tag: 'BadConfig',
        path: 'gradientWorkers',
        expected: 'all, one, or a share of 6 ranks: 1, 0.5, 0.333, 0.167',
        actual: '0.25',
      }),
    );
    expect(rowsFor(6, 0.333).workers).toBe(2);
  });
});
