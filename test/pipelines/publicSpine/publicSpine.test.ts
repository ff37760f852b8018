/** A language model and a game, written from the package's barrels alone, trained and reported on as the tasks of the package. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as E from 'fp-ts/lib/Either.js';

import { describeError, referenceBackend } from '../../../src/core/index.ts';
import type { Task, TrainOptions, TrainResult, TrainTask, World } from '../../../src/pipelines/index.ts';
import { nodeWorld, runCli, train } from '../../../src/pipelines/index.ts';
import type { Optimizer, SettingValue } from '../../../src/solvers/index.ts';
import { optimizerNames, optimizerOf } from '../../../src/solvers/index.ts';
import { game } from './game.ts';
import { languageModel } from './languageModel.ts';

const trained = async (
  task: TrainTask,
  optimizer: Optimizer,
  steps: number,
  more: Partial<TrainOptions> = {},
): Promise<TrainResult> => {
  const env = { backend: referenceBackend(), clock: () => 0 };
  const result = await train(env, task, optimizer, { duration: { steps }, batch: 7, seed: 1, ...more })();
  if (E.isLeft(result)) throw new Error(describeError(result.left));
  return result.right;
};

const optimizer = (name: string, settings: Readonly<Record<string, SettingValue>> = {}): Optimizer => {
  const made = optimizerOf(name, settings);
  if (E.isLeft(made)) throw new Error(describeError(made.left));
  return made.right;
};

/** Where training ended, and the numbers of the steps after some step. */
const ends = ({ params, running, state, train: onTrain, test, history }: TrainResult, after: number) => ({
  ...{ params, running, state, onTrain, test },
  history: history.filter(({ step }) => step > after),
});

const goesOn = async (task: TrainTask, by: Optimizer): Promise<void> => {
  const whole = await trained(task, by, 9);
  for (const cut of [1, 4]) {
    const first = await trained(task, by, cut);
    const rest = await trained(task, by, 9, { from: first.state });
    expect(ends(rest, cut)).toEqual(ends(whole, cut));
  }
};

/** Class-wise curvature takes one class for each example, block-tridiagonal curvature one pass through each site. */
const [speaking, playing] = [['class-kfac'], ['class-kfac', 'tridiagonal-kfac']].map((others) =>
  optimizerNames.filter((name) => !others.includes(name)),
);

const refusal = async (task: TrainTask, name: string): Promise<string> =>
  trained(task, optimizer(name), 1).then(
    () => 'nothing',
    (error: unknown) => String(error),
  );

describe('a language model with masks, dropout and two inputs', () => {
  it.each(['kfac', 'ekfac', 'kfac-adaptive', 'adam'])('%s learns it', async (name) => {
    const { change, test } = await trained(languageModel(), optimizer(name), 60);
    expect(change.after).toBeLessThan(0.9 * change.before);
    expect(Object.keys(test.measures)).toEqual(['accuracy']);
  });

  it.each(speaking)('law: n steps and m more from the state in memory are n + m steps. %s', async (name) => {
    await goesOn(languageModel(), optimizer(name));
  });

  it.each(speaking)('law: padding counts nowhere: nothing depends on what is in it. %s', async (name) => {
    const of = (padding: (position: number) => number) => trained(languageModel({ padding }), optimizer(name), 5);
    const [zeros, others] = [await of(() => 0), await of((position) => 1 + (position % 5))];
    expect(ends(others, 0)).toEqual(ends(zeros, 0));
  });
  it.each([
    ['kfac', { estimator: 'exact' }],
    ['kfac', { estimator: 'exact', sharing: 'reduce' }],
    ['block-kfac', { estimator: 'empirical' }],
    ['adam', {}],
  ] as const)('law: nor does anything depend on how much of it there is. %s %j', async (name, settings) => {
    // Neither dropout nor sampled targets, whose draws are those of all positions.
    const of = (room: number) => trained(languageModel({ room, rate: 0 }), optimizer(name, settings), 5);
    const [tight, wide] = [await of(5), await of(8)];
    for (const [path, { data }] of Object.entries(tight.params)) {
      const other = wide.params[path].data;
      for (let i = 0; i < data.length; i += 1) expect(Math.abs(other[i] - data[i])).toBeLessThan(1e-9);
    }
    expect(wide.test.loss).toBeCloseTo(tight.test.loss, 9);
  });

  it('says why an optimizer does not apply', async () => {
    expect(await refusal(languageModel(), 'class-kfac')).toContain('targets [n] (class indices)');
  });
});

