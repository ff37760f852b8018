/**
 * `kfac plan`: what a step would take on so many processes, where more of them stop to help, and who should keep the inverses.
 *
 * Operations and messages of the busiest process are counted, the rate of this machine is measured on a few steps, and what messages take
 * is measured under mpirun, or given.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { withBackend } from '../../core/backends/choice/choose.ts';
import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import { iterate } from '../../core/iterate.ts';
import { measureMessages } from '../../core/parallel/measure.ts';
import type { Forecast, Machine, Pace, Sharing } from '../../core/parallel/plan/forecast.ts';
import { rankCost, secondsOf } from '../../core/parallel/plan/forecast.ts';
import type { GradientWorkers } from '../../core/parallel/spread/rows.ts';
import { workersFor } from '../../core/parallel/spread/rows.ts';
import { countingBackend } from '../../core/pipeline/count.ts';
import type { Env } from '../../core/pipeline/env.ts';
import { byStage } from '../../core/pipeline/metrics.ts';
import { takeStep } from '../../core/pipeline/takeStep.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import { placeState } from '../../core/pipeline/transfer.ts';
import type { Shaped } from '../../core/tensor.ts';
import { positive } from '../../solvers/settings/range.ts';
import type { Plan } from '../config/plan.ts';
import { planOf } from '../config/plan.ts';
import { range } from '../data/batches.ts';
import { backendAlone } from '../ranks.ts';
import { showNumber, textTable } from '../reports/table.ts';
import type { TaskFamily } from '../tasks/task.ts';
import { settledForecast } from '../trainer/counted.ts';
import type { World } from '../world.ts';
import type { RawFlags } from './options.ts';
import { configOfFlags, namesIn, optimizersOfFlags, textsOf } from './options.ts';
import { numberFrom } from './overRun.ts';

/** What the command asks for. */
export interface PlanCommand {
  readonly name: 'plan';
  readonly task: string;
  readonly flags: RawFlags;
}

/** Steps that are counted: enough for every period that a preset has. */
const counted = 100;

/** Steps by which the pace is measured, after one that is not: usual ones, and as many in which all is due that is done now and then. */
const timed = 3;

/** Of a fast network, where nothing is measured or given. */
const usual = { latency: 20e-6, bandwidth: 1e9 };

const ranksIn = (flags: RawFlags): E.Either<KfacError, ReadonlyArray<number>> => {
  const [text = '2,4,8,16,32'] = textsOf(flags['ranks']);
  const counts = namesIn(text).map(Number);
  return counts.length > 0 && counts.every((count) => Number.isInteger(count) && count >= 1)
    ? E.right(counts)
    : E.left({
        _tag: 'BadConfig',
        path: '--ranks',
        expected: 'numbers of processes, with commas between',
        actual: text,
      });
};

/** What messages take: as it was given, as it is between these processes, or as is usual. */
const messagesOf = (
  { ranks, clock }: World,
  flags: RawFlags,
): E.Either<KfacError, Pick<Machine, 'latency' | 'bandwidth'>> =>
  pipe(
    E.Do,
    E.apS('latency', numberFrom(flags, 'latency', positive)),
    E.apS('bandwidth', numberFrom(flags, 'bandwidth', positive)),
    E.chain(({ latency, bandwidth }) =>
      attempt(() => {
        const size = ranks?.collective.size ?? 1;
        const found = ranks === undefined ? null : measureMessages(ranks.collective, clock);
        const measured =
          found === null
            ? usual
            : {
                latency: found.latency / Math.ceil(Math.log2(size)),
                bandwidth: found.bandwidth * 2 * (1 - 1 / size),
              };
        return {
          latency: latency === undefined ? measured.latency : latency / 1e6,
          bandwidth: bandwidth === undefined ? measured.bandwidth : bandwidth * 1e6,
        };
      }),
    ),
  );

type Stages = Readonly<Record<string, number>>;

/** Stages of a usual step and of a dear one: their operations, or their seconds. */
interface Kinds {
  readonly usual: Stages;
  readonly dear: Stages;
}

