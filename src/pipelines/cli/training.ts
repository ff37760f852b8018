/**
 * `kfac train` and `kfac compare`: one run with one optimizer or with several.
 *
 * @module
 */
import type * as IO from 'fp-ts/lib/IO.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as E from 'fp-ts/lib/Either.js';
import * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import pc from 'picocolors';

import type { Backend, BackendReport } from '../../core/backends/backend.ts';
import { withBackend } from '../../core/backends/choice/choose.ts';
import type { KfacError } from '../../core/errors.ts';
import type { Params } from '../../core/params.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import type { Plan } from '../config/plan.ts';
import { configurationIn } from '../config/planned.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Observer, Outcome } from '../experiment.ts';
import { runExperiment } from '../experiment.ts';
import type { Ended } from '../reports/ended.ts';
import { remarksOn } from '../reports/ended.ts';
import { endLine } from '../reports/jsonLines.ts';
import { progressBar, progressJson, progressLines } from '../reports/progress.ts';
import { reportText } from '../reports/reportText.ts';
import type { Concluded, Written } from '../reports/runFolder.ts';
import { readSafetensors } from '../safetensors/read.ts';
import type { Loaded, TaskFamily } from '../tasks/task.ts';
import { fromTorch, isOf } from '../torch/convert.ts';
import { stepsOf } from '../trainer/options.ts';
import { agreed, backendWith, checkAlike, trafficNotes } from '../ranks.ts';
import type { World } from '../world.ts';
import { asGiven } from './asGiven.ts';
import type { Board } from './board.ts';
import { boardFor } from './board.ts';
import type { RunCheckpoints } from './checkpoints.ts';
import { checkpointsFor, notSaved } from './checkpoints.ts';
import type { CostLine } from './costs.ts';
import { costLines } from './costs.ts';
import type { TrainingCommand } from './planning.ts';
import { planFrom, readSource } from './planning.ts';
import type { Taken } from './places.ts';
import { placeOf, replacing, taking, writeTo } from './places.ts';
import type { Resumption } from './resuming.ts';
import { checkResumption, readResumption, resumedDirectory, resumedSource } from './resuming.ts';
import type { Interrupting } from './stopping.ts';
import { interruptible, stoppedNotes } from './stopping.ts';
import { installedVersion } from './version.ts';

const observerOf = (world: World, isJson: boolean, name: string, total: number): IO.IO<Observer> => {
  if (isJson) return progressJson(world, name);
  return world.isWatched ? progressBar(name, total) : progressLines(world, name, total);
};

/** Steps that are counted before a run; more would take long with dear optimizers. */
const counted = 20;

/** Lines about the run before it begins, after all warnings. */
const announce =
  (
    world: World,
    isJson: boolean,
    { plan, data }: Pick<Ready, 'plan' | 'data'>,
    report: BackendReport,
    costs: ReadonlyArray<CostLine>,
  ): IO.IO<void> =>
  () => {
    [...plan.warnings, ...report.warnings, ...data.warnings].forEach((warning) => world.err(`warning: ${warning}`)());
    if (isJson) return;
    const { task, options } = plan;
    const { accumulate = 1 } = plan.backend;
    const batch = `batch ${options.batch}${accumulate === 1 ? '' : ` in ${accumulate} parts`}`;
    const examples = `${data.train.size.toLocaleString('en-US')} examples, ${batch}, seed ${options.seed}`;
    const threads = `${report.threads} ${report.threads === 1 ? 'thread' : 'threads'}`;
    world.err(`${task.name}-${task.size}: ${examples}`)();
    world.err(`${report.backend}: ${report.library}, ${threads}`)();
    costs.filter(({ cost }) => cost !== null).forEach(({ text }) => world.err(text)());
  };

interface Compared {
  readonly backend: BackendReport;
  readonly outcomes: ReadonlyArray<Concluded>;
}

/** States take several times what parameters take, and a comparison has several of them. */
const withoutState = (outcome: Outcome): Ended => {
  if (outcome._tag === 'Failed') return outcome;
  const result = { ...outcome.result, state: null };
  return { ...outcome, result };
};

/** What is run: a plan with its task as the data made it, the data, the parameters to start from or what it goes on from. */
interface Ready {
  readonly plan: Plan;
  readonly data: Loaded;
  readonly start: Params<Tensor> | undefined;
  readonly resumption: Resumption | null;
}

