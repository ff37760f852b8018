/**
 * `kfac tune`: settings found by search, as much of it for each optimizer, and what training with them comes to.
 *
 * @module
 */
import { join } from 'node:path';

import type * as IO from 'fp-ts/lib/IO.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import { withBackend } from '../../core/backends/choice/choose.ts';
import type { KfacError } from '../../core/errors.ts';
import { describeError } from '../../core/errors.ts';
import type { Shaped } from '../../core/tensor.ts';
import { earlierRun } from '../reports/earlierRun.ts';
import { showNumber } from '../reports/table.ts';
import type { Loaded, TaskFamily } from '../tasks/task.ts';
import { tuneFigure } from '../tuning/figure.ts';
import type { Asked } from '../tuning/records.ts';
import { parseRecord, recordText, tuneResultLine } from '../tuning/records.ts';
import type { Search, TuneResult } from '../tuning/search.ts';
import { areOf, nextOrder, totalOf, winnerOf } from '../tuning/search.ts';
import { settingsText, tuneText } from '../tuning/tables.ts';
import { tune } from '../tuning/tune.ts';
import type { World } from '../world.ts';
import type { RawFlags } from './options.ts';
import { timestamp } from './places.ts';
import type { Interrupting } from './stopping.ts';
import { interruptible } from './stopping.ts';
import type { TunePlan } from './tunePlan.ts';
import { tunePlan } from './tunePlan.ts';

/** What the command asks for. */
export interface TuneCommand {
  readonly name: 'tune';
  readonly task: string;
  readonly flags: RawFlags;
}

type Results = ReadonlyArray<TuneResult>;

/** Everything that there is to know before the first run. */
interface Ready {
  readonly asked: Asked;
  readonly plan: TunePlan;
  readonly known: Results;
  /** Where the search goes, `null` for nowhere. */
  readonly directory: string | null;
  readonly isJson: boolean;
}

/** The file that a search goes on from. */
const recordName = 'search.jsonl';

/** Flags that say nothing of what is searched. */
const aside: ReadonlyArray<string> = ['out', 'resume', 'json'];

const without = (flags: RawFlags): RawFlags =>
  Object.fromEntries(Object.entries(flags).filter(([name]) => !aside.includes(name)));

const another = (source: string, expected: string, actual: string): KfacError => ({
  _tag: 'BadCheckpoint',
  source,
  expected,
  actual,
});

/** A search that was begun: what was asked for then, with what is asked for now besides. */
const begun = (
  { files }: World,
  { task, flags }: TuneCommand,
  directory: string,
): TE.TaskEither<KfacError, Pick<Ready, 'asked' | 'known'>> => {
  const path = join(directory, recordName);
  return pipe(
    files.read(path),
    TE.chainEitherK((content) => parseRecord(path, new TextDecoder().decode(content))),
    TE.filterOrElse(
      ({ asked }) => asked.task === task,
      ({ asked }) => another(path, `a search of ${task}`, `one of ${asked.task}`),
    ),
    TE.map(({ asked, results }) => ({
      asked: { task, flags: { ...asked.flags, ...without(flags) } },
      known: results,
    })),
  );
};

/** A directory that was asked for must hold nothing that a search would be mixed up with. */
const empty = ({ files }: World, directory: string): TE.TaskEither<KfacError, void> =>
  pipe(
    TE.Do,
    TE.apS('run', earlierRun(files, directory)),
    TE.apS('search', files.exists(join(directory, recordName))),
    TE.filterOrElse(
      ({ run, search }) => run === null && !search,
      ({ search }): KfacError => ({
        _tag: 'BadConfig',
        path: '--out',
        expected: search ? `another directory, or --resume ${directory} to go on` : 'a directory that holds no run',
        actual: `${directory}, which holds ${search ? 'a search' : 'a run'}`,
      }),
    ),
    TE.chain(() => files.canWrite(directory)),
  );

