/** What is left of a run that went back: each step once, as it was the last time, and looks of those steps alone. */
import * as TE from 'fp-ts/lib/TaskEither.js';

import { referenceBackend } from '../../src/core/backends/reference/backend.ts';
import type { Outcome } from '../../src/pipelines/experiment.ts';
import { runExperiment } from '../../src/pipelines/experiment.ts';
import type { Preview, Task } from '../../src/pipelines/tasks/task.ts';
import type { Backoff } from '../../src/pipelines/trainer/backoff.ts';
import type { TrainEvent } from '../../src/pipelines/trainer/events.ts';
import { orThrow } from '../support/training.ts';
import { bold, sineTask } from './trainer/support.ts';

/** Nothing is seen, but whether it was looked at is. */
const growing: Preview = { look: () => TE.right({}), isGrowing: true, show: () => [] };

const options = { duration: { steps: 40 }, batch: 7, seed: 3, evaluateEvery: 1 };

/** What became of a run, and all that was told of it on the way. */
const ran = async (
  backoff: Backoff,
): Promise<{ readonly outcome: Outcome; readonly told: ReadonlyArray<TrainEvent> }> => {
  const { data, ...learning } = sineTask();
  const task: Task = {
    ...learning,
    ...{ size: 'full', description: '', settings: {}, kept: {}, skills: {}, preview: growing },
    defaults: { steps: 40, batch: 7 },
    load: () => TE.left({ _tag: 'FileFailed', path: 'sine', operation: 'read', reason: 'it is there already' }),
  };
  const told: Array<TrainEvent> = [];
  const [outcome] = orThrow(
    await runExperiment(
      { backend: referenceBackend(), clock: () => 0 },
      {
        ...{ task, data, optimizers: [bold], options, backoff },
        observe: () => () => ({ listeners: [(event) => () => void told.push(event)], stop: () => undefined }),
        conclude: (each) => () => each,
      },
    )(),
  );
  return { outcome, told };
};

const stepsOf = (events: ReadonlyArray<{ readonly step: number }>): ReadonlyArray<number> =>
  events.map(({ step }) => step);
const upTo = (last: number): ReadonlyArray<number> => Array.from({ length: last }, (_, i) => i + 1);

describe('an experiment whose run goes back', () => {
  it('law: and fails, has the events of the course that it failed on', async () => {
    const { outcome, told } = await ran({ atMost: 2, factor: 1.01, every: 1 });
    if (outcome._tag !== 'Failed') throw new Error('expected a failure');
    const steps = outcome.events.filter(({ event }) => event === 'step');
    const all = told.filter(({ event }) => event === 'step');
    expect(all.length).toBeGreaterThan(steps.length);
    expect(stepsOf(steps)).toEqual(upTo(steps.length));
    expect(steps).toEqual(steps.map(({ step }) => all.findLast((event) => event.step === step)));
    const evaluations = outcome.events.filter(({ event }) => event === 'evaluation');
    expect(stepsOf(evaluations)).toEqual(upTo(evaluations.length));
    expect(outcome.isBegun).toBe(true);
  });

  it('law: and comes to its end, has a look of each evaluation, once', async () => {
    const { outcome, told } = await ran({ atMost: 6, factor: 1000, every: 1 });
    if (outcome._tag !== 'Finished') throw new Error('expected an end');
    expect(told.filter(({ event }) => event === 'evaluation').length).toBeGreaterThan(40);
    expect(stepsOf(outcome.earlier)).toEqual(upTo(40));
  });
});
