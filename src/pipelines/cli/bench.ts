/**
 * `kfac bench`: optimizers on the suite of problems, at their defaults or with settings, from several seeds.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as IO from 'fp-ts/lib/IO.js';
import * as IOR from 'fp-ts/lib/IORef.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { shown } from '../../core/shown.ts';
import { optimizerOf } from '../../solvers/presets/registry.ts';
import type { SettingValue } from '../../solvers/settings/setting.ts';
import type { Half } from '../problems/halves.ts';
import { problemsOf } from '../problems/halves.ts';
import type { Trial, TrialResult } from '../problems/trial.ts';
import { tryAll } from '../problems/trials.ts';
import type { Worker } from '../problems/workers.ts';
import { answerTrials, forkedWorker, hereWorker } from '../problems/workers.ts';
import { showNumber } from '../reports/table.ts';
import type { World } from '../world.ts';
import type { RawFlags } from './options.ts';
import { configOfFlags } from './options.ts';

/** What the command asks for. */
export interface BenchCommand {
  readonly name: 'bench';
  readonly flags: RawFlags;
}

/** What is run, and how. */
interface BenchPlan {
  readonly trials: ReadonlyArray<Trial>;
  readonly processes: number;
  readonly out: string | undefined;
  readonly isJson: boolean;
}

/** An optimizer of a bench: `kfac`, or `adam@0.003` with a learning rate. */
interface Choice {
  readonly preset: string;
  readonly settings: Readonly<Record<string, SettingValue>>;
}

const bad = (path: string, expected: string, actual: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'BadConfig', path, expected, actual });

const partsOf = (text: string): ReadonlyArray<string> =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

const textOf = (flags: RawFlags, name: string, standard: string): string => {
  const given = flags[name];
  return typeof given === 'string' ? given : standard;
};

const choiceOf = (text: string): Choice => {
  const [preset, rate] = text.split('@');
  return { preset, settings: rate === undefined ? {} : { learningRate: Number(rate) } };
};

/** Settings that `--set` gives each preset, and whether presets have them all. */
const choicesOf = (flags: RawFlags): E.Either<KfacError, ReadonlyArray<Choice>> => {
  const choices = partsOf(textOf(flags, 'optimizers', 'kfac')).map(choiceOf);
  const names = [...new Set(choices.map(({ preset }) => preset))];
  const onlySet = flags['set'] === undefined ? {} : { set: flags['set'] };
  return pipe(
    configOfFlags(onlySet, names),
    E.map(({ settings = {} }) =>
      choices.map(({ preset, settings: own }) => ({ preset, settings: { ...settings[preset], ...own } })),
    ),
    E.chainFirst(
      E.traverseArray(({ preset, settings }) =>
        pipe(
          optimizerOf(preset, settings),
          E.mapLeft((error) =>
            error._tag === 'BadConfig' && error.path === 'optimizer' ? { ...error, path: '--optimizers' } : error,
          ),
        ),
      ),
    ),
    E.chain((found) => (found.length === 0 ? bad('--optimizers', 'at least one optimizer', 'none') : E.right(found))),
  );
};

const halfOf = (flags: RawFlags): E.Either<KfacError, Half | 'all'> => {
  const half = textOf(flags, 'half', 'all');
  return half === 'tune' || half === 'report' || half === 'all'
    ? E.right(half)
    : bad('--half', 'tune, report or all', shown(half));
};

const wholesOf = (path: string, low: number, text: string): E.Either<KfacError, ReadonlyArray<number>> => {
  const numbers = partsOf(text).map(Number);
  return numbers.length > 0 && numbers.every((n) => Number.isSafeInteger(n) && n >= low)
    ? E.right(numbers)
    : bad(path, `whole numbers of at least ${low}`, shown(text));
};

