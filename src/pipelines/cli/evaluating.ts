/**
 * `kfac evaluate`: what a run came to, judged again on the data that it had or on others.
 *
 * @module
 */
import type * as IO from 'fp-ts/lib/IO.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import { withBackend } from '../../core/backends/choice/choose.ts';
import type { KfacError } from '../../core/errors.ts';
import type { Metrics } from '../../core/pipeline/metrics.ts';
import type { Shaped } from '../../core/tensor.ts';
import { measureWords } from '../reports/resultTable.ts';
import { textTable } from '../reports/table.ts';
import type { LoadedRun } from '../loading/loadRun.ts';
import type { Loaded, TaskFamily } from '../tasks/task.ts';
import type { Evaluation } from '../trainer/evaluate.ts';
import { evaluate } from '../trainer/evaluate.ts';
import { judgedOf } from '../trainer/learning.ts';
import type { World } from '../world.ts';
import type { RunCommand } from './overRun.ts';
import { backendFrom, runFrom } from './overRun.ts';

/** The examples that were judged, and what was found. */
interface Judged {
  readonly on: string;
  readonly examples: number;
  readonly found: Evaluation;
}

const lines = (optimizer: string, judged: ReadonlyArray<Judged>): ReadonlyArray<string> => {
  const measures = [...new Set(judged.flatMap(({ found }) => Object.keys(found.measures)))];
  return textTable(
    [
      { title: optimizer, align: 'left' },
      { title: 'examples' },
      { title: 'loss' },
      ...measures.map((name) => ({ title: measureWords(name) })),
    ],
    judged.map(({ on, examples, found }) => [
      on,
      examples,
      found.loss,
      ...measures.map((name) => (Object.hasOwn(found.measures, name) ? found.measures[name] : '–')),
    ]),
  );
};

const json = (optimizer: string, { on, examples, found: { loss, measures } }: Judged): string =>
  JSON.stringify({ optimizer, on, examples, loss, ...measures });

/** Numbers that a look at the model gives, where the task has some. */
const lookedAt = <T extends Shaped>(
  backend: Backend<T>,
  { params, running }: LoadedRun,
  { task: { preview }, ...data }: Loaded,
): TE.TaskEither<KfacError, Metrics> => {
  const numbers = preview?.numbers;
  return preview === null || numbers === undefined
    ? TE.right({})
    : pipe(preview.look(backend, { params, held: {}, running }, data), TE.map(numbers));
};

const withMeasures = (judged: Judged, numbers: Metrics): Judged => ({
  ...judged,
  found: { ...judged.found, measures: { ...judged.found.measures, ...numbers } },
});

/**
 * Judges a run on its training and test examples.
 *
 * @param world - files and output
 * @param command - which run, on which data
 * @param tasks - what can be learned
 */
export const runEvaluate = (
  world: World,
  command: RunCommand,
  tasks: ReadonlyArray<TaskFamily>,
): TE.TaskEither<KfacError, void> =>
  pipe(
    TE.Do,
    TE.bind('backend', () => TE.fromEither(backendFrom(command))),
    TE.bind('run', () => runFrom(world, command, tasks)),
    TE.bind('loaded', ({ run }) => {
      const { data } = command.flags;
      return run.task.load(world.files, typeof data === 'string' ? data : run.config.data);
    }),
    TE.bind('judged', ({ backend: choice, run, loaded }) =>
      withBackend(choice, (backend) =>
        pipe(
          [
            ['train', { ...loaded.train, size: judgedOf(loaded.task, loaded.train) }],
            ['test', loaded.test],
          ] as const,
          TE.traverseSeqArray(([on, examples]) =>
            pipe(
              evaluate(backend, loaded.task, run.params, examples, { running: run.running }),
              TE.map((found): Judged => ({ on, examples: examples.size, found })),
            ),
          ),
          TE.chain((judged) =>
            pipe(
              lookedAt(backend, run, loaded),
              TE.map((numbers) => judged.map((each) => (each.on === 'test' ? withMeasures(each, numbers) : each))),
            ),
          ),
        ),
      ),
    ),
    TE.chainIOK(({ run: { optimizer }, judged, loaded }): IO.IO<void> => () => {
      loaded.warnings.forEach((warning) => world.err(`warning: ${warning}`)());
      const text =
        command.flags['json'] === true ? judged.map((each) => json(optimizer, each)) : lines(optimizer, judged);
      text.forEach((line) => world.out(line)());
    }),
  );
