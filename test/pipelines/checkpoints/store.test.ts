/** Checkpoints in a folder: whole or not there, and a run that outlives every write that fails. */
import { spawnSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../../src/core/errors.ts';
import { describeError } from '../../../src/core/errors.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import type { CheckpointOptions } from '../../../src/pipelines/checkpoints/checkpointing.ts';
import { generate } from '../../../src/core/tensor.ts';
import { checkpointing } from '../../../src/pipelines/checkpoints/checkpointing.ts';
import { loadCheckpoint } from '../../../src/pipelines/checkpoints/files.ts';
import { checkpointName, loadLatest, saveCheckpoint } from '../../../src/pipelines/checkpoints/store.ts';
import type { FileSystem } from '../../../src/pipelines/files/fileSystem.ts';
import { nodeFileSystem } from '../../../src/pipelines/files/fileSystem.ts';
import type { TrainOptions } from '../../../src/pipelines/trainer/options.ts';
import type { Snapshot } from '../../../src/pipelines/trainer/snapshot.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import { adam } from '../../../src/solvers/presets/adam.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf, memoryFiles } from '../support.ts';
import { sineTask } from '../trainer/support.ts';

const options: TrainOptions = { duration: { steps: 12 }, batch: 7, seed: 3, evaluateEvery: 2 };

const run = (changes: Partial<TrainOptions> = {}) =>
  train({ backend: referenceBackend(), clock: () => 0 }, sineTask(), adam(), { ...options, ...changes })();