describe('a game of two networks', () => {
  it.each(['kfac', 'ekfac', 'kfac-adaptive', 'adam'])('%s learns it', async (name) => {
    const { change, test } = await trained(game(), optimizer(name), 100);
    expect(change.after).toBeLessThan(0.6 * change.before);
    expect(Object.keys(test.measures)).toEqual(['told']);
  });

  it.each(playing)('law: n steps and m more from the state in memory are n + m steps. %s', async (name) => {
    await goesOn(game(optimizer(name)), optimizer(name));
  });

  it('says why an optimizer does not apply', async () => {
    expect(await refusal(game(), 'class-kfac')).toContain('targets [n] (class indices)');
    expect(await refusal(game(), 'tridiagonal-kfac')).toContain('discriminator.0');
  });
});

/** Runs the program with tasks of one's own; what it says, and the files of its report. */
const kfac = async (args: string, task: Task) => {
  const directory = await mkdtemp(join(tmpdir(), 'spine-'));
  const said: Array<string> = [];
  const say = (line: string) => () => void said.push(line);
  const world: World = { ...nodeWorld, out: say, err: say, isWatched: false };
  const code = await runCli(world, [...args.split(' '), '--backend', 'gpu', '--out', directory], { tasks: [task] })();
  const names = (await readdir(directory)).sort();
  const files = await Promise.all(names.map(async (name) => [name, await readFile(join(directory, name))] as const));
  await rm(directory, { recursive: true });
  return { code, said: said.join('\n'), files: new Map(files) };
};

/** What `kfac compare mnist-autoencoder --optimizers kfac,ekfac,adam` leaves, besides what the task has to show. */
const report = [
  ...['adam.safetensors', 'config.json', 'ekfac.safetensors', 'kfac.safetensors', 'loss.png', 'loss.svg'],
  'metrics.jsonl',
  'report.txt',
];

describe.each([
  ['toy-language', languageModel(), 'speech.txt', ['accuracy']],
  ['toy-game', game(), 'made.txt', ['told']],
] as const)('%s is compared and reported on as the tasks of the package are', (name, task, shown, measures) => {
  const optimizers = ['kfac', 'ekfac', 'adam'];

  it('compare: the same files, a curve and a line of the table for each optimizer', async () => {
    const { code, said, files } = await kfac(
      `compare ${name} --optimizers ${optimizers.join(',')} --steps 12 --evaluate-every 4`,
      task,
    );
    expect(code).toBe(0);
    expect([...files.keys()]).toEqual([...report, shown].sort());
    const text = (file: string): string => String(files.get(file));
    const lines = text('metrics.jsonl')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    for (const each of optimizers) {
      const ofIt = lines.filter(({ optimizer }) => optimizer === each);
      expect(ofIt.filter(({ event }) => event === 'step')).toHaveLength(12);
      expect(ofIt.filter(({ event }) => event === 'evaluation')).toHaveLength(3);
      expect(ofIt.filter(({ event }) => event === 'done')).toHaveLength(1);
      expect(said).toContain(each);
      expect(text('loss.svg')).toContain(each);
      expect(text(shown)).toContain(`${each}: `);
    }
    expect(text('loss.svg')).toContain(task.loss.label);
    for (const measure of measures) expect(said).toContain(measure);
    expect(JSON.parse(text('config.json'))).toMatchObject({ task: name, steps: 12, about: { loss: task.loss.label } });
  });

  it('train: the configuration of a run is taken again, and gives the same numbers', async () => {
    const first = await kfac(`train ${name} --optimizer kfac --steps 5 --seed 7`, task);
    const directory = await mkdtemp(join(tmpdir(), 'spine-'));
    const config = join(directory, 'config.json');
    await writeFile(config, first.files.get('config.json') ?? '');
    const again = await kfac(`train ${name} --config ${config}`, task);
    await rm(directory, { recursive: true });
    expect([first.code, again.code]).toEqual([0, 0]);
    expect(again.files.get('kfac.safetensors')).toEqual(first.files.get('kfac.safetensors'));
  });

  it('summary: every network with its layers', async () => {
    const said: Array<string> = [];
    const say = (line: string) => () => void said.push(line);
    const world: World = { ...nodeWorld, out: say, err: say };
    expect(await runCli(world, ['summary', name], { tasks: [task] })()).toBe(0);
    for (const network of task.networks) expect(said.join('\n')).toContain(`${network.name}: ${task.description}`);
  });
});
