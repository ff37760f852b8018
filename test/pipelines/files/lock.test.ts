import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

import { nodeFileSystem } from '../../../src/pipelines/files/fileSystem.ts';
import { lockName } from '../../../src/pipelines/files/lock.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';

let above: string;
let directory: string;
let path: string;

beforeEach(() => {
  above = mkdtempSync(join(tmpdir(), 'kfac-'));
  directory = join(above, 'run');
  path = join(directory, lockName);
});

afterEach(() => rmSync(above, { recursive: true }));

const lock = () => nodeFileSystem.lock(directory)();

const left = (content: string): void => {
  mkdirSync(directory);
  writeFileSync(path, content);
};

const owner = (process: number, host = hostname()): string =>
  JSON.stringify({ process, host, since: '2026-01-31T14:25:01.000Z' });

/** A process that has ended. */
const ended = (): number => spawnSync(process.execPath, ['-e', '']).pid;

describe('the lock of a directory', () => {
  it('keeps a second run out, and says who has it, until it is given back', async () => {
    const release = orThrow(await lock());
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ process: process.pid, host: hostname() });
    expect(errorOf(await lock())).toMatchObject({
      _tag: 'FileFailed',
      path: directory,
      operation: 'write',
      reason: expect.stringMatching(
        new RegExp(
          `^another run, process ${process.pid} on .* since 2.*, writes there; if it does not, delete .*${lockName}$`,
        ),
      ) as string,
    });
    await release();
    await orThrow(await lock())();
  });

  if (process.platform === 'linux') {
    it('is no one’s where it is of a process that has ended and that nobody has asked how', async () => {
      // The shell becomes a program that never asks after the child which it has inherited.
      const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60']);
      const child = await new Promise<number>((found) => {
        parent.stdout.once('data', (line: Buffer) => found(Number(line.toString())));
      });
      const state = (): string => readFileSync(`/proc/${child}/stat`, 'latin1').split(') ')[1][0];
      while (state() !== 'Z') await new Promise((next) => setTimeout(next, 5));
      left(owner(child));
      await orThrow(await lock())();
      parent.kill();
    });
  }

  it('leaves nothing of itself: not the file, nor a directory that was made for it and is empty', async () => {
    await orThrow(await lock())();
    expect(readdirSync(above)).toEqual([]);
    const release = orThrow(await lock());
    writeFileSync(join(directory, 'config.json'), '{}');
    await release();
    expect(readdirSync(directory)).toEqual(['config.json']);
  });

  it('law: of many that ask at once one gets it', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, lock));
    expect(all.filter(({ _tag }) => _tag === 'Right')).toHaveLength(1);
  });

  it('of a process that is no more is anyone’s', async () => {
    left(owner(ended()));
    await orThrow(await lock())();
    expect(existsSync(directory)).toBe(false);
  });

  it.each([
    ['of a process that goes on', () => owner(process.ppid)],
    ['of another machine, of which nothing is known', () => owner(ended(), 'elsewhere')],
    ['that says nothing', () => ''],
    ['that says something else', () => '{"process": "mine"}'],
  ])('one %s is respected', async (_, content) => {
    const text = content();
    left(text);
    expect(errorOf(await lock())).toMatchObject({ _tag: 'FileFailed', path: directory });
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('a directory that cannot be made is an error', async () => {
    writeFileSync(directory, '');
    expect(errorOf(await lock())).toMatchObject({ _tag: 'FileFailed', path: directory, operation: 'write' });
  });
});