/** A run with checkpoints in a folder, and what was said of it. */
const running = async (files: FileSystem, directory: string, changes: Partial<CheckpointOptions> = {}) => {
  const said: Array<string> = [];
  const checkpoints = checkpointing(files, {
    every: { steps: 2 },
    keep: 2,
    directory: TE.right(directory),
    about: { of: 'a test' },
    warn: (sentence) => () => void said.push(sentence),
    savesLast: () => true,
    ...changes,
  });
  const result = orThrow(await run({ saving: checkpoints.saving }));
  return { result, last: await checkpoints.last(), failure: checkpoints.failure(), said };
};

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'kfac-checkpoints-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('checkpoints of a run', () => {
  it('are the last ones and the best one, and nothing else', async () => {
    const { result, last, said } = await running(nodeFileSystem, directory);
    const best = result.evaluations.toSorted((a, b) => a.loss - b.loss)[0].step;
    const expected = [...new Set([10, 12, best])].toSorted((a, b) => a - b).map(checkpointName);
    expect(readdirSync(directory).toSorted()).toEqual(['latest', ...expected]);
    expect(readdirSync(join(directory, checkpointName(12))).toSorted()).toEqual([
      'SHA256SUMS',
      'arrays.safetensors',
      'checkpoint.json',
    ]);
    expect([last?.step, said]).toEqual([12, []]);
    const found = orThrow(await loadLatest(nodeFileSystem, directory)());
    expect(found?.checkpoint.about).toEqual({ of: 'a test' });
    expect(found?.checkpoint.snapshot.state).toEqual(result.state);
  });

  it('come by the clock as well', async () => {
    const { last } = await running(nodeFileSystem, directory, { every: { minutes: 1 }, savesLast: () => false });
    expect(last).toBeNull(); // no time has passed
  });

  it('law: whatever write fails, training goes on, and what was saved before loads', async () => {
    const whole = orThrow(await run());
    const failing: KfacError = { _tag: 'FileFailed', path: 'x', operation: 'write', reason: 'no space is left' };
    for (let broken = 0; broken < 14; broken += 1) {
      const memory = memoryFiles();
      let writes = 0;
      const orFail = <A>(write: TE.TaskEither<KfacError, A>): TE.TaskEither<KfacError, A> =>
        pipe(
          TE.fromIO(() => (writes += 1) - 1),
          TE.chain((number) => (number === broken ? TE.left(failing) : write)),
        );
      const files: FileSystem = {
        ...memory,
        write: (path, content) => orFail(memory.write(path, content)),
        writeDirectory: (path, content) => orFail(memory.writeDirectory(path, content)),
      };
      const { result, said, failure } = await running(files, 'run');
      expect(result).toEqual(whole);
      const isAtEnd = broken >= 10;
      expect([broken, said.length, failure === null]).toEqual([broken, broken < 10 ? 1 : 0, !isAtEnd || broken > 11]);
      const found = orThrow(await loadLatest(memory, 'run')());
      expect(found?.checkpoint.snapshot.state.step).toBeGreaterThan(0);
    }
  });

  it('law: a disk that is full takes nothing from the run nor from the checkpoints before', async () => {
    const disk = join(directory, 'disk');
    mkdirSync(disk);
    const options = ['-t', 'tmpfs', '-o', 'size=48k', 'tmpfs', disk];
    if (spawnSync('mount', options).status !== 0) return; // for those who may
    try {
      const whole = orThrow(await run());
      const { result, said, failure } = await running(nodeFileSystem, join(disk, 'run'), { keep: 20 });
      expect(result).toEqual(whole);
      expect([...said, failure === null ? '' : describeError(failure)].join(' ')).toContain('no space is left');
      const { checkpoint } = orThrow(await loadLatest(nodeFileSystem, join(disk, 'run'))()) ?? {};
      expect(checkpoint?.snapshot.state.step).toBeGreaterThan(0);
      expect(readdirSync(join(disk, 'run')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
      if (checkpoint !== undefined) expect(orThrow(await run({ resume: checkpoint.snapshot }))).toEqual(whole);
    } finally {
      spawnSync('umount', [disk]);
    }
  });

  it('law: nothing that is not finite is saved over what was good', async () => {
    const said: Array<string> = [];
    const { saving, last } = checkpointing(nodeFileSystem, {
      every: { steps: 1 },
      keep: 1,
      directory: TE.right(directory),
      about: null,
      warn: (sentence) => () => void said.push(sentence),
      savesLast: () => true,
    });
    const spoiling: TrainOptions['saving'] = {
      ...saving,
      save: (snapshot, moment) => {
        const weight = snapshot.state.params['0.weight'];
        const broken = generate(weight.shape, (i) => (i === 3 ? NaN : weight.data[i]));
        const params = { ...snapshot.state.params, '0.weight': broken };
        return saving.save(moment.step < 5 ? snapshot : { ...snapshot, state: { ...snapshot.state, params } }, moment);
      },
    };
    orThrow(await run({ duration: { steps: 7 }, saving: spoiling }));
    expect((await last())?.step).toBe(4);
    expect(said[0]).toBe('the checkpoint of step 5 is not written: 0.weight is not finite.');
    expect(orThrow(await loadLatest(nodeFileSystem, directory)())?.checkpoint.snapshot.state.step).toBe(4);
  });

  it('law: from all of them the run goes on to where it went', async () => {
    const { result } = await running(nodeFileSystem, directory, { keep: 10 });
    for (const name of readdirSync(directory).filter((file) => file !== 'latest')) {
      const { snapshot } = orThrow(await loadCheckpoint(nodeFileSystem, join(directory, name))());
      expect(orThrow(await run({ resume: snapshot }))).toEqual(result);
    }
  });
});

