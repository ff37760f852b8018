/**
 * The report of a run as a directory: configuration, what happened in words, metrics, parameters, figures.
 *
 * Everything is written when training has ended, each file as a whole, so a run that fails leaves nothing behind. Parameters
 * are first, and figures, which can fail, last.
 *
 * @module
 */
import { join } from 'node:path';

import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { BackendReport } from '../../core/backends/backend.ts';
import type { Params } from '../../core/params.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { KfacError, NotDrawn } from '../../core/errors.ts';
import { describeError } from '../../core/errors.ts';
import type { Plan } from '../config/plan.ts';
import { configurationIn } from '../config/planned.ts';
import type { Splits } from '../data/dataset.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { encodeSafetensors } from '../safetensors/encode.ts';
import { toTorch } from '../torch/convert.ts';
import type { Exhibit } from '../tasks/exhibit.ts';
import type { Chart } from '../tasks/task.ts';
import type { ChartLine } from './chartFigure.ts';
import { chartFigure, linesOf } from './chartFigure.ts';
import { configurationName } from './earlierRun.ts';
import { folderFormat, metricsName, parametersName, runningName, torchName, wordsName } from './folderFormat.ts';
import type { Ended } from './ended.ts';
import { courseOf, remarksOn } from './ended.ts';
import { historyLines } from './jsonLines.ts';
import { labelledGrid } from './labelledGrid.ts';
import { lossFigure } from './lossFigure.ts';
import { pointGrid } from './pointGrid.ts';
import type { Figure } from './vegaFigure.ts';
import { reportText } from './reportText.ts';

/** A run that has ended. */
export interface Report {
  readonly plan: Plan;
  readonly data: Splits;
  readonly backend: BackendReport;
  readonly outcomes: ReadonlyArray<Concluded>;
  /** What else there is to say, in sentences. */
  readonly notes?: ReadonlyArray<string>;
}

/** A run that has ended, and the line that ends its metrics. */
export type Concluded = Ended & { readonly ending: string };

/** What was written. */
export interface Written {
  /** Paths of the files. */
  readonly files: ReadonlyArray<string>;
  /** Why some figures are missing. */
  readonly warnings: ReadonlyArray<string>;
}

interface File {
  readonly name: string;
  readonly content: Uint8Array | string;
}

/** File of something that a task has to show. */
const exhibitName = ({ kind, name }: Exhibit): string => (kind === 'file' ? name : `${name}.png`);

const isEmpty = (tensors: Params<Tensor>): boolean => Object.keys(tensors).length === 0;

/** Names of all files of a report; figures that cannot be drawn are missing. */
const filesOf = ({ plan, outcomes }: Pick<Report, 'plan' | 'outcomes'>): ReadonlyArray<string> => [
  ...outcomes.flatMap((ended) =>
    ended._tag === 'Failed'
      ? []
      : [
          parametersName(ended.optimizer.name),
          ...(isEmpty(ended.result.running) ? [] : [runningName(ended.optimizer.name)]),
          ...(plan.export === undefined ? [] : [torchName(ended.optimizer.name)]),
        ],
  ),
  ...Object.keys(plan.task.kept),
  configurationName,
  metricsName,
  wordsName,
  ...['loss', ...chartsOf({ plan, outcomes }).map(({ chart }) => chart.name)].flatMap((name) => [
    `${name}.svg`,
    `${name}.png`,
  ]),
  ...exhibits({ plan, outcomes }).map(exhibitName),
];

/** What computed; how much memory its arrays had taken by then is no part of it, and another run's need not be the same. */
const computedBy = (backend: BackendReport) => ({ ...backend, memory: undefined });

