/** Links in a run's folder: whoever may write there may not say where else a run writes, or what it takes away. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { runCli } from '../../../src/pipelines/cli/run.ts';
import { nodeFileSystem } from '../../../src/pipelines/files/fileSystem.ts';
import { supervised } from '../../../src/pipelines/tasks/supervised.ts';
import { mlp } from '../../support/training.ts';
import { recordingWorld } from '../support.ts';
import { sineTask } from '../trainer/support.ts';

const task = supervised({
  ...{ name: 'sine', model: mlp([3, 5, 1]), loss: squaredError, data: sineTask().data },
  defaults: { steps: 4, batch: 8 },
});

const kfac = async (args: string) => {
  const world = recordingWorld(nodeFileSystem);
  const all = `train sine --optimizer adam --backend reference --json ${args}`.split(' ');
  return { code: await runCli(world, all, { tasks: [task] })(), errors: world.errLines.join('\n') };
};

let directory = '';
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'kfac-'))));
afterEach(() => rmSync(directory, { recursive: true }));

const folders = () => {
  const [elsewhere, run] = [join(directory, 'elsewhere'), join(directory, 'run')];
  [elsewhere, run].forEach((folder) => mkdirSync(folder));
  return { elsewhere, run };
};

it.each(['checkpoints', 'tensorboard'])('law: nothing is written where a link %s leads', async (name) => {
  const { elsewhere, run } = folders();
  symlinkSync(elsewhere, join(run, name));
  const { code, errors } = await kfac(`--checkpoint-every 2 --tensorboard --out ${run}`);
  expect(errors).toMatch(/a link is in the way, and is not followed/);
  expect(code).toBe(name === 'checkpoints' ? 1 : 0); // whose end is to be saved, and is not
  expect(readdirSync(elsewhere)).toEqual([]);
  expect(readdirSync(run)).toContain('adam.safetensors');
});

it('law: a report’s file takes the place of a link, and not of what that leads to', async () => {
  const { elsewhere, run } = folders();
  writeFileSync(join(elsewhere, 'file'), 'theirs');
  symlinkSync(join(elsewhere, 'file'), join(run, 'adam.safetensors'));
  expect((await kfac(`--out ${run}`)).code).toBe(0);
  expect(readFileSync(join(elsewhere, 'file'), 'utf8')).toBe('theirs');
});

it('law: nothing is taken away where a link leads', async () => {
  const { elsewhere, run } = folders();
  expect((await kfac(`--checkpoint-every 2 --tensorboard --out ${run}`)).code).toBe(0);
  for (const name of ['checkpoints', 'tensorboard']) {
    cpSync(join(run, name), join(elsewhere, name), { recursive: true });
    rmSync(join(run, name), { recursive: true });
    symlinkSync(join(elsewhere, name), join(run, name));
  }
  const before = readdirSync(elsewhere, { recursive: true }).toSorted();
  const { code, errors } = await kfac(`--out ${run} --replace`);
  expect([code, errors]).toEqual([1, expect.stringMatching(/a link is in the way, and is not followed/)]);
  rmSync(join(run, 'checkpoints'));
  expect((await kfac(`--out ${run} --replace`)).code).toBe(1);
  expect(readdirSync(elsewhere, { recursive: true }).toSorted()).toEqual(before);
});
