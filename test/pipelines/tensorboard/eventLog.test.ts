/** Event files while a run goes on: what is told where it goes back, and when factors are looked at. */
import * as TE from 'fp-ts/lib/TaskEither.js';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { eventLog } from '../../../src/pipelines/tensorboard/eventLog.ts';
import { memoryFiles } from '../support.ts';
import { countedIn } from './eventFile.ts';

const logIn = (files: ReturnType<typeof memoryFiles>) =>
  eventLog(files, {
    directory: TE.right('board'),
    date: () => new Date(1000),
    every: 3,
    warn: (sentence) => () => {
      throw new Error(sentence);
    },
  });

describe('eventLog', () => {
  it('law: a run that goes back has every step once, as it was the last time', async () => {
    const files = memoryFiles({});
    const { listener } = logIn(files);
    for (const [i, step] of [1, 2, 3, 2, 3, 4].entries()) {
      await listener({ event: 'step', step, seconds: 0, loss: i, metrics: {} })();
    }
    const counted = countedIn([...files.content.values()]).filter(({ values }) => values.length > 0);
    expect(counted.map(({ step, values: [{ value }] }) => [step, value])).toEqual([
      [1, 0],
      [2, 3],
      [3, 4],
      [4, 5],
    ]);
  });

  it('factors are looked at every so many steps and where no step follows, and not before the first', () => {
    const { isDue } = logIn(memoryFiles({})).saving(referenceBackend());
    const due = [0, 1, 2, 3, 4, 5, 6, 7].filter((step) => isDue({ step, seconds: 0, isLast: step === 7 }));
    expect(due).toEqual([3, 6, 7]);
  });
});
