import * as E from 'fp-ts/lib/Either.js';

import type { FactorisationError, Job } from '../../../../src/core/backends/native/job.ts';
import { runNow } from '../../../../src/core/backends/native/job.ts';
import { createSchedule } from '../../../../src/core/backends/native/schedule.ts';

const large = 1e9;

/** A schedule whose ways to run a job leave notes. */
const observed = (
  threads?: number,
): { readonly schedule: ReturnType<typeof createSchedule>; readonly notes: Array<string> } => {
  const notes: Array<string> = [];
  const kernels: Parameters<typeof createSchedule>[0] = {
    small: (call) => {
      notes.push('small');
      return call();
    },
    runNow: (job) => {
      const result = runNow(job);
      notes.push(`now ${JSON.stringify(result)}`);
      return result;
    },
    run: (job) => () => {
      const result = runNow(job);
      notes.push(`beside ${JSON.stringify(result)}`);
      return Promise.resolve(result);
    },
  };
  return { schedule: createSchedule(kernels, threads), notes };
};

const giving =
  (value: number): Job<number> =>
  () =>
    E.right({ calls: [], result: () => value });

describe('schedule', () => {
  it('runs a job that is alone on this thread', async () => {
    const { schedule, notes } = observed();
    expect(await schedule.run(large, giving(1))()).toEqual(E.right(1));
    expect(await schedule.run(large, giving(2))()).toEqual(E.right(2));
    expect(notes.map((note) => note.slice(0, 3))).toEqual(['now', 'now']);
  });

  it('runs a job of a small matrix as a small call', async () => {
    const { schedule, notes } = observed();
    expect(await schedule.run(10, giving(1), 65)()).toEqual(E.right(1));
    expect(await schedule.run(large, giving(2), 159)()).toEqual(E.right(2));
    expect(await schedule.run(large, giving(3), 160)()).toEqual(E.right(3));
    expect(notes.map((note) => note.slice(0, 5))).toEqual(['small', 'now {', 'small', 'now {', 'now {']);
  });

  it('runs jobs of one turn beside each other, the largest first, and small ones at once', async () => {
    const { schedule, notes } = observed();
    const results = await Promise.all([
      schedule.run(large, giving(1))(),
      schedule.run(3 * large, giving(2))(),
      schedule.run(10, giving(3))(),
      Promise.resolve().then(schedule.run(2 * large, giving(4))), // later, but in the same turn
    ]);
    expect(results).toEqual([1, 2, 3, 4].map((value) => E.right(value)));
    expect(notes.map((note) => note.split(' ')[0])).toEqual(['now', 'beside', 'beside', 'beside']);
    expect(notes.map((note) => /"right":(\d)/.exec(note)?.[1])).toEqual(['3', '2', '4', '1']);
  });

  it('runs all jobs on this thread where there is one for all', async () => {
    const { schedule, notes } = observed(1);
    const results = await Promise.all([schedule.run(large, giving(1))(), schedule.run(3 * large, giving(2))()]);
    expect(results).toEqual([E.right(1), E.right(2)]);
    expect(notes.map((note) => note.split(' ')[0])).toEqual(['now', 'now']);
  });

  it('law: the input of a job has been read when its task has started', async () => {
    const { schedule } = observed();
    const input = Float64Array.of(5);
    const job: Job<number> = () => {
      const [copy] = input;
      return E.right({ calls: [], result: () => copy });
    };
    const first = schedule.run(large, job)();
    const second = schedule.run(large, job)();
    input[0] = 6;
    expect([await first, await second]).toEqual([E.right(5), E.right(5)]);
  });

  it('hands errors on, from before a job runs and from within', async () => {
    const { schedule } = observed();
    const error: FactorisationError = { _tag: 'NotPositiveDefinite', where: 'test', order: 3 };
    const call = { routine: Object.assign(() => 0, { async: () => undefined }), args: [], failure: () => error };
    expect(await schedule.run(large, () => E.left(error))()).toEqual(E.left(error));
    expect(await schedule.run(large, () => E.right({ calls: [call], result: () => 0 }))()).toEqual(E.left(error));
  });
});
