/**
 * Programs that a launcher of MPI has started several times over: how they join, and how they end together.
 *
 * The first process tells and writes for all. A process that fails where the others do not has to be heard, and takes the others with it,
 * since they would wait for it for ever.
 *
 * @module
 */
import { hostname } from 'node:os';

import * as E from 'fp-ts/lib/Either.js';
import * as IOR from 'fp-ts/lib/IORef.js';
import { pipe } from 'fp-ts/lib/function.js';
import type * as T from 'fp-ts/lib/Task.js';

import pc from 'picocolors';

import { describeError } from '../../core/errors.ts';
import { launchOf } from '../../core/parallel/mpi/launch.ts';
import { mpi } from '../../core/parallel/mpi/mpi.ts';
import type { World } from '../world.ts';
import { quiet } from './quiet.ts';
import type { Ranks } from '../ranks.ts';

/** A program: the code that a world ends with. */
export type Program = (world: World) => T.Task<number>;

/** Milliseconds after which a process that has failed tells of it and ends the others: by then all have failed that do in the same way. */
const grace = 500;

const after = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });

/** Runs a program as one of several processes. */
const runAs = async (world: World, ranks: Ranks, program: Program): Promise<number> => {
  const { collective, launch } = ranks;
  const last = IOR.newIORef('')();
  const own = launch.rank === 0 ? world : quiet(world, (line) => last.write(line));
  const code = await program({ ...own, ranks })();
  // Code 1 is an error, which others may not have met; a signal has ended all of them.
  if (code !== 1) {
    // A launcher may end the others once one has ended with a code of its own, and the first is the last: it writes.
    await collective.barrier().done();
    collective.end();
    return code;
  }
  if (launch.rank !== 0) {
    await after(grace);
    world.err(`rank ${launch.rank}: ${last.read()}`)();
  }
  // A launcher that is told to end all at once may not read any more what one of them has just said.
  await after(grace / 2);
  collective.abort(code);
  return code;
};

/**
 * Runs a program by itself, or together with the other processes of its launcher.
 *
 * @param world - what the program may do
 * @param program - the program
 * @param env - variables of the environment, by which it knows its launcher; those of the process unless given
 */
export const together =
  (world: World, program: Program, env: Readonly<Record<string, string | undefined>> = process.env): T.Task<number> =>
  () => {
    const launch = launchOf(env);
    if (launch === null || launch.size === 1) return program(world)();
    return pipe(
      mpi(world.clock, env),
      E.match(
        (error) => {
          if (launch.rank === 0) world.err(`${pc.red('error:')} ${describeError(error)}`)();
          return Promise.resolve(1);
        },
        (joined) => runAs(world, { ...joined, host: hostname() }, program),
      ),
    );
  };
