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
import type { World } from '../world.ts';
import { runDoctor } from './doctor.ts';
import type { CliCommand } from './program.ts';
import { parseCommand } from './program.ts';
import { runSummary } from './summary.ts';
import { runTraining } from './training.ts';

const execute =
  (world: World) =>
  (command: CliCommand): TE.TaskEither<KfacError, void> => {
    switch (command.name) {
      case 'train':
      case 'compare':
        return runTraining(world, command);
      case 'summary':
        return runSummary(world, command);
      case 'doctor':
        return runDoctor(world, command);
    }
  };

/**
 * Runs the program.
 *
 * @param world - what it may do
 * @param args - arguments after the name of the program
 * @returns 0, or 1 after an error, which is told on standard error in a sentence or two
 */
export const runCli = (world: World, args: ReadonlyArray<string>): T.Task<number> =>
  pipe(
    parseCommand(world, args),
    TE.chainW(execute(world)),
    TE.match(
      (failure) => {
        if (failure._tag === 'Shown') return 0;
        world.err(`${pc.red('error:')} ${describeError(failure)}`)();
        return 1;
      },
      () => 0,
    ),
  );
