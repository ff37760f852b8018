/**
 * `kfac summary`: what a task's model is made of, what it costs and which curvature each parameter gets; what a step of an
 * optimizer costs beside one of Adam.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as IO from 'fp-ts/lib/IO.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { describeError } from '../../core/errors.ts';
import type { Model } from '../../core/nn/model.ts';
import { summarise } from '../../core/nn/model.ts';
import type { Summary } from '../../core/nn/summary.ts';
import { sizeOf } from '../../core/tensor.ts';
import type { CoverageRow } from '../../curvature/coverage.ts';
import { coverage } from '../../curvature/coverage.ts';
import { kfac } from '../../curvature/kfac.ts';
import type { Plan } from '../config/plan.ts';
import { planOf } from '../config/plan.ts';
import type { Splits } from '../data/dataset.ts';
import { costParts } from '../reports/stepCostText.ts';
import { showNumber, textTable } from '../reports/table.ts';
import type { Task, TaskFamily } from '../tasks/task.ts';
import type { World } from '../world.ts';
import type { CostLine } from './costs.ts';
import { costLines } from './costs.ts';
import type { RawFlags } from './options.ts';
import { configOfFlags, optimizersOfFlags } from './options.ts';

/** What the command asks for. */
export interface SummaryCommand {
  readonly name: 'summary';
  readonly task: string;
  readonly flags: RawFlags;
}

const bytes = (count: number): string => `${showNumber(count / 2 ** 20)} MiB`;

const withoutBatch = (shape: ReadonlyArray<number>): string => shape.slice(1).join(' × ');

const layerTable = ({ rows }: Summary): ReadonlyArray<string> =>
  textTable(
    [
      { title: 'path', align: 'left' },
      { title: 'layer', align: 'left' },
      { title: 'output', align: 'left' },
      { title: 'parameters' },
      { title: 'MFLOP' },
      { title: 'memory' },
    ],
    rows.map((row) => [
      row.path,
      row.label,
      withoutBatch(row.output),
      row.parameters,
      row.flops / 1e6,
      bytes(row.bytes),
    ]),
  );

const coverageTable = (rows: ReadonlyArray<CoverageRow>): ReadonlyArray<string> =>
  textTable(
    [
      { title: 'parameter', align: 'left' },
      { title: 'shape', align: 'left' },
      { title: 'site', align: 'left' },
      { title: 'curvature', align: 'left' },
    ],
    rows.map(({ parameter, shape, site, curvature }) => [parameter, shape.join(' × '), site ?? 'none', curvature]),
  );

const covered = (rows: ReadonlyArray<CoverageRow>): string => {
  const count = (selected: ReadonlyArray<CoverageRow>): number =>
    selected.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const share = (100 * count(rows.filter(({ site }) => site !== null))) / count(rows);
  return share === 100
    ? 'K-FAC covers every parameter.'
    : `K-FAC covers ${showNumber(share)}% of the parameters; the rest gets a diagonal.`;
};

const lines = (description: string, batch: number, summary: Summary, rows: ReadonlyArray<CoverageRow>) => [
  `${summary.name}: ${description}`,
  '',
  ...layerTable(summary),
  '',
  `${showNumber(summary.parameters)} parameters, ${bytes(4 * summary.parameters)} in single precision`,
  `${showNumber(summary.flops / 1e9)} GFLOP and ${bytes(summary.bytes)} for one forward pass over a batch of ${batch}`,
  '',
  ...coverageTable(rows),
  '',
  covered(rows),
];

/** What there is to say of one network. */
interface Summarised {
  readonly summary: Summary;
  readonly rows: ReadonlyArray<CoverageRow>;
}

const summarised =
  (batch: number) =>
  (network: Model): E.Either<KfacError, Summarised> =>
    pipe(E.Do, E.apS('summary', summarise(network, batch)), E.apS('rows', coverage(network, kfac())));

/** Steps that are counted: enough for every period that a preset has. */
const counted = 100;

/** The task as its data make it, with the data, or why there are none. */
interface Found {
  readonly task: Task;
  readonly data: Splits | null;
  readonly missing: string | null;
}

const foundOf = ({ files }: World, { task, data }: Plan): TE.TaskEither<KfacError, Found> =>
  pipe(
    task.load(files, data),
    TE.map((loaded): Found => ({ task: loaded.task, data: loaded, missing: null })),
    // Whoever names data wants those; else a summary does without.
    TE.orElse((error) =>
      data === undefined
        ? TE.right({ task, data: null, missing: `What a step costs is counted with data. ${describeError(error)}` })
        : TE.left(error),
    ),
  );

const costsOf = ({ task, data }: Found, { optimizers, options }: Plan): T.Task<ReadonlyArray<CostLine>> =>
  data === null
    ? T.of([])
    : costLines({ task: { ...task, data }, batch: Math.min(options.batch, data.train.size) }, optimizers, counted);

/** For programs. */
const jsonOf = ({ optimizer, cost }: CostLine): string =>
  JSON.stringify({
    optimizer,
    step: cost === null ? null : { flops: cost.flops, adamSteps: cost.ofAdam, parts: costParts(cost) },
  });

/**
 * Prints the summary of a task's networks and what a step of each optimizer costs, or with `--json` gives each as one line.
 *
 * @param world - where to print
 * @param command - which task
 * @param tasks - what can be learned
 */
export const runSummary = (
  world: World,
  command: SummaryCommand,
  tasks: ReadonlyArray<TaskFamily>,
): TE.TaskEither<KfacError, void> => {
  const names = optimizersOfFlags(command.flags) ?? ['kfac'];
  return pipe(
    configOfFlags(command.flags, names),
    E.chain((config) => planOf(command.task, names, config, tasks)),
    TE.fromEither,
    TE.bindTo('plan'),
    TE.bind('found', ({ plan }) => foundOf(world, plan)),
    TE.bind('networks', ({ plan, found }) =>
      TE.fromEither(E.traverseArray(summarised(plan.options.batch))(found.task.networks)),
    ),
    TE.bind('costs', ({ plan, found }) => TE.fromTask(costsOf(found, plan))),
    TE.chainIOK(({ plan, found, networks, costs }): IO.IO<void> => {
      const text = [
        ...networks.flatMap(({ summary, rows }, i) => [
          ...(i === 0 ? [] : ['']),
          ...lines(found.task.description, plan.options.batch, summary, rows),
        ]),
        '',
        ...costs.map((cost) => cost.text),
        ...(found.missing === null ? [] : [found.missing]),
      ];
      const json = [
        ...networks.map(({ summary, rows }) => JSON.stringify({ ...summary, coverage: rows })),
        ...costs.map(jsonOf),
      ];
      return () => (command.flags['json'] === true ? json : text).forEach((line) => world.out(line)());
    }),
  );
};
