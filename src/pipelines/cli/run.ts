/**
 * From arguments to an exit code.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import type * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import pc from 'picocolors';

import type { KfacError } from '../../core/errors.ts';
import { describeError } from '../../core/errors.ts';
import { tasksWith } from '../catalogue/tasks.ts';
import type { Task, TaskFamily } from '../tasks/task.ts';
import { together } from '../together/joining.ts';
import type { World } from '../world.ts';
import { runBench } from './bench.ts';
import { runDoctor } from './doctor.ts';
import { runEvaluate } from './evaluating.ts';
import { runPlan } from './forecasting.ts';
import { runGenerate } from './generating.ts';
import type { CliCommand } from './program.ts';
import { parseCommand } from './program.ts';
import { runReport } from './reporting.ts';
import { runSummary } from './summary.ts';
import { runTraining } from './training.ts';
import { runTranslate } from './translating.ts';
import { runTune } from './tuning.ts';

/** Runs a command to the code that the program ends with. */
const execute =
  (world: World, tasks: ReadonlyArray<TaskFamily>) =>
  (command: CliCommand): TE.TaskEither<KfacError, number> => {
    const done = TE.map(() => 0);
    switch (command.name) {
      case 'train':
      case 'compare':
        return runTraining(world, command, tasks);
      case 'tune':
        return runTune(world, command, tasks);
      case 'evaluate':
        return pipe(runEvaluate(world, command, tasks), done);
      case 'generate':
        return runGenerate(world, command, tasks);
      case 'translate':
        return pipe(runTranslate(world, command, tasks), done);
      case 'report':
        return pipe(runReport(world, command), done);
      case 'summary':
        return pipe(runSummary(world, command, tasks), done);
      case 'plan':
        return pipe(runPlan(world, command, tasks), done);
      case 'bench':
        return pipe(runBench(world, command), done);
      case 'doctor':
        return pipe(runDoctor(world, command), done);
    }
  };

/** What the program knows besides what it has. */
export interface CliOptions {
  /** Tasks besides the library's; one of the same name takes the place of it. */
  readonly tasks?: ReadonlyArray<Task | TaskFamily>;
}

/**
 * Runs the program; under mpirun as one of several processes.
 *
 * @param world - what it may do
 * @param args - arguments after the name of the program
 * @param options - tasks of one's own
 * @returns 0, or 1 after an error, which is told on standard error in a sentence or two; after a signal 128 and its number
 * @example
 * ```ts no-run
 * import { nodeWorld, runCli, type Task } from 'kfac-ts/pipelines';
 *
 * // `node flowers.js compare flowers --optimizers kfac,adam` trains, compares and writes a report as `kfac` does.
 * declare const flowers: Task;
 * process.exitCode = await runCli(nodeWorld, process.argv.slice(2), { tasks: [flowers] })();
 * ```
 */
export const runCli = (world: World, args: ReadonlyArray<string>, { tasks = [] }: CliOptions = {}): T.Task<number> =>
  together(world, (own) =>
    pipe(
      parseCommand(own, args, tasksWith(tasks)),
      TE.chainW(execute(own, tasksWith(tasks))),
      TE.match(
        (failure) => {
          if (failure._tag === 'Shown') return 0;
          own.err(`${pc.red('error:')} ${describeError(failure)}`)();
          return 1;
        },
        (code) => code,
      ),
    ),
  );