/** Parameters to start from, where they are asked for: those of a file of ours, or else of PyTorch's. */
const startOf = (
  { files }: World,
  { start, task: { networks } }: Plan,
): TE.TaskEither<KfacError, Params<Tensor> | undefined> =>
  start === undefined
    ? TE.right(undefined)
    : pipe(
        readSafetensors(files, start),
        TE.map((found) => {
          const learned = isOf(networks, found) ? null : fromTorch(networks, found);
          return learned?._tag === 'Right' ? learned.right.params : found; // what is neither is refused as ours
        }),
      );

const runOn =
  (
    world: World,
    isJson: boolean,
    { plan, data, start, resumption }: Ready,
    interrupting: Interrupting,
    checkpoints: RunCheckpoints,
    board: Board,
  ) =>
  <T extends Shaped>(backend: Backend<T>): TE.TaskEither<KfacError, Compared> => {
    const total = stepsOf(plan.options, data.train.size);
    return pipe(
      TE.fromTask(
        isJson || total === 0
          ? T.of([])
          : costLines(
              { task: { ...plan.task, data }, batch: plan.options.batch, hold: plan.hold },
              plan.optimizers,
              Math.min(counted, total),
            ),
      ),
      TE.chainIOK((costs) => announce(world, isJson, { plan, data }, backend.report(), costs)),
      TE.chain(() =>
        runExperiment(
          { backend, clock: world.clock },
          {
            ...plan,
            options: {
              ...plan.options,
              // A state has parameters, and some of them held, already.
              ...(resumption === null ? { hold: plan.hold, ...(start === undefined ? {} : { start }) } : {}),
              steer: () => ({ stop: agreed(world.ranks, interrupting() !== null) }),
            },
            optionsOf: board.optionsOf(backend, checkpoints.optionsOf),
            backoff: { atMost: plan.backoff ?? 0, told: (sentence) => world.err(`warning: ${sentence}`)() },
            goesOn: () => !agreed(world.ranks, interrupting() !== null),
            data,
            observe: (optimizer) => board.observed(optimizer, observerOf(world, isJson, optimizer.name, total)),
            conclude: (outcome) => () => {
              const ended = withoutState(outcome);
              const ending = endLine(ended, world.memory(), interrupting()?.by);
              if (isJson) world.out(ending)();
              return { ...ended, ending };
            },
          },
        ),
      ),
      TE.map((outcomes) => ({ backend: backend.report(), outcomes })),
    );
  };

/** Whether no run came to its end. */
const isFailure = (outcomes: ReadonlyArray<Ended>): boolean => outcomes.every(({ _tag }) => _tag === 'Failed');

/** The report's text, unless a program reads, and what was written; warnings last, so that they are seen. */
const conclude =
  (
    world: World,
    isJson: boolean,
    outcomes: ReadonlyArray<Concluded>,
    notes: ReadonlyArray<string>,
    written: Written,
  ): IO.IO<void> =>
  () => {
    const text = ['', ...reportText(outcomes), '', ...written.files];
    const { ranks } = world;
    if (ranks !== undefined && !isJson) {
      const results = outcomes.flatMap((outcome) => (outcome._tag === 'Failed' ? [] : [outcome.result]));
      const steps = results.reduce((sum, result) => sum + result.history.length, 0);
      const kept = Math.max(0, ...results.map(({ inverseBytes = 0 }) => inverseBytes));
      trafficNotes(ranks, steps, kept).forEach((note) => world.err(note)());
    }
    if (!isJson) text.forEach((line) => world.out(line)());
    [...notes, ...written.warnings].forEach((warning) => world.err(`warning: ${warning}`)());
    const remarks = outcomes.flatMap(remarksOn);
    const word = isFailure(outcomes) ? pc.red('error:') : 'warning:';
    remarks.forEach((remark) => world.err(`${word} ${remark}`)());
  };

/** Whether all processes are about to do the same; where they write and how many threads they have is their own affair. */
const alike = ({ ranks }: World, { plan, data, start, resumption }: Ready): E.Either<KfacError, void> => {
  if (ranks === undefined) return E.right(undefined);
  const configuration = configurationIn({ ...plan, backend: { ...plan.backend, threads: 1 } });
  const { train, test } = data;
  const some = (set: Dataset): unknown => [set.name, set.size, set.batch(Int32Array.of(0, set.size - 1))];
  return checkAlike(ranks, {
    code: [installedVersion(), process.version],
    configuration,
    data: [some(train), some(test)],
    'first parameters': start ?? null,
    checkpoints: Object.values(resumption?.found ?? {}).map(({ checkpoint }) => checkpoint.snapshot.state.step),
  });
};