/** What a command asks for, with what has come of it already. */
const readyOf = (
  world: World,
  command: TuneCommand,
  tasks: ReadonlyArray<TaskFamily>,
): TE.TaskEither<KfacError, Ready> => {
  const { task, flags } = command;
  const { resume, out } = flags;
  const source: TE.TaskEither<KfacError, Pick<Ready, 'asked' | 'known'>> = typeof resume === 'string'
    ? begun(world, command, resume)
    : TE.right({ asked: { task, flags: without(flags) }, known: [] });
  return pipe(
    typeof resume === 'string' && out !== undefined
      ? TE.left({
          _tag: 'BadConfig',
          path: '--out',
          expected: 'nothing beside --resume, which goes on in its directory',
          actual: String(out),
        })
      : typeof out === 'string'
        ? empty(world, out)
        : TE.right(undefined),
    TE.chain(() => source),
    TE.bind('plan', ({ asked }) => TE.fromEither(tunePlan(asked, tasks))),
    TE.filterOrElse(
      ({ plan, known }) => areOf(plan.search, known),
      () => another(String(resume), 'results of the search that is asked for', 'those of another one'),
    ),
    TE.map((found) => ({
      ...found,
      directory: [resume, out].find((path) => typeof path === 'string') ?? null,
      isJson: flags['json'] === true,
    })),
  );
};

const unitOf = ({ budget }: Search): string => ('steps' in budget ? 'steps' : 's');

/** A result as a line for people. */
const rowOf = (
  { rungs }: Search,
  { optimizer, trial, rung, seed, loss, steps, seconds, error, settings }: TuneResult,
) =>
  [
    rung === null
      ? `${optimizer}, seed ${seed}`
      : `${optimizer}, trial ${trial + 1} in rung ${rung + 1} of ${rungs.length}`,
    error ?? `${steps} steps in ${showNumber(seconds)} s, loss ${loss === null ? '–' : showNumber(loss)}`,
    ...(rung === null ? [] : [settingsText(settings)]),
  ].join(': ');

/** What is about to be done. */
const announcement = ({ task, batch, search }: TunePlan, known: Results): string => {
  const rungs = search.rungs.map(({ trials, budget }) => `${trials} × ${showNumber(budget)}`).join(', ');
  const done = known.length === 0 ? '' : `; ${known.length} runs are done`;
  return `${task.name}-${task.size}, batch ${batch}: for each optimizer ${rungs}, then ${search.seeds.length} seeds, ${showNumber(totalOf(search))} ${unitOf(search)} in all${done}`;
};

/** The configuration that trains with what was found. */
const bestConfig = ({ task, batch, data, search }: TunePlan, results: Results): string => {
  const winners = search.contenders.flatMap(({ optimizer }) => {
    const winner = winnerOf(search, results, optimizer);
    return winner === null ? [] : [winner];
  });
  const config = {
    task: task.name,
    size: task.size,
    ...(Object.keys(task.settings).length === 0 ? {} : { with: task.settings }),
    ...('steps' in search.budget ? search.budget : {}),
    batch,
    ...(data === undefined ? {} : { data }),
    optimizers: winners.map(({ optimizer }) => optimizer),
    settings: Object.fromEntries(winners.map(({ optimizer, settings }) => [optimizer, settings])),
  };
  return `${JSON.stringify(config, null, 2)}\n`;
};

/** Writes what there is to read; a figure that cannot be drawn is a warning. */
const written = (
  { files, err }: World,
  directory: string,
  plan: TunePlan,
  results: Results,
  lines: ReadonlyArray<string>,
): TE.TaskEither<KfacError, ReadonlyArray<string>> => {
  const { task, search, batch } = plan;
  const title = `${task.name}-${task.size}, batch ${batch}, seed ${search.seed}`;
  const text: ReadonlyArray<readonly [string, string | Uint8Array]> = [
    ['report.txt', `${[title, '', ...lines].join('\n')}\n`],
    ...(nextOrder(search, results) === null ? [['best.json', bestConfig(plan, results)] as const] : []),
  ];
  return pipe(
    tuneFigure(search, results, { title, loss: task.loss.label }),
    TE.match(
      (missing): typeof text => {
        err(`warning: ${describeError(missing)}`)();
        return text;
      },
      ({ svg, png }) => [...text, ['search.svg', svg], ['search.png', png]],
    ),
    TE.fromTask<typeof text, KfacError>,
    TE.chain(
      TE.traverseSeqArray(([name, content]) =>
        pipe(
          files.write(join(directory, name), content),
          TE.map(() => join(directory, name)),
        ),
      ),
    ),
  );
};

