/**
 * Searches that train: what is kept from trials, what is told, what is resumed.
 */
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { model } from '../../../src/core/nn/model.ts';
import { generate } from '../../../src/core/tensor.ts';
import { datasetOf } from '../../../src/pipelines/data/dataset.ts';
import type { Dataset } from '../../../src/pipelines/data/dataset.ts';
import { supervised } from '../../../src/pipelines/tasks/supervised.ts';
import type { Loaded } from '../../../src/pipelines/tasks/task.ts';
import { parseRecord, recordText } from '../../../src/pipelines/tuning/records.ts';
import type { SearchRequest, TuneResult } from '../../../src/pipelines/tuning/search.ts';
import { searchOf } from '../../../src/pipelines/tuning/search.ts';
import { tuneText } from '../../../src/pipelines/tuning/tables.ts';
import type { TuneOptions } from '../../../src/pipelines/tuning/tune.ts';
import { tune, validating } from '../../../src/pipelines/tuning/tune.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';

const examplesOf = (name: string, size: number, first: number): Dataset =>
  orThrow(
    datasetOf(
      name,
      generate([size, 2], (i) => Math.sin(first + i)),
      generate([size, 1], (i) => Math.sin(first + 2 * i) - 0.5 * Math.sin(first + 2 * i + 1)),
    ),
  );

const splits = { train: examplesOf('train', 60, 0), test: examplesOf('test', 5, 500) };
const line = supervised({
  name: 'line',
  model: model('line', [2], dense({ in: 2, out: 1 })),
  loss: squaredError,
  data: splits,
});
const loaded: Loaded = { ...splits, task: line, warnings: [] };

/** A clock that goes on by a hundredth of a second whenever it is looked at. */
const env = () => {
  let looks = 0;
  return { backend: referenceBackend(), clock: () => (looks += 1) / 100 };
};

const asked: SearchRequest = { optimizers: ['sgd', 'adam'], trials: 4, budget: { steps: 8 }, seed: 3, seeds: [1, 2] };

const tuned = async (
  request: Partial<SearchRequest> = {},
  options: Partial<TuneOptions> = {},
  on: Loaded = loaded,
): Promise<ReadonlyArray<TuneResult>> =>
  orThrow(await tune(env(), on, orThrow(searchOf({ ...asked, ...request })), { batch: 10, ...options })());

describe('tune', () => {
  it('makes every run of the search, tells each, and judges trials and final runs on other examples', async () => {
    const told: Array<TuneResult> = [];
    const results = await tuned({}, { tell: (result) => TE.fromIO(() => void told.push(result)) });
    expect(told).toEqual(results);
    expect(results.map(({ optimizer, rung }) => `${optimizer} ${rung}`)).toEqual([
      ...Array.from({ length: 8 }, (_, i) => `${['sgd', 'adam'][i % 2]} 0`),
      ...Array.from({ length: 4 }, (_, i) => `${['sgd', 'adam'][i % 2]} 1`),
      ...Array.from({ length: 4 }, (_, i) => `${['sgd', 'adam'][i % 2]} null`),
    ]);
    expect(results.every(({ steps, budget }) => steps === budget)).toBe(true);
    expect(results.every(({ loss, error }) => loss !== null && loss > 0 && error === null)).toBe(true);
  });

  it('law: the test examples have no say in which settings are best', async () => {
    const other = { ...loaded, test: examplesOf('other', 5, 900) };
    const [results, others] = [await tuned(), await tuned({}, {}, other)];
    const losses = (all: ReadonlyArray<TuneResult>, isFinal: boolean) =>
      all.filter(({ rung }) => (rung === null) === isFinal).map(({ loss }) => loss);
    expect(losses(others, false)).toEqual(losses(results, false));
    expect(losses(others, true)).not.toEqual(losses(results, true));
  });

  it('law: a search that was ended and goes on is the one that was not, by steps', async () => {
    const timeless = (results: ReadonlyArray<TuneResult>) => results.map((result) => ({ ...result, seconds: 0 }));
    const whole = await tuned();
    const half: Array<TuneResult> = [];
    const ended = await tuned(
      {},
      { tell: (result) => TE.fromIO(() => void half.push(result)), goesOn: () => half.length < 7 },
    );
    expect(timeless(ended)).toEqual(timeless(whole.slice(0, 7)));
    expect(timeless(await tuned({}, { known: ended }))).toEqual(timeless(whole));
  });

  it('ends trials by their seconds of training', async () => {
    const results = await tuned({ budget: { seconds: 0.5 } });
    expect(new Set(results.map(({ budget }) => budget))).toEqual(new Set([0.25, 0.5]));
    for (const { seconds, budget, steps } of results) {
      expect(seconds).toBeGreaterThanOrEqual(budget);
      expect(seconds).toBeLessThan(budget + 0.2);
      expect(steps).toBeGreaterThan(1);
    }
  });

  it('takes a run that diverges for one that is worse than all others', async () => {
    const results = await tuned({ optimizers: ['sgd'], fixed: { sgd: { learningRate: 1e30 } } });
    expect(results.every(({ loss, error }) => loss === null && error !== null)).toBe(true);
    expect(tuneText(orThrow(searchOf(asked)), results, 'loss').join('\n')).toContain('failed');
  });

  it('ends where something else than numbers is wrong', async () => {
    const search = orThrow(searchOf(asked));
    const error = errorOf(await tune(env(), loaded, search, { batch: 1000 })());
    expect(error).toMatchObject({ _tag: 'BadConfig', path: 'batch' });
  });

  it('keeps a tenth of the training examples for trials, and no more than the test has', () => {
    const sizes = ({ train, test }: typeof splits) => [train.size, test.size];
    expect(sizes(orThrow(validating(splits)))).toEqual([55, 5]);
    expect(sizes(orThrow(validating({ ...splits, test: splits.train })))).toEqual([54, 6]);
    expect(E.isLeft(validating({ train: examplesOf('few', 4, 0), test: splits.test }))).toBe(true);
  });
});

describe('the record of a search', () => {
  it('law: what is written is read again, and what is cut off is refused with its line', async () => {
    const results = await tuned({ trials: 1 });
    const record = { asked: { task: 'line', flags: { trials: '1', json: true, set: ['a=1'] } }, results };
    const text = recordText(record);
    expect(orThrow(parseRecord('s', text))).toEqual(record);
    const cut = errorOf(parseRecord('s', text.slice(0, -20)));
    expect(cut).toMatchObject({ _tag: 'BadCheckpoint', source: 's' });
    expect(cut._tag === 'BadCheckpoint' && cut.expected).toContain(`in line ${results.length + 1}`);
    for (const wrong of ['', 'nothing', '{"search":2,"task":"line","flags":{}}']) {
      expect(errorOf(parseRecord('s', wrong))).toMatchObject({ _tag: 'BadCheckpoint' });
    }
  });
});