/** What each stage takes in the mean of some steps. */
const meanOf = (steps: ReadonlyArray<Stages>): Stages =>
  Object.fromEntries(
    [...new Set(steps.flatMap((stages) => Object.keys(stages)))].map((stage) => [
      stage,
      steps.reduce((sum, stages) => sum + (stages[stage] ?? 0), 0) / steps.length,
    ]),
  );

/** Takes a step, which is not counted, then usual ones, and then dear ones: at the step of the first, where all is due. */
const kindsOf =
  ({ step, state, batch }: Forecast) =>
  <T extends Shaped>(env: Env<T>): TE.TaskEither<KfacError, Kinds> =>
    pipe(
      iterate<KfacError, { readonly at: TrainState<T>; readonly seen: ReadonlyArray<Stages> }, ReadonlyArray<Stages>>(
        { at: placeState(env.backend.ops, state), seen: [] },
        ({ at, seen }) =>
          seen.length > 2 * timed
            ? TE.right(E.right(seen))
            : pipe(
                takeStep(env, step, seen.length > timed ? { ...at, step: state.step } : at, batch),
                TE.map((stepped) => E.left({ at: stepped.state, seen: [...seen, byStage(stepped.metrics)] })),
              ),
      ),
      TE.map((seen) => ({ usual: meanOf(seen.slice(1, timed + 1)), dear: meanOf(seen.slice(timed + 1)) })),
    );

const perOperation = (seconds: number, operations: number): number =>
  operations > 0 ? Math.max(0, seconds) / operations : 0;

/** How this machine goes about the stages of a task's steps, by itself: seconds of each for the operations that are counted there. */
const pacesOf = (
  { clock, ranks }: World,
  plan: Plan,
  forecast: Forecast,
): TE.TaskEither<KfacError, Machine['paces']> => {
  const { backend, operations } = countingBackend();
  return pipe(
    TE.Do,
    TE.apS('counted', kindsOf(forecast)({ backend, clock: operations })),
    TE.apS(
      'seconds',
      withBackend(backendAlone(plan.backend, ranks), (own) => kindsOf(forecast)({ backend: own, clock })),
    ),
    TE.map(({ counted: { usual, dear }, seconds }) =>
      Object.fromEntries(
        Object.keys(dear).map((stage): [string, Pace] => [
          stage,
          {
            always: perOperation(seconds.usual[stage] ?? 0, usual[stage] ?? 0),
            periodic: perOperation(
              (seconds.dear[stage] ?? 0) - (seconds.usual[stage] ?? 0),
              dear[stage] - (usual[stage] ?? 0),
            ),
          },
        ]),
      ),
    ),
  );
};

/** A row of the plan. */
interface Row {
  readonly ranks: number;
  readonly gradientWorkers: GradientWorkers;
  readonly seconds: number;
  readonly operations: number;
  /** That come to the busiest process. */
  readonly megabytes: number;
  readonly messages: number;
  /** Megabytes of inverses that the process with most of them keeps. */
  readonly inverseMegabytes: number;
}

/** The ways to share inverses out, who keeps most of them first: all processes, some, one. */
const sharesOf = (ranks: number): ReadonlyArray<GradientWorkers> =>
  workersFor(ranks)
    .filter((workers) => Number.isInteger(Math.log2(ranks / workers)) || workers === 1)
    .map((workers) => (workers === ranks ? 'all' : workers === 1 ? 'one' : workers / ranks));

const rowsFor = (
  forecast: Forecast,
  options: Pick<Sharing, 'wire' | 'accumulate'>,
  machine: Machine,
  counts: ReadonlyArray<number>,
): TE.TaskEither<KfacError, ReadonlyArray<Row>> =>
  pipe(
    [1, ...counts.filter((count) => count > 1)].flatMap((ranks) =>
      sharesOf(ranks).map((workers) => [ranks, workers] as const),
    ),
    TE.traverseSeqArray(([ranks, gradientWorkers]) =>
      pipe(
        rankCost(forecast, { ...options, ranks, gradientWorkers }),
        TE.map((cost) => ({
          ranks,
          gradientWorkers,
          seconds: secondsOf(machine, cost),
          operations: cost.operations + cost.factorisations,
          megabytes: ranks === 1 ? 0 : cost.carried / 1e6,
          messages: ranks === 1 ? 0 : cost.messages,
          inverseMegabytes: cost.inverses / 1e6,
        })),
      ),
    ),
  );