/** Trains, writes and tells; ends with the code of what has interrupted it, with 1 where no run came to its end or was saved. */
const runReady = (
  world: World,
  command: TrainingCommand,
  place: Taken | null,
  ready: Ready,
): TE.TaskEither<KfacError, number> =>
  interruptible(world, (interrupting) => {
    const isJson = command.flags['json'] === true;
    const { plan, data, resumption } = ready;
    const total = stepsOf(plan.options, data.train.size);
    const checkpoints = checkpointsFor(world, command, plan, data, place, resumption, interrupting);
    const board = boardFor(world, plan, place, resumption, total);
    return pipe(
      TE.Do,
      TE.chainFirstEitherK(() => alike(world, ready)),
      TE.bind('ended', () =>
        withBackend(
          backendWith(plan.backend, world.ranks),
          runOn(world, isJson, ready, interrupting, checkpoints, board),
        ),
      ),
      TE.bind('saved', ({ ended }) => TE.fromTask(checkpoints.account(ended.outcomes))),
      TE.let('notes', ({ ended }) => stoppedNotes(interrupting(), plan, total, ended.outcomes)),
      TE.bind('written', ({ ended, notes, saved }) =>
        writeTo(world, place, { plan, data, notes: [...notes, ...saved.onward], ...ended }),
      ),
      TE.chainFirstTaskK(({ ended, written }) => board.figures(ended.outcomes, written.files)),
      TE.chainFirstIOK(({ ended, notes, written }) =>
        conclude(world, isJson, ended.outcomes, interrupting()?.isQuiet === true ? [] : notes, written),
      ),
      TE.chainFirstIOK(({ saved }) => () => {
        saved.failures.forEach((error) => world.err(`${pc.red('error:')} ${notSaved(error)}`)());
        if (interrupting()?.isQuiet !== true) saved.onward.forEach((sentence) => world.err(sentence)());
      }),
      TE.map(
        ({ ended, saved }) =>
          interrupting()?.exitCode ?? (isFailure(ended.outcomes) || saved.failures.length > 0 ? 1 : 0),
      ),
    );
  });

const runPlan = (
  world: World,
  command: TrainingCommand,
  asked: Plan,
  resumption: Resumption | null,
): TE.TaskEither<KfacError, number> =>
  pipe(
    TE.Do,
    TE.bind('place', () => TE.fromIO(() => placeOf(world, command, asked, resumedDirectory(resumption, asked.out)))),
    TE.chainFirst(({ place }) => (place === null ? TE.right(undefined) : world.files.canWrite(place.directory))),
    TE.chain(({ place }) => replacing(world, place, command.flags['replace'] === true)),
    TE.chain((place) =>
      taking(world, place, (taken) =>
        pipe(
          TE.Do,
          TE.bind('data', () => asked.task.load(world.files, asked.data)),
          TE.let('plan', ({ data }): Plan => ({ ...asked, task: data.task })),
          TE.bind('start', ({ plan }) => (resumption === null ? startOf(world, plan) : TE.right(undefined))),
          TE.chainFirstEitherK(({ plan, data }) => checkResumption(resumption, command, plan, { ...plan.task, data })),
          TE.chain((ready) => runReady(world, command, taken, { ...ready, resumption })),
        ),
      ),
    ),
  );

/**
 * Runs a training command to its end: plan, data, training, report.
 *
 * Whatever can be found wrong before training is, the report's directory included.
 *
 * @param world - what the program may do
 * @param command - what to do
 * @param tasks - what can be learned
 * @returns what the program ends with: 0, 1 where no run came to its end, or the code of what has interrupted it
 */
export const runTraining = (
  world: World,
  command: TrainingCommand,
  tasks: ReadonlyArray<TaskFamily>,
): TE.TaskEither<KfacError, number> =>
  pipe(
    TE.Do,
    TE.bind('resumption', () => readResumption(world, command)),
    TE.bind('file', () => readSource(world, command)),
    TE.let('source', ({ resumption, file }) => resumedSource(resumption, file)),
    TE.chain(({ resumption, source }) =>
      pipe(
        TE.fromEither(planFrom(command, source, tasks)),
        TE.chain((plan) => runPlan(world, command, plan, resumption)),
        TE.mapLeft(asGiven({ flags: command.flags, file: source })),
      ),
    ),
  );
