/** `kfac train --resume`: a run that was ended, or killed, is the run that was not. */
import { createHash } from 'node:crypto';

import { runCli } from '../../../src/pipelines/cli/run.ts';
import type { Interrupted } from '../../../src/pipelines/interruptions.ts';
import type { MemoryFiles } from '../support.ts';
import { memoryFiles, recordingWorld, smallMnist } from '../support.ts';

interface Ran {
  readonly code: number;
  readonly errLines: ReadonlyArray<string>;
  readonly outLines: ReadonlyArray<string>;
}

const quick = '--data d --backend gpu --threads 1 --evaluate-every 3';

/** Runs the program; a line that fits the pattern is followed by a signal. */
const kfac = async (files: MemoryFiles, args: string, endAt: RegExp | null = null): Promise<Ran> => {
  let told: Interrupted | null = null;
  const world = recordingWorld(files);
  const noticed = (say: (line: string) => () => void) => (line: string) => () => {
    say(line)();
    if (endAt?.test(line) === true) told?.({ by: 'SIGTERM', exitCode: 143, isQuiet: false })();
  };
  const code = await runCli(
    {
      ...world,
      out: noticed(world.out),
      err: noticed(world.err),
      interruptions: (tell) => () => {
        told = tell;
        return () => (told = null);
      },
    },
    args.split(' '),
  )();
  return { code, errLines: world.errLines, outLines: world.outLines };
};

const data = () => memoryFiles(smallMnist('d', 30, 10));

const text = (files: MemoryFiles, path: string): string => new TextDecoder().decode(files.content.get(path));

/** What a run has left, but for times. */
const left = (files: MemoryFiles, directory: string, optimizer = 'kfac') => ({
  params: files.content.get(`${directory}/${optimizer}.safetensors`),
  metrics: text(files, `${directory}/metrics.jsonl`)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .map(({ event, step, loss, optimizer: of, testLoss }) => ({ event, step, loss, of, testLoss })),
});

const train = `train mnist-classifier --size small --batch 5 ${quick} --steps 12`;

describe('a run that was ended by a signal', () => {
  it('goes on to what it would have come to: one file of metrics, no step twice, none missing', async () => {
    const whole = data();
    expect((await kfac(whole, `${train} --out run`)).code).toBe(0);

    const files = data();
    const ended = await kfac(files, `${train} --out run --json`, /"step":5,/);
    expect(ended.code).toBe(143);
    expect(ended.errLines.at(-1)).toBe('kfac goes on from step 5 with: kfac train mnist-classifier --resume run');
    expect(left(files, 'run').metrics.filter(({ event }) => event === 'step')).toHaveLength(5);

    const resumed = await kfac(files, 'train mnist-classifier --resume run --json');
    expect(resumed.code).toBe(0);
    expect(JSON.parse(resumed.outLines[0])).toMatchObject({ event: 'step', step: 6 });
    expect(left(files, 'run')).toEqual(left(whole, 'run'));
  });

  it('with several optimizers goes on with the one that was under way and those after it', async () => {
    const compare = `compare mnist-classifier --size small --batch 5 ${quick} --steps 6 --optimizers kfac,adam,sgd`;
    const whole = data();
    expect((await kfac(whole, `${compare} --out run`)).code).toBe(0);

    const files = data();
    const ended = await kfac(files, `${compare} --out run --json --checkpoint-every 100`, /"step":3,.*"adam"/);
    expect(ended.code).toBe(143);
    const resumed = await kfac(files, 'compare mnist-classifier --resume run --json');
    const steps = resumed.outLines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .flatMap(({ event, optimizer, step }) => (event === 'step' ? [`${String(optimizer)} ${String(step)}`] : []));
    expect([steps[0], steps.length]).toEqual(['adam 4', 3 + 6]);
    for (const optimizer of ['kfac', 'adam', 'sgd']) {
      expect(left(files, 'run', optimizer)).toEqual(left(whole, 'run', optimizer));
    }
  });
});

