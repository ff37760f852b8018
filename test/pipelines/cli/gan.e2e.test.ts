/**
 * Two networks that play, by the built program, on real data, natively and in WebAssembly. Needs `npm run build` first, as
 * `npm test` does.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { PNG } from 'pngjs';

import { directoryOfTests, runAlone, servedToTests } from '../../support/program.ts';

const directory = directoryOfTests();
const serve = servedToTests(directory);

const kfac = (args: string) => serve(args.split(' '));

const events = (run: string): ReadonlyArray<Readonly<Record<string, unknown>>> =>
  readFileSync(join(directory(), run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);

const isDrawn = (run: string, name: string): boolean => {
  const { width, height } = PNG.sync.read(readFileSync(join(directory(), run, name)));
  return width > 100 && height > 50;
};

const backends: ReadonlyArray<readonly [string, string]> = [
  ['native', '--backend native'],
  ['WebAssembly', '--backend gpu --gpu-mode webasm'],
];

describe.each(backends)('on %s', (backend, flags) => {
  it('compare gan-ring: players by K-FAC, by Adam and as one game; losses, measures, samples', async () => {
    const run = `ring-${backend}`;
    const { code, out, err } = await kfac(
      `compare gan-ring --size small --with width=8 --with samples=60 --optimizers kfac,adam,symplectic,game-newton ` +
        `--steps 4 --evaluate-every 2 --batch 32 --out ${run} ${flags}`,
    );
    expect([code, err.includes('error')]).toEqual([0, false]);
    expect(out).toContain('test modes');
    for (const name of ['kfac', 'adam', 'symplectic', 'game-newton']) {
      const own = events(run).filter(({ optimizer }) => optimizer === name);
      expect(own.map(({ event }) => event)).toEqual([
        'step',
        'step',
        'evaluation',
        'step',
        'step',
        'evaluation',
        'done',
      ]);
      expect(Object.keys(own[0])).toEqual(expect.arrayContaining(['generator.loss', 'discriminator.penalty']));
      expect(Object.keys(own[2])).toEqual(expect.arrayContaining(['modes', 'nearby']));
      expect(readdirSync(join(directory(), run))).toContain(`${name}.safetensors`);
    }
    for (const name of ['loss.png', 'players.png', 'measures.png', 'samples.png'])
      expect(isDrawn(run, name)).toBe(true);
  });

  it('train gan-mnist: measures in features of a classifier, a grid of samples, and how they grow', async () => {
    const run = `mnist-${backend}`;
    const { code, out, err } = await kfac(
      `train gan-mnist --size small --with channels=2 --with judgeSteps=4 --steps 2 --evaluate-every 1 --batch 16 ` +
        `--out ${run} ${flags}`,
    );
    expect([code, err.includes('error')]).toEqual([0, false]);
    for (const measure of ['precision', 'recall', 'classes', 'judge accuracy'])
      expect(out).toContain(`test ${measure}`);
    for (const name of ['players.png', 'measures.png', 'samples.png', 'growth.png'])
      expect(isDrawn(run, name)).toBe(true);
    expect(readFileSync(join(directory(), run, 'classes.txt'), 'utf8')).toMatch(/^kfac: 0: \d+\.\d %, 1: /m);
    // What was written says what it is, and is taken again.
    const again = await kfac(`train gan-mnist --config ${run}/config.json --out ${run}-again ${flags}`);
    expect(again.code).toBe(0);
    const of = (folder: string) => readFileSync(join(directory(), folder, 'kfac.safetensors'));
    expect(of(`${run}-again`).equals(of(run))).toBe(true);
  });
});

it('tune: settings for a game’s players and for one game, a table, a figure, and what goes on', async () => {
  const flags = '--size small --with width=8 --with samples=60 --batch 32';
  const command = `tune gan-ring ${flags} --optimizers adam,symplectic --trials 3 --budget 4 --seeds 1,2 --out tuned`;
  const { code, out, err } = await kfac(command);
  expect([code, err.includes('error')]).toEqual([0, false]);
  expect(out).toMatch(/^optimizer +steps +seconds +test energy distance +test modes +test nearby$/m);
  expect(readdirSync(join(directory(), 'tuned')).sort()).toEqual(
    ['best.json', 'report.txt', 'search.jsonl', 'search.png', 'search.svg'].sort(),
  );
  expect(isDrawn('tuned', 'search.png')).toBe(true);
  const again = await kfac('tune gan-ring --resume tuned');
  expect([again.code, again.out]).toEqual([0, out]);
  const wrong = await kfac('tune gan-mnist --resume tuned');
  expect([wrong.code, wrong.err.trim().split('\n').length]).toEqual([1, 1]);
});

it('summary: both players with their layers, and which curvature each parameter gets', () => {
  const { code, out } = runAlone('summary gan-ring --size small'.split(' '), { cwd: directory() });
  expect(code).toBe(0);
  for (const words of ['gan-ring-discriminator', 'latent 8', 'generator.1.weight', 'discriminator.0.weight']) {
    expect(out).toContain(words);
  }
});

it.each([
  ['a setting that there is not', 'train gan-ring --with modes=9', 'with'],
  ['a loss that there is not', 'train gan-ring --with loss=wasserstein', 'nonSaturating, leastSquares, hinge'],
  ['an optimizer of games for a task that is none', 'train mnist-classifier --optimizer symplectic', 'optimizer'],
  ['a setting of a game’s optimizer out of its range', 'train gan-ring --optimizer symplectic --lr -1', 'at least 0'],
])('refuses %s in a sentence', async (_, args, words) => {
  const { code, err } = await kfac(args);
  expect(code).not.toBe(0);
  expect(err).toContain(words);
  expect(err.trim().split('\n').length).toBeLessThan(4);
});
