/**
 * `kfac bench`: optimizers on the suite of problems, at their defaults or with settings, from several seeds.
 *
 * @module
 */
import type * as IO from 'fp-ts/lib/IO.js';
import * as IOR from 'fp-ts/lib/IORef.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { Comparison } from '../problems/comparison.ts';
import { compare, taus } from '../problems/comparison.ts';
import { contendersOf } from '../problems/contenders.ts';
import { parseResults, resultLine } from '../problems/results.ts';
import type { TrialResult } from '../problems/trial.ts';
import { tryAll } from '../problems/trials.ts';
import type { Worker } from '../problems/workers.ts';
import { answerTrials, forkedWorker, hereWorker } from '../problems/workers.ts';
import type { Profile } from '../reports/profileFigure.ts';
import { profileFigure } from '../reports/profileFigure.ts';
import type { World } from '../world.ts';
import type { BenchPlan } from './benchPlan.ts';
import { benchPlan } from './benchPlan.ts';
import { comparisonText, resultRow, resultTitles } from './benchTables.ts';
import type { RawFlags } from './options.ts';

/** What the command asks for. */
export interface BenchCommand {
  readonly name: 'bench';
  readonly flags: RawFlags;
}

type Results = ReadonlyArray<TrialResult>;

/** This process for one, others for more; they begin with the same first word, and so end up in {@link runBench}. */
const workersOf = (world: World, processes: number): IO.IO<ReadonlyArray<Worker>> => {
  if (processes === 1) return () => [hereWorker(world)];
  const [, program, command] = process.argv;
  return () => Array.from({ length: processes }, () => forkedWorker(program, [command, '--worker'])());
};

/** Makes all trials, telling each result as it comes. */
const resultsOf = (world: World, plan: BenchPlan): TE.TaskEither<KfacError, Results> => {
  const results = IOR.newIORef<Results>([])();
  const tell =
    (result: TrialResult): IO.IO<void> =>
    () => {
      results.modify((before) => [...before, result])();
      world.out(plan.isJson ? resultLine(result) : resultRow(result))();
    };
  return plan.trials.length === 0
    ? TE.right([])
    : pipe(
        TE.fromIO(plan.isJson ? () => undefined : world.out(resultTitles)),
        TE.chain(() =>
          TE.bracket(
            TE.fromIO(workersOf(world, plan.processes)),
            (workers) => tryAll(workers, plan.trials, tell),
            (workers) => TE.fromIO(() => workers.forEach(({ stop }) => stop())),
          ),
        ),
        TE.map(() => results.read()),
      );
};

/** Results of earlier runs. */
const earlier = ({ files }: World, { from }: BenchPlan): TE.TaskEither<KfacError, Results> =>
  pipe(
    from,
    TE.traverseSeqArray((path) =>
      pipe(
        files.read(path),
        TE.chainEitherK((content) => parseResults(path, new TextDecoder().decode(content))),
      ),
    ),
    TE.map((all) => all.flat()),
  );

const canWrite = ({ files }: World, path: string | undefined): TE.TaskEither<KfacError, void> =>
  path === undefined ? TE.right(undefined) : files.canWriteFile(path);

const writeResults = ({ files }: World, { out }: BenchPlan, results: Results): TE.TaskEither<KfacError, void> =>
  out === undefined ? TE.right(undefined) : files.write(out, results.map((one) => `${resultLine(one)}\n`).join(''));

/** Lines of the figure: single rates of a preset are left out where there is the best of them. */
const profilesOf = ({ standings, problems }: Comparison): ReadonlyArray<Profile> => {
  const rated = standings.filter(({ contender }) => contender.rates > 1).map(({ contender }) => contender.optimizer);
  return standings.flatMap((standing): ReadonlyArray<Profile> => {
    const { contender, profile, problems: own } = standing;
    const { optimizer, rates } = contender;
    const name =
      own.length < problems.length ? `${contender.name} (${own.length} of ${problems.length})` : contender.name;
    const line = { name, optimizer, points: profile.map((share, i) => ({ tau: taus[i], share })) };
    if (!rated.includes(optimizer)) return [line];
    if (rates === 1) return [];
    return [rates > 1 ? { ...line, rated: 'best' } : { ...line, name: `${name}, default`, rated: 'default' }];
  });
};

/** Draws the figure and says where it is. */
const drawProfile = (
  { files, out }: World,
  { figure, isJson }: BenchPlan,
  comparison: Comparison,
): TE.TaskEither<KfacError, void> => {
  if (figure === undefined) return TE.right(undefined);
  const base = figure.replace(/\.(svg|png)$/, '');
  return pipe(
    profileFigure(profilesOf(comparison), `${comparison.problems.length} problems`),
    TE.chainW(({ svg, png }) =>
      pipe(
        [[`${base}.svg`, svg] as const, [`${base}.png`, png] as const],
        TE.traverseSeqArray(([path, content]) =>
          pipe(
            files.write(path, content),
            TE.chainIOK(() => (isJson ? () => undefined : out(path))),
          ),
        ),
      ),
    ),
    TE.map(() => undefined),
  );
};

/** Compares all contenders, where there are several. */
const conclude = (world: World, plan: BenchPlan, results: Results): TE.TaskEither<KfacError, void> => {
  const contenders = contendersOf(results);
  if (contenders.length < 2 && plan.from.length === 0) return TE.right(undefined);
  if (contenders.length === 0) {
    return TE.left({ _tag: 'BadConfig', path: '--from', expected: 'results to compare', actual: 'none' });
  }
  const comparison = compare(contenders);
  if (comparison.problems.length === 0) {
    const expected = 'a problem that all have results for';
    return TE.left({
      _tag: 'BadConfig',
      path: '--from',
      expected,
      actual: contenders.map(({ name }) => name).join(', '),
    });
  }
  return pipe(
    TE.fromIO(() => {
      if (!plan.isJson) comparisonText(comparison).forEach((line) => world.out(line)());
    }),
    TE.chain(() => drawProfile(world, plan, comparison)),
  );
};

const run = (world: World, plan: BenchPlan): TE.TaskEither<KfacError, void> =>
  pipe(
    earlier(world, plan),
    TE.chainFirst(() => canWrite(world, plan.out)),
    TE.chainFirst(() => canWrite(world, plan.figure)),
    TE.bindTo('before'),
    TE.bind('results', () => resultsOf(world, plan)),
    TE.chainFirst(({ results }) => writeResults(world, plan, results)),
    TE.chain(({ before, results }) => conclude(world, plan, [...before, ...results])),
  );

/**
 * Runs the suite and compares, or, in a process that another one started, answers its trials.
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
