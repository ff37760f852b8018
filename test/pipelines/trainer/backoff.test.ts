/** A run that diverges goes back to where it was well, with more damping, and says so. */
import * as TE from 'fp-ts/lib/TaskEither.js';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { trainWithBackoff } from '../../../src/pipelines/trainer/backoff.ts';
import type { TrainOptions } from '../../../src/pipelines/trainer/options.ts';
import type { Snapshot } from '../../../src/pipelines/trainer/snapshot.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import { sgd } from '../../../src/solvers/presets/sgd.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';
import { poisoningBackend } from './poisoningBackend.ts';
import { bold, sineTask } from './support.ts';

const options: TrainOptions = { duration: { steps: 40 }, batch: 7, seed: 3, evaluateEvery: 4 };
const env = () => ({ backend: referenceBackend(), clock: () => 0 });

describe('a run that diverges', () => {
  it('fails without more ado where it may not go back', async () => {
    const error = errorOf(await train(env(), sineTask(), bold, options)());
    expect(errorOf(await trainWithBackoff(env(), sineTask(), bold, options, { atMost: 0 })())).toEqual(error);
    expect(error._tag).toBe('NonFinite');
  });

  it('law: goes back with λ raised, takes each step once in the end, and holds nothing of the backend', async () => {
    const said: Array<string> = [];
    const { backend, live, openScopes } = poisoningBackend();
    const result = orThrow(
      await trainWithBackoff({ backend, clock: () => 0 }, sineTask(), bold, options, {
        atMost: 6,
        factor: 1000,
        every: 1,
        told: (sentence) => said.push(sentence),
      })(),
    );
    expect(said.length).toBeGreaterThan(0);
    expect(said[0]).toMatch(
      /goes back to step \d+ with λ times 1000 \(1 of at most 6 times\)\. .*not finite|makes no sense/,
    );
    expect(result.history.map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    expect(result.history.at(-1)?.metrics['damping']).toBeCloseTo(1e-7 * 1000 ** said.length, 10);
    expect(result.state.scalars['backoffs']).toBe(said.length);
    expect([live.size, openScopes()]).toEqual([0, 0]);
  });

  it('fails in the end where going back is of no use, with the steps that led there', async () => {
    const said: Array<string> = [];
    const backoff = { atMost: 2, factor: 1.01, every: 1, told: (sentence: string) => said.push(sentence) };
    expect(errorOf(await trainWithBackoff(env(), sineTask(), bold, options, backoff)())._tag).toBe('NonFinite');
    expect(said).toHaveLength(2);
  });

  it('fails where there is no λ to raise', async () => {
    const wild = sgd({ learningRate: 1e5 });
    const said: Array<string> = [];
    const backoff = { atMost: 3, every: 1, told: (sentence: string) => said.push(sentence) };
    expect(errorOf(await trainWithBackoff(env(), sineTask(), wild, options, backoff)())._tag).toBe('NonFinite');
    expect(said).toEqual([]);
  });

  it('goes on from a checkpoint with the count that it had', async () => {
    const kept: Array<Snapshot> = [];
    const saving: TrainOptions['saving'] = {
      isDue: ({ isLast }) => isLast,
      save: (snapshot) => TE.fromIO(() => kept.push(snapshot)),
    };
    const backoff = { atMost: 6, factor: 1000, every: 1 };
    const whole = orThrow(await trainWithBackoff(env(), sineTask(), bold, options, backoff)());
    const shorter = { ...options, duration: { steps: 30 } };
    orThrow(await trainWithBackoff(env(), sineTask(), bold, { ...shorter, saving }, backoff)());
    const resumed = orThrow(
      await trainWithBackoff(env(), sineTask(), bold, { ...options, resume: kept[0] }, backoff)(),
    );
    expect(resumed.state).toEqual(whole.state);
  });
});
