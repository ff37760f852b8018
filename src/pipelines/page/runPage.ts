/**
 * A run as one page: what happened in words, curves, what steps report, where their time went, spectra of the curvature, samples,
 * configuration.
 *
 * @module
 */
import { extname, join } from 'node:path';

import { pipe } from 'fp-ts/lib/function.js';
import * as RA from 'fp-ts/lib/ReadonlyArray.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError, NotDrawn } from '../../core/errors.ts';
import { describeError } from '../../core/errors.ts';
import { checkpointsOf, withCheckpoints } from '../checkpoints/runCheckpoints.ts';
import { loadLatest } from '../checkpoints/store.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { readDescription } from '../loading/configuration.ts';
import type { CourseOf } from '../loading/metrics.ts';
import { readCourses } from '../loading/metrics.ts';
import { chartDrawing, linesOf } from '../reports/chartFigure.ts';
import { configurationName } from '../reports/earlierRun.ts';
import { wordsName } from '../reports/folderFormat.ts';
import type { Spectrum } from '../reports/spectra.ts';
import { spectraOf } from '../reports/spectra.ts';
import { escaped, pageOf, paragraphs, picture, section } from './html.ts';
import { spectrumFigure, spectrumTable } from './spectrumFigure.ts';
import { stageTable } from './stageTable.ts';
import type { StepChart } from './stepCharts.ts';
import { stepCharts } from './stepCharts.ts';

/** A run to look at. */
export interface RunPage {
  readonly html: string;
  /** What is missing, in sentences. */
  readonly warnings: ReadonlyArray<string>;
}

/** A part of the page, and what is missing from it. */
interface Part {
  readonly html: ReadonlyArray<string>;
  readonly warnings: ReadonlyArray<string>;
}

const nothing: Part = { html: [], warnings: [] };

const joined = (parts: ReadonlyArray<Part>): Part => ({
  html: parts.flatMap(({ html }) => html),
  warnings: parts.flatMap(({ warnings }) => warnings),
});

/** A drawing, or why there is none: a figure that is missing does not take the rest of the page with it. */
const drawn = (drawing: TE.TaskEither<NotDrawn, string>, about: string): TE.TaskEither<KfacError, Part> =>
  pipe(
    drawing,
    TE.matchW(
      (missing) => ({ html: [], warnings: [describeError(missing)] }),
      (svg) => ({ html: [picture('image/svg+xml', svg, about)], warnings: [] }),
    ),
    TE.fromTask,
  );

const textAt = (files: FileSystem, path: string): TE.TaskEither<KfacError, string> =>
  pipe(
    files.read(path),
    TE.map((bytes) => new TextDecoder().decode(bytes)),
  );

/** Pictures of the run's own report: one of two that differ in their format only. */
const picturesAmong = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.filter(
    (name) => extname(name) === '.svg' || (extname(name) === '.png' && !names.includes(name.replace(/png$/, 'svg'))),
  );

const pictures = (files: FileSystem, directory: string, names: ReadonlyArray<string>): TE.TaskEither<KfacError, Part> =>
  pipe(
    picturesAmong(names),
    TE.traverseSeqArray((name) => {
      const path = join(directory, name);
      return pipe(
        files.exists(path),
        TE.chain((isThere) => (isThere ? pipe(files.read(path), TE.map(RA.of)) : TE.right(RA.empty))),
        TE.map((found): Part => {
          const html = found.map((bytes) => picture(name.endsWith('svg') ? 'image/svg+xml' : 'image/png', bytes, name));
          return { html, warnings: [] };
        }),
      );
    }),
    TE.map(joined),
  );

const chartPart =
  (courses: ReadonlyArray<CourseOf>) =>
  ({ heading, words, chart }: StepChart): TE.TaskEither<KfacError, Part> => {
    const lines = courses.flatMap((course) => linesOf(chart, course.optimizer, course));
    return lines.length === 0
      ? TE.right(nothing)
      : pipe(
          drawn(chartDrawing(chart, lines, ''), heading),
          TE.map(({ html, warnings }) => ({ html: [section(heading, [paragraphs([words]), ...html])], warnings })),
        );
  };

