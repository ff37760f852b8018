/**
 * The built program, on real data, as a person would run it. Needs `npm run build` first, as `npm test` does.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { PNG } from 'pngjs';

import { directoryOfTests, program, runAlone, servedToTests } from '../../support/program.ts';
import { idxFile, smallMnist } from '../support.ts';

const directory = directoryOfTests();

/** A directory for runs, so that what they leave there shows. */
const cwd = (): string => {
  const path = join(directory(), 'cwd');
  mkdirSync(path, { recursive: true });
  return path;
};

const kfac = servedToTests(cwd);

const lines = (text: string): ReadonlyArray<Record<string, unknown>> =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** A small data set in the form of MNIST, with files replaced. */
const dataWith = (name: string, replaced: Readonly<Record<string, Uint8Array>> = {}): string => {
  const data = join(directory(), name);
  const replacing = Object.entries(replaced).map(([file, content]) => [join(data, file), content] as const);
  for (const [path, bytes] of [...Object.entries(smallMnist(data)), ...replacing]) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  return data;
};

/** A run that would take a minute. */
const long = (): ReadonlyArray<string> => {
  const data = ['--data', dataWith('stripes'), '--batch', '10'];
  return [
    'train',
    'mnist-classifier',
    '--size',
    'small',
    ...data,
    ...'--optimizer adam --steps 100000 --threads 1'.split(' '),
  ];
};

