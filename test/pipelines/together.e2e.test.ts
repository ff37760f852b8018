/**
 * The built program on several processes: it trains as one, tells once, stops as one, goes on with any number. Needs `npm run build`
 * first, as `npm test` does.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { run, runOnRanks, underEachMpi } from '../support/mpi.ts';

const program = resolve('scripts/chaosRun.mjs');

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kfac-mpi-'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Losses of the steps of a run, from its files. */
const lossesIn = (out: string): ReadonlyArray<number> =>
  readFileSync(join(out, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .flatMap(({ event, loss }) => (event === 'step' && typeof loss === 'number' ? [loss] : []));

const train = (...more: ReadonlyArray<string>): ReadonlyArray<string> => [
  program,
  ...['train', 'points', '--steps', '12', '--backend', 'reference', '--json'],
  ...more,
];

const furthest = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number =>
  Math.max(...a.map((x, i) => Math.abs(x - b[i]) / (1 + Math.abs(b[i]))));

/** The run that all others are compared with, by one process. */
const alone = (): string => join(directory, 'alone');

beforeAll(() => {
  const { code, err } = run(process.execPath, train('--out', alone()));
  expect([code, err]).toEqual([0, '']);
});

underEachMpi((launcher) => {
  const at = (name: string): string => join(directory, `${launcher.command}-${name}`);

  it(`${launcher.name}: trains as one process does, with one report, and goes on with another number of processes`, () => {
    const expected = lossesIn(alone());
    for (const workers of ['all', 'one']) {
      const two = runOnRanks(launcher, 2, train('--out', at(workers), '--gradient-workers', workers));
      expect([two.code, two.err]).toEqual([0, '']);
      expect(two.out.split('\n').filter((line) => line.includes('"step":3,'))).toHaveLength(1);
      expect(readdirSync(at(workers)).toSorted()).toEqual(readdirSync(alone()).toSorted());
      expect(furthest(lossesIn(at(workers)), expected)).toBeLessThan(1e-11);
    }
    const begun = runOnRanks(launcher, 3, train('--steps', '6', '--out', at('begun'), '--checkpoint-every', '3'));
    expect([begun.code, begun.err]).toEqual([0, '']);
    const onward = ['train', 'points', '--resume', at('begun'), '--steps', '12', '--backend', 'reference', '--json'];
    const ended = runOnRanks(launcher, 2, [program, ...onward]);
    expect([ended.code, ended.err]).toEqual([0, '']);
    expect(lossesIn(at('begun'))).toHaveLength(12);
    expect(furthest(lossesIn(at('begun')), expected)).toBeLessThan(1e-11);
  });

  it(`${launcher.name}: refuses processes that are not to do the same, and says which`, () => {
    const script = join(__dirname, 'otherSeed.mjs');
    const { code, err } = runOnRanks(launcher, 2, [script]);
    expect(code).not.toBe(0);
    expect(err).toContain('comparing configuration failed on rank 1: it has other configuration than rank 0');
  });

  it(`${launcher.name}: an error of one process ends all, and names it; one of all is told once`, () => {
    const one = runOnRanks(launcher, 2, [join(__dirname, 'otherSeed.mjs'), 'fails']);
    expect(one.code).toBeGreaterThan(0); // of itself: it was not killed for waiting
    expect(one.err).toMatch(/rank 1: .*--seed: expected a whole number/);
    const all = runOnRanks(launcher, 2, train('--steps', 'none'));
    expect(all.code).not.toBe(0);
    expect(all.err.match(/--steps: expected/g)).toHaveLength(1);
  });

  it(`${launcher.name}: doctor tells of the processes`, () => {
    const { code, out } = runOnRanks(launcher, 2, [program, 'doctor', '--backend', 'reference', '--json']);
    expect(code).toBe(0);
    const { processes } = JSON.parse(out) as { readonly processes: Record<string, unknown> };
    expect(processes).toMatchObject({ ranks: 2, library: expect.stringContaining(launcher.name) as unknown });
    expect(processes['latency']).toBeGreaterThan(0);
  });
});