/** Names of problems, all of the half unless some are given. */
const namesOf = (flags: RawFlags, half: Half | 'all'): E.Either<KfacError, ReadonlyArray<string>> => {
  const known = problemsOf(half).map(({ name }) => name);
  const wanted = typeof flags['problems'] === 'string' ? partsOf(flags['problems']) : known;
  const unknown = wanted.find((name) => !known.includes(name));
  return unknown === undefined ? E.right(wanted) : bad('--problems', `some of ${known.join(', ')}`, shown(unknown));
};

/** What flags ask for. */
export const benchPlan = (flags: RawFlags): E.Either<KfacError, BenchPlan> =>
  pipe(
    E.Do,
    E.apS('choices', choicesOf(flags)),
    E.apS('half', halfOf(flags)),
    E.apS('seeds', wholesOf('--seeds', 0, textOf(flags, 'seeds', '1'))),
    E.apS('processes', wholesOf('--processes', 1, textOf(flags, 'processes', '1'))),
    E.bind('names', ({ half }) => namesOf(flags, half)),
    E.map(({ choices, seeds, processes, names }) => ({
      trials: names.flatMap((problem) =>
        choices.flatMap(({ preset, settings }) =>
          seeds.map((seed): Trial => ({ problem, optimizer: preset, settings, seed })),
        ),
      ),
      processes: processes[0],
      out: typeof flags['out'] === 'string' ? flags['out'] : undefined,
      isJson: flags['json'] === true,
    })),
  );

const widths = [26, 30, 6, 11, 11, 11, 9, 8];

/** Cells under each other; the first two to the left. */
const row = (cells: ReadonlyArray<string>): string =>
  cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' ');

const header = row(['problem', 'optimizer', 'seed', 'initial', 'train', 'test', 'ms/step', 'seconds']);

const labelOf = ({ optimizer, settings }: Pick<Trial, 'optimizer' | 'settings'>): string =>
  [optimizer, ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)].join(' ');

const numberOf = (value: number | null): string => (value === null ? '' : showNumber(value));

const rowOf = (result: TrialResult): string =>
  row([
    result.problem,
    labelOf(result),
    String(result.seed),
    numberOf(result.initialLoss),
    numberOf(result.trainLoss),
    numberOf(result.testLoss),
    numberOf(result.secondsPerStep === null ? null : 1000 * result.secondsPerStep),
    numberOf(result.seconds),
  ]) + (result.error === null ? '' : `  ${result.error}`);

/** This process for one, others for more; they begin with the same first word, and so end up in {@link runBench}. */
const workersOf = (world: World, processes: number): IO.IO<ReadonlyArray<Worker>> => {
  if (processes === 1) return () => [hereWorker(world)];
  const [, program, command] = process.argv;
  return () => Array.from({ length: processes }, () => forkedWorker(program, [command, '--worker'])());
};

const run = (world: World, plan: BenchPlan): TE.TaskEither<KfacError, void> => {
  const lines = IOR.newIORef<ReadonlyArray<string>>([])();
  const tell =
    (result: TrialResult): IO.IO<void> =>
    () => {
      const line = JSON.stringify(result);
      lines.modify((before) => [...before, line])();
      world.out(plan.isJson ? line : rowOf(result))();
    };
  if (!plan.isJson) world.out(header)();
  return pipe(
    TE.bracket(
      TE.fromIO(workersOf(world, plan.processes)),
      (workers) => tryAll(workers, plan.trials, tell),
      (workers) => TE.fromIO(() => workers.forEach(({ stop }) => stop())),
    ),
    TE.chain(() =>
      plan.out === undefined
        ? TE.right(undefined)
        : world.files.write(
            plan.out,
            lines
              .read()
              .map((line) => `${line}\n`)
              .join(''),
          ),
    ),
  );
};

/**
 * Runs the suite, or, in a process that another one started, answers its trials.
 *
 * @param world - where to print
 * @param command - flags
 */
export const runBench = (world: World, { flags }: BenchCommand): TE.TaskEither<KfacError, void> =>
  flags['worker'] === true
    ? answerTrials(world)
    : pipe(
        TE.fromEither(benchPlan(flags)),
        TE.chain((plan) => run(world, plan)),
      );