describe('a checkpoint', () => {
  const saved = async (): Promise<string> => (await running(nodeFileSystem, directory)).last?.directory ?? '';

  it.each(['checkpoint.json', 'arrays.safetensors', 'SHA256SUMS'])(
    'law: one byte of %s that is another is found, and the one before it is taken',
    async (name) => {
      const path = join(await saved(), name);
      const bytes = readFileSync(path);
      bytes[Math.floor(bytes.length / 3)] ^= 1;
      writeFileSync(path, bytes);
      expect(errorOf(await loadCheckpoint(nodeFileSystem, join(directory, checkpointName(12)))())).toMatchObject({
        _tag: 'BadCheckpoint',
      });
      const found = orThrow(await loadLatest(nodeFileSystem, directory)());
      expect(found?.directory).toBe(join(directory, checkpointName(10)));
      expect(found?.warnings).toHaveLength(1);
    },
  );

  it('that `latest` names and that is gone is not missed', async () => {
    rmSync(await saved(), { recursive: true });
    const found = orThrow(await loadLatest(nodeFileSystem, directory)());
    expect(found?.checkpoint.snapshot.state.step).toBe(10);
  });

  it('half written by a process that was killed is cleared away by the next', async () => {
    mkdirSync(join(directory, 'step-000000004.999.tmp'));
    writeFileSync(join(directory, 'step-000000004.999.tmp', 'arrays.safetensors'), 'half');
    writeFileSync(join(directory, 'not-ours'), 'stays');
    await running(nodeFileSystem, directory);
    expect(readdirSync(directory).filter((name) => !name.startsWith('step-0000000'))).toEqual(['latest', 'not-ours']);
  });

  it('is checked by sha256sum', async () => {
    const { status } = spawnSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: await saved() });
    expect(status).toBe(0);
  });

  it('law: a link is not followed where one is written', async () => {
    const { kept } = await snapshotOf();
    const [outside, inside] = [join(directory, 'outside'), join(directory, 'run')];
    mkdirSync(outside);
    symlinkSync(outside, inside);
    const error = errorOf(await saveCheckpoint(nodeFileSystem, inside, { snapshot: kept, about: null })());
    expect(error).toMatchObject({ _tag: 'FileFailed', reason: 'a link is in the way, and is not followed' });
    expect(readdirSync(outside)).toEqual([]);
    expect(lstatSync(inside).isSymbolicLink()).toBe(true);
  });

  const snapshotOf = async (): Promise<{ readonly kept: Snapshot }> => {
    let kept: Snapshot | null = null;
    const saving = {
      isDue: ({ isLast }: { readonly isLast: boolean }) => isLast,
      save: (snapshot: Snapshot) => TE.fromIO(() => (kept = snapshot)),
    };
    orThrow(await run({ saving }));
    if (kept === null) throw new Error('nothing was saved');
    return { kept };
  };

  it('law: names outside the format are refused, and no prototype is set', async () => {
    const { kept } = await snapshotOf();
    const files = memoryFiles();
    const path = orThrow(await saveCheckpoint(files, 'run', { snapshot: kept, about: null })());
    const document = new TextDecoder().decode(files.content.get(`${path}/checkpoint.json`));
    const { createHash } = await import('node:crypto');
    const loaded = async (text: string) => {
      const bytes = new TextEncoder().encode(text);
      files.content.set(`${path}/checkpoint.json`, bytes);
      const sums = new TextDecoder().decode(files.content.get(`${path}/SHA256SUMS`));
      const hash = createHash('sha256').update(bytes).digest('hex');
      const changed = sums.replace(/^[0-9a-f]{64} {2}checkpoint.json$/m, `${hash}  checkpoint.json`);
      files.content.set(`${path}/SHA256SUMS`, new TextEncoder().encode(changed));
      return loadCheckpoint(files, path)();
    };
    expect(E.isRight(await loaded(document))).toBe(true);
    for (const [from, to] of [
      ['"scalars": {', '"scalars": { "__proto__": { "polluted": 1 }, '],
      ['"array": "params/0.weight"', '"array": "../../etc/passwd"'],
      ['"array": "params/0.weight"', '"array": "__proto__"'],
      ['"version": 1', '"version": 2'],
      ['"updates": 0', '"updates": -1'],
      ['"prepared": null', '"prepared": { "_tag": "constructor" }'],
      [
        '"prepared": null',
        `"prepared": ${'{"_tag":"scaled","factor":1,"operator":'.repeat(20000)}1${'}'.repeat(20000)}`,
      ],
    ] as const) {
      expect(document).toContain(from);
      expect(errorOf(await loaded(document.replace(from, to)))).toMatchObject({ _tag: 'BadCheckpoint' });
    }
    expect('polluted' in {}).toBe(false);
  });
});