/** The configuration of the run, which `--config` takes again, and what else is worth knowing. */
const configurationOf = ({ plan, data, backend, outcomes }: Report): string => {
  const document = {
    ...configurationIn(plan),
    about: {
      format: folderFormat,
      networks: plan.task.networks.map((network) => network.name),
      loss: plan.task.loss.label,
      data: {
        train: { name: data.train.name, size: data.train.size },
        test: { name: data.test.name, size: data.test.size },
      },
      backend: computedBy(backend),
      files: filesOf({ plan, outcomes }),
      kept: Object.keys(plan.task.kept),
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
};

const metricsOf = ({ outcomes }: Report): string =>
  `${outcomes.flatMap((outcome) => [...historyLines(outcome), outcome.ending]).join('\n')}\n`;

/** What a person reads first. */
const wordsOf = ({ plan, outcomes, notes = [] }: Report): string => {
  const remarks = [...notes, ...outcomes.flatMap(remarksOn)];
  const lines = [titleOf({ plan }), '', ...reportText(outcomes), ...(remarks.length === 0 ? [] : ['', ...remarks])];
  return `${lines.join('\n')}\n`;
};

const parametersOf = ({ plan, outcomes }: Report): ReadonlyArray<File> =>
  outcomes.flatMap((ended) => {
    if (ended._tag === 'Failed') return [];
    const { params, running, paramsFrom } = ended.result;
    const { name } = ended.optimizer;
    const metadata = {
      model: plan.task.networks.map((network) => network.name).join(', '),
      optimizer: name,
      steps: String(paramsFrom),
    };
    return [
      { name: parametersName(name), content: encodeSafetensors(params, metadata) },
      ...(isEmpty(running) ? [] : [{ name: runningName(name), content: encodeSafetensors(running, metadata) }]),
    ];
  });

/** What the task needs besides, to be used again. */
const keptOf = ({ plan: { task } }: Report): ReadonlyArray<File> =>
  Object.entries(task.kept).map(([name, content]) => ({ name, content }));

/** Files that are made, or why they are not. */
type Making = TE.TaskEither<KfacError, ReadonlyArray<File>>;

/** Files that are drawn, or why they are not. */
type Drawing = TE.TaskEither<NotDrawn, ReadonlyArray<File>>;

/** Parameters for others, where they were asked for. */
const exportsOf = ({ plan: { task, export: format }, outcomes }: Report): Making =>
  pipe(
    outcomes,
    TE.traverseSeqArray((ended) =>
      format === undefined || ended._tag === 'Failed'
        ? TE.right<KfacError, ReadonlyArray<File>>([])
        : pipe(
            TE.fromEither(toTorch(task.networks, ended.result)),
            TE.map((arrays) => [
              { name: torchName(ended.optimizer.name), content: encodeSafetensors(arrays, { format: 'pt' }) },
            ]),
          ),
    ),
    TE.map((files) => files.flat()),
  );

/** What a figure is of. */
const titleOf = ({ plan: { task, options } }: Pick<Report, 'plan'>): string =>
  `${task.name}-${task.size}, batch ${options.batch}, seed ${options.seed}`;

const inBothFormats = (name: string, figure: TE.TaskEither<NotDrawn, Figure>): Drawing =>
  pipe(
    figure,
    TE.map(({ svg, png }) => [
      { name: `${name}.svg`, content: svg },
      { name: `${name}.png`, content: png },
    ]),
  );

/** Curves of what is watched. Steps that report another number than what is judged have figures of their own. */
const lossFigures = (report: Report): Drawing => {
  const { metric = 'loss', name, label } = report.plan.task.loss;
  const curves = report.outcomes.map((ended) => ({ name: ended.optimizer.name, ...courseOf(ended) }));
  const isJudgedAlone = metric !== name && curves.some(({ evaluations }) => evaluations.length > 0);
  const shown = isJudgedAlone ? curves.map((curve) => ({ ...curve, history: [] })) : curves;
  return inBothFormats('loss', lossFigure(shown, { title: titleOf(report), loss: label }));
};

/** A chart with its lines. */
interface Charted {
  readonly chart: Chart;
  readonly lines: ReadonlyArray<ChartLine>;
}

/** The charts that there are numbers for. */
const chartsOf = ({ plan, outcomes }: Pick<Report, 'plan' | 'outcomes'>): ReadonlyArray<Charted> =>
  (plan.task.charts ?? []).flatMap((chart) => {
    const lines = outcomes.flatMap((ended) => linesOf(chart, ended.optimizer.name, courseOf(ended)));
    return lines.length === 0 ? [] : [{ chart, lines }];
  });

const charts = (report: Report): Drawing =>
  pipe(
    chartsOf(report),
    TE.traverseSeqArray(({ chart, lines }) => inBothFormats(chart.name, chartFigure(chart, lines, titleOf(report)))),
    TE.map((files) => files.flat()),
  );

const drawn = (exhibit: Exhibit): TE.TaskEither<NotDrawn, File> => {
  switch (exhibit.kind) {
    case 'images':
      return pipe(
        labelledGrid(exhibit.rows, { image: exhibit.image, zoom: 2, gap: 4 }),
        TE.map((content) => ({ name: exhibitName(exhibit), content })),
      );
    case 'points':
      return pipe(
        pointGrid(exhibit),
        TE.map((content) => ({ name: exhibitName(exhibit), content })),
      );
    case 'file':
      return TE.right(exhibit);
  }
};

/** What the task has to show of all models. */
const exhibits = ({ plan, outcomes }: Pick<Report, 'plan' | 'outcomes'>): ReadonlyArray<Exhibit> =>
  plan.task.preview?.show(
    outcomes.flatMap((ended) =>
      ended._tag === 'Failed' || ended.look === null
        ? []
        : [{ name: ended.optimizer.name, arrays: ended.look, earlier: ended.earlier }],
    ),
  ) ?? [];

const previews = (report: Report): Drawing => pipe(exhibits(report), TE.traverseSeqArray(drawn));

interface Drawn {
  readonly files: ReadonlyArray<File>;
  readonly warnings: ReadonlyArray<string>;
}

/** Files and the warning for missing ones; a missing figure is no failure. */
const orWarn = (drawing: Making): TE.TaskEither<KfacError, Drawn> =>
  pipe(
    drawing,
    TE.matchW(
      (missing) => ({ files: [], warnings: [describeError(missing)] }),
      (files) => ({ files, warnings: [] }),
    ),
    TE.fromTask,
  );

const writeAll = (
  fileSystem: FileSystem,
  directory: string,
  files: ReadonlyArray<File>,
): TE.TaskEither<KfacError, ReadonlyArray<string>> =>
  pipe(
    files,
    TE.traverseSeqArray(({ name, content }) => {
      const path = join(directory, name);
      return pipe(
        fileSystem.write(path, content),
        TE.map(() => path),
      );
    }),
  );

/**
 * Writes the report of a run.
 *
 * @param fileSystem - where to write
 * @param directory - the report's directory
 * @param report - a run that has ended
 * @example
 * ```ts no-run
 * import { nodeFileSystem, type Report, writeReport } from 'kfac-ts/pipelines';
 *
 * declare const report: Report;
 * const written = await writeReport(nodeFileSystem, 'runs/today', report)();
 * ```
 */
export const writeReport = (
  fileSystem: FileSystem,
  directory: string,
  report: Report,
): TE.TaskEither<KfacError, Written> =>
  pipe(
    orWarn(exportsOf(report)),
    TE.bindTo('exported'),
    // What training has made comes first, and before anything is drawn.
    TE.bind('numbers', ({ exported }) =>
      writeAll(fileSystem, directory, [
        ...parametersOf(report),
        ...exported.files,
        ...keptOf(report),
        { name: configurationName, content: configurationOf(report) },
        { name: metricsName, content: metricsOf(report) },
        { name: wordsName, content: wordsOf(report) },
      ]),
    ),
    TE.bind('figures', () => orWarn(lossFigures(report))),
    TE.bind('charted', () => orWarn(charts(report))),
    TE.bind('grid', () => orWarn(previews(report))),
    TE.bind('drawings', ({ figures, charted, grid }) =>
      writeAll(fileSystem, directory, [...figures.files, ...charted.files, ...grid.files]),
    ),
    TE.map(({ exported, numbers, figures, charted, grid, drawings }) => ({
      files: [...numbers, ...drawings],
      warnings: [...exported.warnings, ...figures.warnings, ...charted.warnings, ...grid.warnings],
    })),
  );