/** The long run, to be ended once it has begun: its first line of progress. */
const endedBy = (signal: NodeJS.Signals, times: number) =>
  new Promise<{ readonly code: number | null; readonly err: string; readonly report: string }>((resolveWith) => {
    const report = join(directory(), `ended-by-${signal}-${times}`);
    const child = spawn(process.execPath, [program, ...long(), '--out', report], {
      env: { ...process.env, NO_COLOR: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let err = '';
    child.stderr.on('data', (text: Buffer) => {
      const isFirst = !err.includes('adam 1/');
      err += text.toString();
      if (isFirst && err.includes('adam 1/')) for (let i = 0; i < times; i += 1) child.kill(signal);
    });
    child.on('close', (code) => resolveWith({ code, err, report }));
  });

describe('a run that is ended', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s leaves what it has, and the signal’s code', async (signal, expected) => {
    const { code, err, report } = await endedBy(signal, 1);
    expect(code).toBe(expected);
    expect(err).toMatch(new RegExp(`adam was stopped by ${signal} after \\d+ of 100000 steps\\.`));
    expect(readdirSync(report).toSorted()).toEqual([
      'adam.safetensors',
      'checkpoints',
      'config.json',
      'loss.png',
      'loss.svg',
      'metrics.jsonl',
      'report.txt',
    ]);
    const events = lines(readFileSync(join(report, 'metrics.jsonl'), 'utf8'));
    expect(events.at(-1)).toMatchObject({ event: 'done', steps: events.length - 1, stoppedBy: signal });
  });

  it.each([
    ['head that has seen enough', '| head -n 1', 0],
    ['a full disk', '> /dev/full', 1],
  ])('by output that nobody takes, %s, leaves what it has', (_, into, expected) => {
    if (!existsSync('/dev/full')) return;
    const report = join(directory(), `into-${expected}`);
    const command = `${process.execPath} ${program} ${long().join(' ')} --json --out ${report} ${into}`;
    const { status, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', command], { encoding: 'utf8' });
    expect(status).toBe(expected);
    expect(stderr === '').toBe(expected === 0);
    expect(readFileSync(join(report, 'report.txt'), 'utf8')).toMatch(/adam was stopped by .* of 100000 steps\./);
    expect(existsSync(join(report, 'adam.safetensors'))).toBe(true);
  });
});

describe('kfac on real MNIST', () => {
  it('train --json: a line per step, and the loss over the whole training set at the end', () => {
    const command =
      'train mnist-classifier --size small --optimizer kfac --steps 20 --backend gpu --gpu-mode webasm --json';
    const { code, out, err } = runAlone(command.split(' '), { cwd: cwd() });
    expect(err).toBe('');
    expect(code).toBe(0);
    const events = lines(out);
    expect(events).toHaveLength(21);
    for (const [i, event] of events.slice(0, 20).entries()) {
      expect(event).toMatchObject({ event: 'step', step: i + 1 });
      expect(event['loss']).toEqual(expect.any(Number));
      expect(event['seconds']).toEqual(expect.any(Number));
    }
    const done = events[20];
    expect(done).toMatchObject({ event: 'done', optimizer: 'kfac', steps: 20, seconds: events[19]['seconds'] });
    expect(done['rssMb']).toBeGreaterThan(10);
    // log 10 = 2.30 is chance.
    expect(done['trainLoss']).toBeLessThan(1);
    expect(readdirSync(join(directory(), 'cwd'))).toEqual([]);
  });

  it('fashion-classifier: says that digits take the place of garments, and learns them by K-FAC in twenty steps', async () => {
    const { code, out, err } = await kfac(
      'train fashion-classifier --size small --optimizer kfac --steps 20 --backend portable --json'.split(' '),
    );
    expect(err.trim()).toBe(
      'warning: Fashion-MNIST: no directory is named with --data, so these are the digits of MNIST.',
    );
    expect(code).toBe(0);
    const done = lines(out)[20];
    expect(done).toMatchObject({ event: 'done', optimizer: 'kfac', steps: 20 });
    expect((done['test'] as { readonly accuracy: number }).accuracy).toBeGreaterThan(0.85);
  });

  it('train --config: an optimizer of parts from a file', async () => {
    const file = join(directory(), 'parts.yaml');
    writeFileSync(
      file,
      `
steps: 10
size: small
optimizer:
  name: chained-cg
  estimator: exact
  curvature: { kind: bySite, parts: [{ sites: ['2'], curvature: { kind: classKfac, classes: 10 } }], rest: kfac }
  solver: { kind: cg, damping: 1, every: 5, maxIterations: 10, tolerance: 1e-3 }
  update: { quadraticModel: { fraction: 0.5 }, levenbergMarquardt: { every: 5 } }
`,
    );
    const { code, out, err } = await kfac([
      'train',
      'mnist-classifier',
      '--config',
      file,
      '--backend',
      'gpu',
      '--gpu-mode',
      'webasm',
      '--json',
    ]);
    expect(err).toBe('');
    expect(code).toBe(0);
    const events = lines(out);
    expect(events).toHaveLength(11);
    expect(events[10]).toMatchObject({ event: 'done', optimizer: 'chained-cg', steps: 10 });
    expect(events[10]['trainLoss']).toBeLessThan(1);
  });

  it('compare: one table, one figure, one grid of reconstructions', async () => {
    const report = join(directory(), 'report');
    const flags = `--size small --optimizers kfac,adam --steps 3 --out ${report}`;
    const { code, out } = await kfac(`compare mnist-autoencoder ${flags}`.split(' '));
    expect(code).toBe(0);
    expect(out).toMatch(/optimizer +steps[^]*\nkfac +3 [^]*\nadam +3 /);
    expect(readdirSync(report).toSorted()).toEqual([
      'adam.safetensors',
      'config.json',
      'kfac.safetensors',
      'loss.png',
      'loss.svg',
      'metrics.jsonl',
      'reconstructions.png',
      'report.txt',
    ]);
    const grid = PNG.sync.read(readFileSync(join(report, 'reconstructions.png')));
    expect(grid.width).toBeGreaterThan(10 * 28);
    const steps = lines(readFileSync(join(report, 'metrics.jsonl'), 'utf8')).filter(({ step }) => step === 1);
    expect(steps.map(({ optimizer }) => optimizer)).toEqual(['kfac', 'adam']);
    expect(steps[1]['loss']).toBe(steps[0]['loss']);
  });

  it('summary', async () => {
    const { code, out } = await kfac(['summary', 'mnist-autoencoder']);
    expect(code).toBe(0);
    expect(out).toContain('dense 784 → 1000');
    expect(out).toContain('2,837,314 parameters');
  });

  it('doctor --json: one line', async () => {
    const { code, out } = await kfac(['doctor', '--json']);
    expect(code).toBe(0);
    expect(lines(out)).toHaveLength(1);
  });

  it('doctor: text for people', () => {
    const { code, out } = runAlone(['doctor'], { cwd: cwd() });
    expect(code).toBe(0);
    expect(out).toMatch(/GFLOP\/s/);
  });

  it('a reader that stops reading is no error', () => {
    const args =
      'train mnist-classifier --size small --optimizer sgd --steps 50 --backend gpu --gpu-mode webasm --json';
    const command = `"${process.execPath}" "${program}" ${args} | head -n 1`;
    const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^{"event":"step","step":1,.*}\n$/);
    expect(stderr).toBe('');
  });
});

