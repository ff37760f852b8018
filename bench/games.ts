/**
 * Solvers of games on `gan-ring` over several seeds: how often all eight modes are covered. A JSON line for each run, a table at
 * the end.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import { withBackend } from '../src/core/backends/choice/choose.ts';
import { describeError } from '../src/core/errors.ts';
import type { Splits } from '../src/pipelines/data/dataset.ts';
import { nodeFileSystem } from '../src/pipelines/files/fileSystem.ts';
import { textTable } from '../src/pipelines/reports/table.ts';
import { gameOptimizers } from '../src/pipelines/tasks/gan/adversarial.ts';
import { ganRingOf } from '../src/pipelines/tasks/gan/ganRing.ts';
import { train } from '../src/pipelines/trainer/train.ts';
import type { Optimizer } from '../src/solvers/presets/optimizer.ts';
import { presetIn, presets } from '../src/solvers/presets/registry.ts';
import type { SettingValue } from '../src/solvers/settings/setting.ts';
import { succeed } from './succeed.ts';

/** An optimizer with settings found on seeds 1 and 2 (those of `competitive` by `kfac tune`), and how long it has. */
interface Contender {
  readonly name: string;
  readonly settings: Readonly<Record<string, SettingValue>>;
  readonly steps: number;
  /** γ of the penalty on the discriminator. */
  readonly penaltyWeight: number;
}

const contenders: ReadonlyArray<Contender> = [
  { name: 'simultaneous', settings: { learningRate: 0.2 }, steps: 600, penaltyWeight: 0.3 },
  { name: 'symplectic', settings: { learningRate: 0.2 }, steps: 600, penaltyWeight: 0.3 },
  { name: 'competitive', settings: { learningRate: 0.407, momentum: 0.382 }, steps: 600, penaltyWeight: 0.3 },
  { name: 'kfac', settings: { momentum: 0 }, steps: 600, penaltyWeight: 0.3 },
  { name: 'kfac-grafted', settings: { learningRate: 5e-3, momentum: 0, beta1: 0.5 }, steps: 600, penaltyWeight: 0.3 },
  { name: 'adam', settings: { learningRate: 3e-3, beta1: 0.5 }, steps: 600, penaltyWeight: 0.3 },
  { name: 'game-newton', settings: { damping: 0.3, longest: 0.3 }, steps: 400, penaltyWeight: 0.3 },
  { name: 'game-hss', settings: { damping: 0.3, longest: 0.3 }, steps: 400, penaltyWeight: 0.3 },
];

/** What a run came to. */
interface Result {
  readonly optimizer: string;
  readonly seed: number;
  /** Modes covered at the end, `null` where it diverged. */
  readonly modes: number | null;
  readonly nearby: number | null;
  readonly seconds: number | null;
  /** Steps until all were covered, at evaluations; `null` for never. */
  readonly reached: number | null;
}

const optimizerOf = ({ name, settings }: Contender): Optimizer =>
  succeed(presetIn({ ...presets, ...gameOptimizers }, name, settings));

const runOf = async (contender: Contender, data: Splits, seed: number): Promise<Result> => {
  const { name, steps } = contender;
  const ended = await withBackend({ threads: 1 }, (backend) =>
    train(
      { backend, clock: () => performance.now() / 1000 },
      { ...ganRingOf({ penaltyWeight: contender.penaltyWeight }), data },
      optimizerOf(contender),
      {
        duration: { steps },
        batch: 256,
        seed,
        evaluateEvery: steps / 10,
      },
    ),
  )();
  if (E.isLeft(ended)) {
    console.error(`${name}, seed ${seed}: ${describeError(ended.left)}`);
    return { optimizer: name, seed, modes: null, nearby: null, seconds: null, reached: null };
  }
  const { test, seconds, evaluations } = ended.right;
  const reached = evaluations.find(({ measures }) => measures['modes'] === 8)?.step ?? null;
  return { optimizer: name, seed, modes: test.measures['modes'], nearby: test.measures['nearby'], seconds, reached };
};

const mean = (values: ReadonlyArray<number | null>): number => {
  const found = values.flatMap((value) => (value === null ? [] : [value]));
  return found.length === 0 ? NaN : found.reduce((sum, x) => sum + x, 0) / found.length;
};

/**
 * Runs and prints.
 *
 * @param names - some of the contenders, all where there are none
 * @param seeds - how many
 * @param first - the first of them
 */
export const benchGames = async (names: ReadonlyArray<string>, seeds: number, first: number): Promise<void> => {
  const chosen = contenders.filter(({ name }) => names.length === 0 || names.includes(name));
  const data = succeed(await ganRingOf().load(nodeFileSystem)());
  const rows: Array<ReadonlyArray<string | number>> = [];
  for (const contender of chosen) {
    const results: Array<Result> = [];
    for (let seed = first; seed < first + seeds; seed += 1) {
      const result = await runOf(contender, data, seed);
      console.log(JSON.stringify(result));
      results.push(result);
    }
    rows.push([
      contender.name,
      contender.steps,
      `${results.filter(({ modes }) => modes === 8).length} of ${seeds}`,
      mean(results.map(({ modes }) => modes)),
      mean(results.map(({ nearby }) => nearby)),
      mean(results.map(({ reached }) => reached)),
      mean(results.map(({ seconds }) => seconds)),
    ]);
  }
  const columns = ['steps', 'all eight modes', 'modes', 'nearby', 'steps until eight', 'seconds'];
  textTable([{ title: 'solver', align: 'left' }, ...columns.map((title) => ({ title }))], rows).forEach((line) =>
    console.log(line),
  );
};
