/** Processes that train together notice where they are not of one mind. */
import * as E from 'fp-ts/lib/Either.js';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { anyOf, checkSame, digestOf, toldTexts } from '../../../src/core/parallel/agreement.ts';
import type { Collective } from '../../../src/core/parallel/collective.ts';
import { simulated, single } from '../../../src/core/parallel/simulated.ts';
import { distributed } from '../../../src/core/parallel/spread/distributed.ts';
import { takeStep } from '../../../src/core/pipeline/takeStep.ts';
import { placeState } from '../../../src/core/pipeline/transfer.ts';
import { settledForecast } from '../../../src/pipelines/trainer/counted.ts';
import { optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { sineTask } from '../../pipelines/trainer/support.ts';
import { orThrow } from '../../support/training.ts';

/** Two ranks, of which the second tells something else of itself than the first. */
const ofTwoMinds: Collective = {
  ...simulated(2),
  allGather: ([mine, theirs], lengths, out) =>
    simulated(2).allGather([mine, Int32Array.from(theirs, (value) => value ^ 1)], lengths, out),
};

describe('agreement', () => {
  it('anyOf: one of several is enough, and a process by itself asks nobody', () => {
    expect([true, false].map((said) => anyOf(simulated(3), said))).toEqual([true, false]);
    expect([true, false].map((said) => anyOf(single(), said))).toEqual([true, false]);
  });

  it('toldTexts: a text of each, cut where it is long', () => {
    expect(toldTexts(simulated(2), 'høst')).toEqual(['høst', 'høst']);
    expect(toldTexts(simulated(1), 'x'.repeat(300))[0]).toHaveLength(256);
  });

  it('checkSame: names what differs, and the rank', () => {
    const digests = { code: Int32Array.of(1, 2), data: Int32Array.of(3) };
    expect(checkSame(simulated(2), digests)).toEqual(E.right(undefined));
    expect(checkSame(ofTwoMinds, digests)).toEqual(
      E.left({
        _tag: 'CollectiveFailed',
        operation: 'comparing code',
        rank: 1,
        reason: 'it has other code than rank 0',
      }),
    );
  });

  it('digestOf: differs where a bit does, wherever it is, where signs do, and where vectors are in another order', () => {
    const x = Float32Array.from({ length: 9 }, (_, i) => Math.sin(i));
    const digests = [...x.keys()].map((at) => {
      const other = x.slice();
      new Int32Array(other.buffer)[at] ^= 1;
      return digestOf([other]).join();
    });
    expect(new Set([...digests, digestOf([x]).join()]).size).toBe(10);
    const pairs = [...x.keys()].flatMap((one) => [...x.keys()].slice(one + 1).map((other) => [one, other]));
    const turned = pairs.map((pair) => digestOf([x.map((value, at) => (pair.includes(at) ? -value : value))]).join());
    expect(new Set([...turned, digestOf([x]).join()]).size).toBe(37);
    const y = Float32Array.of(1, 2);
    expect(digestOf([x, y])).not.toEqual(digestOf([y, x]));
    expect(digestOf([x, y])).toEqual(digestOf([x.slice(), y.slice()]));
  });

  it('a step after which replicas differ is an error that names the rank, every hundred steps', async () => {
    const task = sineTask();
    const batch = task.data.train.batch(Int32Array.of(0, 1, 2));
    const { step, state } = orThrow(settledForecast(task, orThrow(optimizerOf('sgd')), batch, 1));
    const after = async (collective: Collective, done: number) => {
      const backend = distributed(referenceBackend(), collective);
      return takeStep({ backend, clock: () => 0 }, step, placeState(backend.ops, { ...state, step: done }), batch)();
    };
    expect((await after(simulated(2), 99))._tag).toBe('Right');
    expect((await after(ofTwoMinds, 98))._tag).toBe('Right');
    expect(await after(ofTwoMinds, 99)).toMatchObject({
      left: { _tag: 'CollectiveFailed', operation: 'comparing parameters', rank: 1 },
    });
  });
});