const text = (optimizer: string, machine: Machine, rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const [alone] = rows;
  const isLast = ({ ranks }: Row): boolean => ranks === Math.max(...rows.map((row) => row.ranks));
  const { ranks: enough } = rows.reduce((fastest, row) => (row.seconds < 0.95 * fastest.seconds ? row : fastest));
  const ofThese = rows.filter(({ ranks }) => ranks === enough);
  const least = Math.min(...ofThese.map(({ seconds }) => seconds));
  const best = ofThese
    .filter(({ seconds }) => seconds <= 1.02 * least)
    .reduce((smallest, row) => (row.inverseMegabytes < smallest.inverseMegabytes ? row : smallest));
  return [
    `${optimizer}: ${showNumber(alone.operations / alone.seconds / 1e9)} GFLOP/s by one process; a message takes ${showNumber(1e6 * machine.latency)} µs and ${showNumber(machine.bandwidth / 1e6)} MB/s`,
    '',
    ...textTable(
      [
        { title: 'processes' },
        { title: 'inverses', align: 'left' },
        { title: 'ms/step' },
        { title: 'faster' },
        { title: 'efficiency' },
        { title: 'MB/step' },
        { title: 'messages' },
        { title: 'MB inverses' },
      ],
      rows.map((row) => [
        row.ranks,
        String(row.gradientWorkers),
        1000 * row.seconds,
        alone.seconds / row.seconds,
        `${Math.round((100 * alone.seconds) / row.seconds / row.ranks)}%`,
        row.megabytes,
        row.messages,
        row.inverseMegabytes,
      ]),
    ),
    '',
    best === alone
      ? 'One process is as fast as any of these numbers.'
      : `${best.ranks} processes with --gradient-workers ${best.gradientWorkers}: ${isLast(best) ? 'the fastest of these' : 'more of them do not make a step 5% faster'}.`,
  ];
};

/**
 * Prints what a step would take on so many processes, or with `--json` gives each row as one line.
 *
 * @param world - where to print
 * @param command - which task
 * @param tasks - what can be learned
 */
export const runPlan = (
  world: World,
  command: PlanCommand,
  tasks: ReadonlyArray<TaskFamily>,
): TE.TaskEither<KfacError, void> => {
  const { flags } = command;
  const [name] = optimizersOfFlags(flags) ?? ['kfac'];
  const own = ['ranks', 'latency', 'bandwidth'];
  const rest = Object.fromEntries(Object.entries(flags).filter(([flag]) => !own.includes(flag)));
  return pipe(
    E.Do,
    E.apS('counts', ranksIn(flags)),
    E.apS('config', configOfFlags(rest, [name])),
    E.bind('plan', ({ config }) => planOf(command.task, [name], config, tasks)),
    TE.fromEither,
    TE.bind('data', ({ plan }) => plan.task.load(world.files, plan.data)),
    TE.bind('forecast', ({ plan, data }) => {
      const batch = data.train.batch(range(0, Math.min(plan.options.batch, data.train.size)));
      return TE.fromEither(settledForecast(data.task, plan.optimizers[0], batch, counted));
    }),
    TE.bind('paces', ({ plan, forecast }) => pacesOf(world, plan, forecast)),
    TE.bind('messages', () => TE.fromEither(messagesOf(world, flags))),
    TE.let('machine', ({ paces, messages }) => ({ paces, ...messages })),
    TE.bind('rows', ({ plan, forecast, machine, counts }) => rowsFor(forecast, plan.backend, machine, counts)),
    TE.map(({ machine, rows }) => {
      const lines = flags['json'] === true ? rows.map((row) => JSON.stringify(row)) : text(name, machine, rows);
      lines.forEach((line) => world.out(line)());
    }),
  );
};