describe('kfac with bad input', () => {
  const train = ['train', 'mnist-classifier', '--size', 'small', '--steps', '2', '--batch', '10'];
  const images = 'train-images-idx3-ubyte';
  const pixels = (value: number): ReadonlyArray<number> =>
    Array.from({ length: 60 * 784 }, (_, i) => (i === 784 * 3 ? value : 0));

  const cases: ReadonlyArray<readonly [string, () => ReadonlyArray<string>, RegExp]> = [
    [
      'a cut-off IDX file',
      () => [...train, '--data', dataWith('cut', { [images]: Buffer.from([0, 0, 8, 3, 0, 0]) })],
      /16 bytes/,
    ],
    [
      'a wrong magic number',
      () => [...train, '--data', dataWith('magic', { [images]: Buffer.from('<!doctype html>') })],
      /magic/,
    ],
    [
      'NaN in data',
      () => [...train, '--data', dataWith('nan', { [images]: idxFile('f32', [60, 28, 28], pixels(NaN)) })],
      /NaN in image 3/,
    ],
    [
      'an unknown task',
      () => ['train', 'cifar'],
      /mnist-autoencoder, mnist-classifier, fashion-classifier, language-model, gan-ring, gan-mnist, translation, got "cifar"/,
    ],
    ['an unknown optimizer', () => [...train, '--optimizer', 'adamax'], /one of kfac, .*got "adamax"/],
    ['an unknown option', () => [...train, '--learning-rate', '1'], /--learning-rate: expected one of .*--lr/],
    [
      'a wrong type in a configuration file',
      () => {
        const file = join(directory(), 'wrong.yaml');
        writeFileSync(file, 'settings:\n  kfac:\n    damping: [1, 2]\n');
        return [...train, '--config', file];
      },
      /wrong\.yaml: settings\.kfac\.damping: expected a number/,
    ],
    [
      'a report where none can be written',
      () => [...train, '--out', '/dev/null/report'],
      /Cannot write \/dev\/null\/report/,
    ],
  ];

  it.each(cases)('%s: says what to do in one line, exit code 1, nothing written', async (_, args, message) => {
    const { code, out, err } = await kfac(args());
    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err).toMatch(message);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect(readdirSync(join(directory(), 'cwd'))).toEqual([]);
  });

  it('no BLAS for --backend native: what was tried, what to install, exit code 1', () => {
    const { code, out, err } = runAlone([...train, '--backend', 'native'], {
      cwd: cwd(),
      env: { KFAC_BLAS: '/nonexistent/libblas.so' },
    });
    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err).toMatch(/native is not available.*\/nonexistent\/libblas\.so/);
    expect(err).not.toMatch(/\n {4}at /);
    expect(readdirSync(join(directory(), 'cwd'))).toEqual([]);
  });
});

describe('kfac bench', () => {
  /** Results without what a clock says. */
  const numbersOf = (out: string): ReadonlyArray<Record<string, unknown>> =>
    lines(out).map((line) => Object.fromEntries(Object.entries(line).filter(([name]) => !name.startsWith('seconds'))));

  const args = 'bench --problems sine,few-examples,digits,tags --longer 0.1 --optimizers adam,kfac --seeds 2 --json';

  it('law: results do not depend on the number of processes, nor does their order', async () => {
    const one = await kfac([...args.split(' '), '--processes', '1']);
    const [two, three] = ['2', '3'].map((processes) =>
      runAlone([...args.split(' '), '--processes', processes], { cwd: cwd() }),
    );
    expect([one.code, two.code, three.code, two.err]).toEqual([0, 0, 0, '']);
    expect(numbersOf(one.out)).toHaveLength(8);
    expect(numbersOf(one.out).every(({ ended }) => ended === true)).toBe(true);
    expect(numbersOf(two.out)).toEqual(numbersOf(one.out));
    expect(numbersOf(three.out)).toEqual(numbersOf(one.out));
  });
});