/** Spectra that were found, and what was not. */
interface FoundSpectra extends Pick<Part, 'warnings'> {
  readonly spectra: ReadonlyArray<Spectrum>;
}

/** Spectra of an optimizer's last checkpoint; none where it cannot be read, which is said. */
const spectraIn = (files: FileSystem, directory: string, optimizer: string): TE.TaskEither<KfacError, FoundSpectra> =>
  pipe(
    loadLatest(files, checkpointsOf(directory, optimizer)),
    TE.chain((found) => (found === null ? TE.right([]) : spectraOf(found.checkpoint.snapshot.state))),
    TE.match(
      (error): FoundSpectra => ({
        spectra: [],
        warnings: [`There are no spectra of ${optimizer}. ${describeError(error)}`],
      }),
      (spectra): FoundSpectra => ({ spectra, warnings: [] }),
    ),
    TE.fromTask,
  );

const spectrumPart =
  (files: FileSystem, directory: string) =>
  (optimizer: string): TE.TaskEither<KfacError, Part> =>
    pipe(
      spectraIn(files, directory, optimizer),
      TE.chain(({ spectra, warnings }) =>
        spectra.length === 0
          ? TE.right<KfacError, Part>({ html: [], warnings })
          : pipe(
              drawn(spectrumFigure(spectra), `spectra of the factors of ${optimizer}`),
              TE.map((figure): Part => ({
                html: [`<h3>${escaped(optimizer)}</h3>`, ...figure.html, spectrumTable(spectra)],
                warnings: [...warnings, ...figure.warnings],
              })),
            ),
      ),
    );

const spectraWords =
  'Eigenvalues of the averaged factors in the last checkpoint. Those of a block’s curvature are the products of one of A and one ' +
  'of G: where they are far above λ a step is Newton’s, where they are far below it is gradient descent’s. Presets without ' +
  'units measure λ against each block’s own curvature.';

/**
 * The page of a run that is over.
 *
 * @param files - where to read
 * @param directory - the run's folder
 * @example
 * ```ts no-run
 * import { nodeFileSystem, runPage } from 'kfac-ts/pipelines';
 *
 * const page = await runPage(nodeFileSystem, 'runs/today')();
 * ```
 */
export const runPage = (files: FileSystem, directory: string): TE.TaskEither<KfacError, RunPage> =>
  pipe(
    TE.Do,
    TE.bind('description', () => readDescription(files, directory)),
    TE.bind('courses', () => readCourses(files, directory)),
    TE.bind('words', () => textAt(files, join(directory, wordsName))),
    TE.bind('configuration', () => textAt(files, join(directory, configurationName))),
    TE.bind('shown', ({ description }) => pictures(files, directory, description.files)),
    TE.bind('charts', ({ courses }) =>
      pipe(stepCharts(courses), TE.traverseSeqArray(chartPart(courses)), TE.map(joined)),
    ),
    TE.bind('spectra', () =>
      pipe(
        withCheckpoints(files, directory),
        TE.chain(TE.traverseSeqArray(spectrumPart(files, directory))),
        TE.map(joined),
      ),
    ),
    TE.map(({ courses, words, configuration, shown, charts, spectra }) => {
      const [title, ...lines] = words.trimEnd().split('\n');
      const html = pageOf(title, [
        section('What came of it', [`<pre>${escaped(lines.join('\n').trim())}</pre>`]),
        section('Curves and samples', shown.html),
        ...charts.html,
        section('Time', courses.flatMap(stageTable)),
        section(
          'Spectra of the factors',
          spectra.html.length === 0 ? [] : [paragraphs([spectraWords]), ...spectra.html],
        ),
        section('Configuration', [`<pre>${escaped(configuration.trimEnd())}</pre>`]),
      ]);
      return { html, warnings: [...new Set([...shown.warnings, ...charts.warnings, ...spectra.warnings])] };
    }),
  );