/** The last checkpoint of a run with another document, and its hash. */
const withDocument = (files: MemoryFiles, change: (document: string) => string): Record<string, Uint8Array> => {
  const folder = `run/checkpoints/kfac/${text(files, 'run/checkpoints/kfac/latest').trim()}`;
  const before = text(files, `${folder}/checkpoint.json`);
  const forged = change(before);
  expect(forged).not.toBe(before);
  const hash = createHash('sha256').update(forged).digest('hex');
  const sums = text(files, `${folder}/SHA256SUMS`).replace(/^\w+(?= {2}checkpoint.json$)/m, hash);
  const bytes = (written: string): Uint8Array => new TextEncoder().encode(written);
  return { [`${folder}/checkpoint.json`]: bytes(forged), [`${folder}/SHA256SUMS`]: bytes(sums) };
};

describe('a run that was killed', () => {
  let [whole, found] = [data(), data()];

  /** What another process finds. */
  const killed = (): MemoryFiles => memoryFiles(Object.fromEntries(found.content));
  const latest = (): number => Number(text(found, 'run/checkpoints/kfac/latest').slice('step-'.length));

  beforeAll(async () => {
    whole = data();
    const world = recordingWorld(whole);
    const noticing = {
      ...world,
      out: (line: string) => () => {
        if (line.includes('"step":9,')) found = memoryFiles(Object.fromEntries(whole.content));
      },
    };
    await runCli(noticing, `${train} --out run --json --checkpoint-every 2 --keep 3`.split(' '))();
  });

  it('goes on from its last checkpoint, or from any other', async () => {
    for (const from of ['run', 'run/', 'run/checkpoints/kfac/step-000000002/']) {
      const files = killed();
      expect(files.content.has('run/config.json')).toBe(false);
      expect((await kfac(files, `train mnist-classifier --resume ${from} --json`)).code).toBe(0);
      expect(left(files, 'run')).toEqual(left(whole, 'run'));
    }
  });

  it('is a run that a directory holds', async () => {
    const files = killed();
    const refused = await kfac(files, `${train} --out run`);
    expect([refused.code, refused.errLines]).toEqual([1, [expect.stringContaining('--resume to go on with it')]]);
    const replaced = await kfac(files, `${train} --out run --replace --checkpoint-every 5`);
    expect(replaced.code).toBe(0);
    const checkpoints = [...files.content.keys()].flatMap(
      (name) => /kfac\/(step-\d+)\/checkpoint.json/.exec(name)?.[1] ?? [],
    );
    expect(new Set(checkpoints)).toEqual(new Set(['step-000000010', 'step-000000012']));
    await kfac(files, `${train} --out run --replace`);
    expect([...files.content.keys()].filter((name) => name.includes('checkpoints'))).toEqual([]);
  });

  it.each([
    ['--batch 6', 'batch 6, as in the run that goes on from it'],
    ['--seed 2', 'seed 2'],
    ['--lr 0.5', 'settings.learningRate 0.5'],
    ['--optimizer adam', '--optimizer: expected kfac, as in the checkpoint, or --fork'],
    ['--size full', '--size: expected small, as in the checkpoint, or --fork'],
    ['--hold 0', '--hold'],
    ['--steps 3', '--steps: expected at least the '],
  ])('law: what is not as it was is named, and nothing is touched: %s', async (flags, words) => {
    const files = killed();
    const before = new Map(files.content);
    const refused = await kfac(files, `train mnist-classifier --resume run ${flags}`);
    expect(refused.code).toBe(1);
    expect(refused.errLines.join('\n')).toContain(words);
    expect(files.content).toEqual(before);
  });

  it('of another task is refused by name', async () => {
    const files = killed();
    const refused = await kfac(files, 'train mnist-autoencoder --resume run');
    expect(refused.code).toBe(1);
    expect(refused.errLines.join('\n')).toContain('mnist-classifier');
  });

  it.each([
    ['context=4', '--with context: expected 8, as in the checkpoint, or --fork for a run of its own, got 4.'],
    [
      'network=lstm',
      '--with network: expected "gpt", as in the checkpoint, or --fork for a run of its own, got "lstm".',
    ],
  ])('law: a model of other settings is refused, with the first that differs: %s', async (setting, words) => {
    const files = memoryFiles({ 'book.txt': new TextEncoder().encode('call me ishmael. '.repeat(20)) });
    const small = '--with context=8 --with features=4 --with blocks=1 --with heads=1 --backend gpu --threads 1';
    const book = `train language-model --data book.txt --size small ${small} --optimizer adam --batch 4 --steps 2 --checkpoint-every 1`;
    expect((await kfac(files, `${book} --out run`)).code).toBe(0);
    const refused = await kfac(files, `train language-model --resume run --steps 4 --with ${setting}`);
    expect([refused.code, refused.errLines]).toEqual([1, [expect.stringContaining(words)]]);
  });

  it.each([
    ['e', '--data: expected examples as in the checkpoint, or --fork for a run of its own, got e.'],
    ['fewer', 'examples 20, as in the run that goes on from it, got 30'],
  ])('law: on other data it is refused, whatever their number: %s', async (folder, words) => {
    const another = smallMnist('e', 30, 10);
    another['e/train-images-idx3-ubyte'][5000] ^= 255;
    const files = memoryFiles({ ...Object.fromEntries(found.content), ...another, ...smallMnist('fewer', 20, 10) });
    const refused = await kfac(files, `train mnist-classifier --resume run --data ${folder}`);
    expect([refused.code, refused.errLines]).toEqual([1, [expect.stringContaining(words)]]);
  });

  it('goes on from a checkpoint that says nothing of its data', async () => {
    const files = killed();
    const changed = memoryFiles({
      ...Object.fromEntries(files.content),
      ...withDocument(files, (document) => document.replace(/"data": "[0-9a-f]{16} [0-9a-f]{16}",\s*/, '')),
    });
    expect((await kfac(changed, 'train mnist-classifier --resume run')).code).toBe(0);
    expect(left(changed, 'run')).toEqual(left(whole, 'run'));
  });

  it('is gone on with for longer, and forked with other settings', async () => {
    const files = killed();
    const forked = await kfac(files, 'train mnist-classifier --resume run --fork --lr 0.01 --out other');
    expect(forked.code).toBe(0);
    expect(left(files, 'other').metrics[0]).toMatchObject({ event: 'step', step: latest() + 1 });
    expect(files.content.has('run/config.json')).toBe(false);
    const adam = await kfac(files, 'train mnist-classifier --resume run --fork --optimizer adam --out third');
    expect(adam.code).toBe(0);
    const longer = await kfac(files, 'train mnist-classifier --resume run --steps 14');
    expect(longer.code).toBe(0);
    const steps = left(files, 'run').metrics.filter(({ event }) => event === 'step');
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 14 }, (_, i) => i + 1));
  });

  it('law: a checkpoint that someone has changed does not say where a report goes', async () => {
    const files = killed();
    const changed = memoryFiles({
      ...Object.fromEntries(files.content),
      ...withDocument(files, (document) => document.replace('"config": {', '"config": { "out": "elsewhere",')),
    });
    expect((await kfac(changed, 'train mnist-classifier --resume run')).code).toBe(0);
    expect([...changed.content.keys()].filter((path) => path.startsWith('elsewhere'))).toEqual([]);
    expect(left(changed, 'run')).toEqual(left(whole, 'run'));
  });

  it.each([
    ['train mnist-classifier --resume nowhere', '--resume: expected a run with checkpoints, or a checkpoint'],
    ['train mnist-classifier --fork', '--fork: expected --resume to say from what'],
    [`${train} --checkpoint-every often`, '--checkpoint-every: expected a number of steps, or minutes as in 10min'],
    [`${train} --keep 0`, '--keep: expected a whole number of at least 1'],
  ])('law: what cannot be is said before training: %s', async (args, words) => {
    const { code, errLines } = await kfac(data(), args);
    expect([code, errLines]).toEqual([1, [expect.stringContaining(words)]]);
  });
});