/** Makes the runs, and keeps and tells each result. */
const resultsOf =
  (world: World, { asked, plan, known, directory, isJson }: Ready, loaded: Loaded, interrupting: Interrupting) =>
  <T extends Shaped>(backend: Backend<T>): TE.TaskEither<KfacError, Results> => {
    const { search, batch } = plan;
    const keep = (results: Results): TE.TaskEither<KfacError, void> =>
      directory === null
        ? TE.right(undefined)
        : world.files.write(join(directory, recordName), recordText({ asked, results }));
    const told = (result: TuneResult): IO.IO<void> =>
      isJson ? world.out(tuneResultLine(result)) : world.err(rowOf(search, result));
    return pipe(
      keep(known),
      TE.chainIOK(() => () => {
        [...backend.report().warnings, ...loaded.warnings].forEach((warning) => world.err(`warning: ${warning}`)());
        if (!isJson) world.err(announcement(plan, known))();
      }),
      TE.chain(() =>
        tune({ backend, clock: world.clock }, loaded, search, {
          batch,
          known,
          goesOn: () => interrupting() === null,
          tell: (result, all) =>
            pipe(
              keep(all),
              TE.chainFirstIOK(() => told(result)),
            ),
        }),
      ),
    );
  };

const searchIn = (world: World, ready: Ready, loaded: Loaded): TE.TaskEither<KfacError, number> =>
  interruptible(world, (interrupting) => {
    const { plan, directory, isJson } = ready;
    return pipe(
      withBackend(plan.backend, resultsOf(world, ready, loaded, interrupting)),
      TE.bindTo('results'),
      TE.let('lines', ({ results }) => tuneText(plan.search, results, loaded.task.loss.name)),
      TE.bind('files', ({ results, lines }) =>
        directory === null || results.length === 0
          ? TE.right<KfacError, ReadonlyArray<string>>([])
          : written(world, directory, plan, results, lines),
      ),
      TE.chainFirstIOK(({ lines, files }) => () => {
        if (!isJson) ['', ...lines, '', ...files].forEach((line) => world.out(line)());
        if (interrupting() !== null && directory !== null) {
          world.err(`kfac tune ${plan.task.name} --resume ${directory} goes on.`)();
        }
      }),
      TE.map(() => interrupting()?.exitCode ?? 0),
    );
  });

/** The directory, a new one where none was asked for and a person may look for it, while nobody else has it. */
const inPlace = (
  { files, date }: World,
  ready: Ready,
  run: (ready: Ready) => TE.TaskEither<KfacError, number>,
): TE.TaskEither<KfacError, number> => {
  const { plan, isJson } = ready;
  if (ready.directory === null && isJson) return run(ready);
  const made = join('runs', `${timestamp(date())}-${plan.task.name}-${plan.task.size}-tune`);
  return pipe(
    ready.directory === null ? files.claim(made) : TE.right(ready.directory),
    TE.chain((directory) =>
      TE.bracket(
        files.lock(directory),
        () => run({ ...ready, directory }),
        (release) => TE.fromTask(release),
      ),
    ),
  );
};

/**
 * Searches to the end: plan, data, runs, report. Whatever can be found wrong before the first run is.
 *
 * @param world - what the program may do
 * @param command - task and flags
 * @param tasks - what can be learned
 * @returns what the program ends with: 0, or the code of what has interrupted it
 */
export const runTune = (
  world: World,
  command: TuneCommand,
  tasks: ReadonlyArray<TaskFamily>,
): TE.TaskEither<KfacError, number> =>
  pipe(
    TE.Do,
    TE.bind('ready', () => readyOf(world, command, tasks)),
    TE.bind('loaded', ({ ready: { plan } }) => plan.task.load(world.files, plan.data)),
    TE.chain(({ ready, loaded }) => inPlace(world, ready, (placed) => searchIn(world, placed, loaded))),
  );
