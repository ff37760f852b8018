/** `--tensorboard`: every step once in the event files, whatever becomes of the run. */
import { join } from 'node:path';

import * as TE from 'fp-ts/lib/TaskEither.js';

import { runCli } from '../../../src/pipelines/cli/run.ts';
import type { FileSystem } from '../../../src/pipelines/files/fileSystem.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { supervised } from '../../../src/pipelines/tasks/supervised.ts';
import { mlp } from '../../support/training.ts';
import type { MemoryFiles } from '../support.ts';
import { memoryFiles, recordingWorld } from '../support.ts';
import type { ReadEvent } from '../tensorboard/eventFile.ts';
import { countedIn } from '../tensorboard/eventFile.ts';
import { sineTask } from '../trainer/support.ts';

const { data } = sineTask();
const task = supervised({
  ...{ name: 'sine', model: mlp([3, 5, 1]), loss: squaredError, data },
  defaults: { steps: 20, batch: 8 },
});

const kfac = async (stored: FileSystem, args: string) => {
  const world = recordingWorld(stored);
  return { ...world, code: await runCli(world, args.split(' '), { tasks: [task] })() };
};

const quick = 'sine --backend reference --json';
const files = memoryFiles;

/** Event files of a folder in the order in which TensorBoard reads them. */
const eventsOf = (stored: MemoryFiles, folder: string): ReadonlyArray<ReadEvent> =>
  countedIn(
    [...stored.content.keys()]
      .filter((name) => name.startsWith(`${join('here', 'tensorboard', folder)}/`))
      .toSorted()
      .map((name) => stored.content.get(name) ?? new Uint8Array()),
  );

const stepsOf = (events: ReadonlyArray<ReadEvent>, tag: string): ReadonlyArray<number> =>
  events.filter(({ values }) => values.some((value) => value.tag === tag)).map(({ step }) => step);

const upTo = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => i + 1);

describe('--tensorboard', () => {
  it('has every step, evaluation, factor and figure of each optimizer', async () => {
    const stored = files();
    const { code, errLines } = await kfac(
      stored,
      `compare ${quick} --optimizers kfac,adam --steps 6 --evaluate-every 3 --tensorboard --out here`,
    );
    expect([code, errLines]).toEqual([0, []]);
    const [curved, plain, drawn] = ['kfac', 'adam', 'figures'].map((folder) => eventsOf(stored, folder));
    for (const events of [curved, plain]) {
      expect(stepsOf(events, 'train/loss')).toEqual(upTo(6));
      expect(stepsOf(events, 'train/updateNorm')).toEqual(upTo(6));
      expect(stepsOf(events, 'seconds/forward')).toEqual(upTo(6));
      expect(stepsOf(events, 'test/loss')).toEqual([3, 6]);
    }
    const factors = curved.flatMap(({ step, values }) =>
      values.filter(({ kind }) => kind === 'histogram').map((value) => ({ step, ...value })),
    );
    expect(factors).toContainEqual({ step: 6, kind: 'histogram', tag: 'eigenvalues/0/A', value: 4 });
    expect(new Set(factors.map(({ step }) => step))).toEqual(new Set([3, 6]));
    expect(plain.flatMap(({ values }) => values).some(({ kind }) => kind === 'histogram')).toBe(false);
    expect(drawn.flatMap(({ values }) => values)).toContainEqual({ kind: 'image', tag: 'loss', value: 0 });
    expect(stepsOf(drawn, 'loss')).toEqual([6]);
  });

  it('law: a run that goes on has every step once, from events of its own or of the run before', async () => {
    const whole = `train ${quick} --optimizer adam --checkpoint-every 2`;
    for (const first of ['--tensorboard', '']) {
      const stored = files();
      expect((await kfac(stored, `${whole} --steps 6 ${first} --out here`.replace('  ', ' '))).code).toBe(0);
      const onward = await kfac(
        stored,
        `train ${quick} --steps 9 --tensorboard --resume here/checkpoints/adam/step-000000004`,
      );
      expect([onward.code, onward.errLines]).toEqual([0, []]);
      expect(stepsOf(eventsOf(stored, 'adam'), 'train/loss')).toEqual(upTo(9));
    }
  });

  it('a run that takes the place of another leaves none of its events, and nothing that is not an event of ours', async () => {
    const stored = files();
    await kfac(stored, `train ${quick} --optimizer adam --steps 5 --tensorboard --out here`);
    stored.content.set('here/tensorboard/adam/notes.txt', new Uint8Array([1]));
    await kfac(stored, `train ${quick} --optimizer sgd --steps 2 --tensorboard --out here --replace`);
    expect(eventsOf(stored, 'sgd').length).toBeGreaterThan(0);
    const left = [...stored.content.keys()].filter((name) => name.startsWith('here/tensorboard/adam/'));
    expect(left).toEqual(['here/tensorboard/adam/notes.txt']);
  });

  it('says once that events cannot be written, and trains on', async () => {
    const stored = files();
    const full: FileSystem = {
      ...stored,
      append: (path) => TE.left({ _tag: 'FileFailed', operation: 'write', path, reason: 'no space is left' }),
    };
    const { code, errLines, outLines } = await kfac(
      full,
      `train ${quick} --optimizer adam --steps 3 --tensorboard --out here`,
    );
    expect(outLines).toHaveLength(4);
    expect(errLines.filter((line) => line.includes('no more events are written for TensorBoard'))).toHaveLength(1);
    expect(code).toBe(0);
    expect([...stored.content.keys()]).toContain('here/adam.safetensors');
  });
});
